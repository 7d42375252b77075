import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { discover } from '../../controller/git/remote/discover.ts';
import { fetch } from '../../controller/git/remote/fetch.ts';
import { FLUSH, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { Place } from '../git/bare-repository.ts';
import { GitClient } from './git-client.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote, rotating, SHORT, token, UNHINDERED } from './remotes.ts';

test('all that is asked for comes, once, and can be used', async () => {
  await using server = await startGitServer({ tls: true, auth: { token: 'secret' } });
  const { directory } = server.createRepository('ops/shop');
  await using remote = openRemote(server, 'ops/shop', { credentials: rotating(token('secret')) });
  using client = new GitClient();
  await client.init({ 'a.json': '{}\n' });
  // Similar contents, so that the server sends deltas.
  for (let i = 0; i < 20; i++) await client.commit(`change ${i}`, { 'a.json': `${'line\n'.repeat(2000)}${i}\n` });
  await client.git('push', '--quiet', directory, 'main');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const { refs } = await discover(remote, 'git-upload-pack', UNHINDERED);
  const main = refs.get('refs/heads/main') as string;
  const fetched = await fetch(repository, remote, [main], UNHINDERED);
  assert.equal(fetched.objects, 63);
  assert.ok(fetched.bytes < 20_000, `${fetched.bytes}`);
  assert.deepEqual([...repository.refs()], []);
  await repository.fastForward(main);
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, 21);
  assert.deepEqual(await fetch(repository, remote, [main], UNHINDERED), { objects: 0, bytes: 0 });
  assert.equal(server.requests.filter(({ method }) => method === 'POST').length, 1);
});

test('what is here already is not sent again, and packs are never thin', async () => {
  await using server = await startGitServer();
  const { directory } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  const large = { 'large.bin': randomBytes(200_000), 'text.json': 'line\n'.repeat(2000) };
  const first = await client.init(large);
  await client.git('push', '--quiet', directory, 'main');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await fetch(repository, remote, [first], UNHINDERED);
  await repository.fastForward(first);
  const second = await client.commit('theirs', { 'text.json': `${'line\n'.repeat(2000)}more\n` });
  await client.git('push', '--quiet', directory, 'main');
  const fetched = await fetch(repository, remote, [second], UNHINDERED);
  assert.equal(fetched.objects, 3);
  assert.ok(fetched.bytes < 1000, `${fetched.bytes}`);
  await repository.fastForward(second);
  place.fsck();
  // What was taken back there is here still: there is nothing to send.
  await client.git('push', '--quiet', '--force', directory, `${first}:refs/heads/main`);
  assert.equal((await fetch(repository, remote, [first], UNHINDERED)).objects, 0);
});

test('where histories parted long ago, only what came since is sent', async () => {
  await using server = await startGitServer();
  const { directory } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  const ids = [await client.init()];
  for (let i = 1; i < 40; i++) ids.push(await client.commit(`change ${i}`, { 'a.json': `${i}\n` }));
  await client.git('push', '--quiet', directory, 'main');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await fetch(repository, remote, [ids[39] as string], UNHINDERED);
  await repository.fastForward(ids[39] as string);
  // Somebody threw away half of it and went on, in a repository that knows nothing of ours.
  await client.git('reset', '--quiet', '--hard', ids[20] as string);
  const theirs = await client.commit('theirs', { 'b.json': 'theirs\n' });
  server.removeRepository('shop');
  server.createRepository('shop');
  await client.git('push', '--quiet', directory, 'main');
  const fetched = await fetch(repository, remote, [theirs], UNHINDERED);
  assert.ok(fetched.objects < 45, `${fetched.objects}`);
  assert.equal(repository.head, ids[39]);
});

test('what the remote does not have is refused in its words, to be asked for again after a new look', async () => {
  await using server = await startGitServer();
  const { directory } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  await client.init();
  await client.git('push', '--quiet', directory, 'main');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const work = fetch(repository, remote, ['1'.repeat(40)], UNHINDERED);
  const error = await failsWith(work, 'REMOTE_REFUSED', 'transient');
  assert.match(error.message, /not our ref 1{40}/);
});

