import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clone, cloneInto } from '../../controller/git/remote/clone.ts';
import { FLUSH, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { Place } from '../git/bare-repository.ts';
import { GitClient } from './git-client.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { failsWith, openRemote, UNHINDERED } from './remotes.ts';

test('a clone has every branch, tag and note of the remote, and Git finds it sound', async () => {
  await using server = await startGitServer();
  await fill(server);
  await using remote = openRemote(server, 'shop');
  using place = new Place();
  const cloned = await clone(place.directory, remote, UNHINDERED);
  const all = server.git('shop', 'for-each-ref', '--format=%(objectname) %(refname)').trim().split('\n');
  const ours = all.filter((line) => !line.includes('refs/pull/'));
  assert.equal(all.length, ours.length + 1);
  assert.deepEqual(place.lines('for-each-ref', '--format=%(objectname) %(refname)'), ours);
  assert.deepEqual([...cloned.refs].map(([name, id]) => `${id} ${name}`).sort(), ours.sort());
  assert.equal(place.git('symbolic-ref', 'HEAD').trim(), 'refs/heads/main');
  place.fsck();
  assert.deepEqual(readdirSync(place.root), ['shop.git']);
  await using repository = await openRepository(place.directory);
  assert.equal(repository.head, server.git('shop', 'rev-parse', 'main').trim());
  repository.stage('a.json', 'ours\n');
  await repository.commit({ message: 'goes on', author: { name: 'a', email: 'b@c' }, time: new Date() });
  place.fsck();
});

test('an empty repository that is open is filled in the same way', async () => {
  await using server = await startGitServer();
  await fill(server);
  await using remote = openRemote(server, 'shop');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const { refs, objects } = await cloneInto(repository, remote, UNHINDERED);
  assert.deepEqual(new Map(repository.refs()), new Map(refs));
  assert.ok(objects > 10);
  assert.equal(repository.head, refs.get('refs/heads/main'));
  place.fsck();
});

test('nothing appears before it is whole, and nothing stays of what failed', async () => {
  await using server = await startGitServer();
  await fill(server);
  await using remote = openRemote(server, 'shop');
  using place = new Place();
  server.add({ do: 'stall-response', afterBytes: 50_000 }, { method: 'POST' });
  const controller = new AbortController();
  const arrival = server.arrival(({ method }) => method === 'POST');
  const work = clone(place.directory, remote, controller.signal);
  await arrival;
  assert.equal(existsSync(place.directory), false);
  controller.abort(new Error('stopped by a person'));
  await assert.rejects(work, /stopped by a person/);
  assert.deepEqual(readdirSync(place.root), []);
  server.clear();
  server.add({ do: 'cut-response', afterBytes: 50_000 }, { method: 'POST' });
  await failsWith(clone(place.directory, remote, UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  assert.deepEqual(readdirSync(place.root), []);
  // What a killed one left goes with the next.
  mkdirSync(join(place.root, '.shop.git.tmp_left'));
  mkdirSync(join(place.root, '.other.git.tmp_theirs'));
  server.clear();
  await clone(place.directory, remote, UNHINDERED);
  assert.deepEqual(readdirSync(place.root).sort(), ['.other.git.tmp_theirs', 'shop.git']);
});

test('a place that is taken is left as it is', async () => {
  await using server = await startGitServer();
  await fill(server);
  await using remote = openRemote(server, 'shop');
  using place = new Place();
  mkdirSync(place.directory);
  writeFileSync(join(place.directory, 'theirs'), 'x');
  await failsWith(clone(place.directory, remote, UNHINDERED), 'REPOSITORY_FOREIGN', 'invalid-input');
  assert.deepEqual(readdirSync(place.directory), ['theirs']);
  assert.deepEqual(readdirSync(place.root), ['shop.git']);
});

test('a remote without main, or that does not exist, is no clone', async () => {
  await using server = await startGitServer();
  server.createRepository('empty');
  using place = new Place();
  for (const name of ['empty', 'none']) {
    await using remote = openRemote(server, name);
    await failsWith(clone(place.directory, remote, UNHINDERED), 'REMOTE_NOT_FOUND', 'stalled');
  }
  assert.deepEqual(readdirSync(place.root), []);
});

test('a remote that leaves an object out is found out', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  await client.init({ 'a.json': 'first\n', 'b.json': 'b\n' });
  const main = await client.commit('second', { 'a.json': 'second\n' });
  const advertised = [
    pktLine('# service=git-upload-pack\n'),
    FLUSH,
    pktLine(`${main} refs/heads/main\0ofs-delta\n`),
    FLUSH,
  ];
  const headers = (kind: string) => ({ 'content-type': `application/x-git-upload-pack-${kind}` });
  server.add({ do: 'answer', headers: headers('advertisement'), body: () => advertised }, { method: 'GET' });
  const all = (await client.git('rev-list', '--objects', 'main'))
    .trim()
    .split('\n')
    .map((line) => line.slice(0, 40));
  using place = new Place();
  for (const missing of all) {
    const input = all.filter((id) => id !== missing).join('\n');
    const pack = execFileSync('git', ['-C', client.directory, 'pack-objects', '--stdout', '-q'], { input });
    const body = () => [pktLine('NAK\n'), pack];
    const fault = server.add({ do: 'answer', headers: headers('result'), body }, { method: 'POST' });
    const code = missing === main ? 'REMOTE_UNREACHABLE' : 'REMOTE_REFUSED';
    await failsWith(clone(place.directory, remote, UNHINDERED), code, missing === main ? 'transient' : 'stalled');
    fault.remove();
  }
  assert.deepEqual(readdirSync(place.root), []);
});

test('a name of a ref that leads out of the repository is refused', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  const id = await client.init();
  using place = new Place();
  for (const name of ['refs/heads/../../../../escaped', 'refs/heads/a..b', 'refs/tags/x.lock', 'refs/heads//x']) {
    server.clear();
    const lines = [pktLine(`${id} refs/heads/main\0ofs-delta\n`), pktLine(`${id} ${name}\n`), FLUSH];
    const body = () => [pktLine('# service=git-upload-pack\n'), FLUSH, ...lines];
    server.add({ do: 'answer', headers: { 'content-type': 'application/x-git-upload-pack-advertisement' }, body });
    await failsWith(clone(place.directory, remote, UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  }
  assert.deepEqual(readdirSync(place.root), []);
});

/** Some history with all that a repository of ours has, and a ref of the forge. */
async function fill(server: GitServer): Promise<void> {
  const { directory } = server.createRepository('shop');
  using client = new GitClient();
  await client.init({ 'a.json': 'first\n', 'b.bin': randomBytes(100_000) });
  for (let i = 0; i < 5; i++) await client.commit(`change ${i}`, { 'a.json': `${i}\n` });
  await client.git('tag', '-a', 'good/1', '-m', 'works');
  await client.git('tag', 'pre/light', 'main~2');
  await client.git('notes', '--ref', 'data', 'add', '-m', 'ready', 'main~1');
  await client.git('branch', 'kubekeeper/side', 'main~3');
  const refs = ['main', 'kubekeeper/side', 'refs/notes/data', 'main~1:refs/pull/1/head'];
  await client.git('push', '--quiet', '--tags', directory, ...refs);
}