test('a pack that is cut, stalls or is broken on the way leaves nothing behind', async () => {
  await using server = await startGitServer();
  const { directory } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  await using impatient = openRemote(server, 'shop', { limits: SHORT });
  using client = new GitClient();
  const main = await client.init({ 'a.bin': randomBytes(300_000) });
  await client.git('push', '--quiet', directory, 'main');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const packs = () => readdirSync(join(place.directory, 'objects', 'pack'));
  for (const afterBytes of [0, 4, 30, 100_000, 299_000]) {
    const fault = server.add({ do: 'cut-response', afterBytes }, { method: 'POST' });
    await failsWith(fetch(repository, remote, [main], UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
    assert.equal(fault.hits, 1);
    fault.remove();
    assert.deepEqual(packs(), [], `cut after ${afterBytes}`);
  }
  server.add({ do: 'stall-response', afterBytes: 100_000 }, { method: 'POST' });
  await failsWith(fetch(repository, impatient, [main], UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  assert.deepEqual(packs(), []);
  server.clear();
  const controller = new AbortController();
  server.add({ do: 'stall-response', afterBytes: 100_000 }, { method: 'POST' });
  const arrival = server.arrival(({ method }) => method === 'POST');
  const work = fetch(repository, remote, [main], controller.signal);
  await arrival;
  controller.abort(new Error('stopped by a person'));
  await assert.rejects(work, /stopped by a person/);
  assert.deepEqual(packs(), []);
  server.clear();
  assert.equal((await fetch(repository, remote, [main], UNHINDERED)).objects, 3);
});

test('a server that fails while it sends is heard', async () => {
  await using server = await startGitServer();
  const { directory } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  const main = await client.init({ 'a.bin': randomBytes(1000) });
  await client.git('push', '--quiet', directory, 'main');
  const blob = (await client.git('rev-parse', 'main:a.bin')).trim();
  rmSync(join(directory, 'objects', blob.slice(0, 2), blob.slice(2)));
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const error = await failsWith(fetch(repository, remote, [main], UNHINDERED), 'REMOTE_REFUSED', 'stalled');
  assert.match(error.message, /repository corruption on the remote side|unable to read/);
});

test('a server without side bands is understood, and one that talks nonsense is not', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  const main = await client.init();
  const pack = await client.pack();
  const advertised = [
    pktLine('# service=git-upload-pack\n'),
    FLUSH,
    pktLine(`${main} refs/heads/main\0ofs-delta\n`),
    FLUSH,
  ];
  const headers = (kind: string) => ({ 'content-type': `application/x-git-upload-pack-${kind}` });
  server.add({ do: 'answer', headers: headers('advertisement'), body: () => advertised }, { method: 'GET' });
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const bad: readonly (readonly Buffer[])[] = [
    [],
    [FLUSH],
    [pktLine('NAK\n')],
    [pktLine('ACK nonsense\n'), pack],
    [pktLine('NAK\n'), pack.subarray(0, pack.length - 1)],
    [pktLine('NAK\n'), Buffer.concat([pack.subarray(0, 40), Buffer.alloc(pack.length - 40)])],
  ];
  for (const body of bad) {
    const fault = server.add({ do: 'answer', headers: headers('result'), body: () => body }, { method: 'POST' });
    const error = await fetch(repository, remote, [main], UNHINDERED).then(
      () => assert.fail(),
      (caught: unknown) => caught,
    );
    assert.match(String(error), /KeeperError/);
    fault.remove();
    assert.deepEqual(readdirSync(join(place.directory, 'objects', 'pack')), []);
  }
  const errorLine = [pktLine('ERR upload-pack: no such thing\n')];
  const fault = server.add({ do: 'answer', headers: headers('result'), body: () => errorLine }, { method: 'POST' });
  await failsWith(fetch(repository, remote, [main], UNHINDERED), 'REMOTE_REFUSED', 'stalled');
  fault.remove();
  server.add({ do: 'answer', headers: headers('result'), body: () => [pktLine('NAK\n'), pack] }, { method: 'POST' });
  assert.equal((await fetch(repository, remote, [main], UNHINDERED)).objects, 3);
});

test('a pack without end is bounded', async () => {
  await using server = await startGitServer();
  const { directory } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop', { limits: { packBytes: 100_000 } });
  using client = new GitClient();
  const main = await client.init({ 'a.bin': randomBytes(300_000) });
  await client.git('push', '--quiet', directory, 'main');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  await failsWith(fetch(repository, remote, [main], UNHINDERED), 'REMOTE_REFUSED', 'stalled');
  assert.deepEqual(readdirSync(join(place.directory, 'objects', 'pack')), []);
});
