import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Credential } from '../../controller/core/ports.ts';
import { pktLine } from '../../controller/git/remote/pkt-line.ts';
import { eventually } from '../flows/keeper.ts';
import { Pushing } from './pushing.ts';

const POST = { method: 'POST', service: 'git-receive-pack' } as const;
const UNREACHABLE = { code: 'REMOTE_UNREACHABLE', kind: 'transient' };

test('a connection that is cut in the middle of the pack leaves the remote as it was, and the next push succeeds', async () => {
  await using world = await Pushing.start();
  await world.commit({ a: '1' });
  await world.pushMain();
  const before = world.refs();
  for (let i = 0; i < 40; i++) world.repository.stage(`noise-${i}`, randomBytes(40_000));
  await world.commit({ a: '2' });
  for (const afterBytes of [1, 100, 200_000, 1_500_000]) {
    const fault = world.server.add({ do: 'cut-request', afterBytes }, POST);
    await assert.rejects(world.pushMain(), UNREACHABLE);
    assert.equal(fault.hits, 1);
    fault.remove();
    assert.deepEqual(world.refs(), before);
    world.judge();
  }
  await world.pushMain();
  world.judge();
  assert.notDeepEqual(world.refs(), before);
});

test('a push whose answer is lost was taken, and the next one finds that out and sends nothing', async () => {
  for (const afterBytes of [0, 5, 30]) {
    await using world = await Pushing.start();
    const id = await world.commit({ a: '1' });
    world.server.add({ do: 'cut-response', afterBytes }, { ...POST, times: 1 });
    await assert.rejects(world.pushMain(), UNREACHABLE);
    const request = world.server.requests.at(-1);
    await request?.ended;
    const posts = world.posts;
    await untilTaken(world, id);
    assert.deepEqual(await world.pushMain(), { objects: 0, bytes: 0 });
    assert.equal(world.posts, posts);
    await world.commit({ a: '2' });
    await world.pushMain();
    world.judge();
  }
});

/** The backend goes on after the connection was cut; asking is all that anybody can do. */
async function untilTaken(world: Pushing, id: string): Promise<void> {
  while ((await world.discover()).refs.get('refs/heads/main') !== id);
}

test('an answer that is no report, or half of one, is no success', async () => {
  const inBand = (...lines: Buffer[]) => [pktLine(Buffer.concat([Buffer.from([1]), ...lines])), Buffer.from('0000')];
  const ok = pktLine('unpack ok\n');
  const flush = Buffer.from('0000');
  const answers: Buffer[][] = [
    [],
    [Buffer.from('<html>')],
    inBand(ok),
    inBand(ok, flush),
    inBand(pktLine('ok refs/heads/main\n'), flush),
    inBand(ok, pktLine('ok refs/heads/other\n'), flush),
    inBand(ok, pktLine('what?\n'), flush),
    [inBand(ok, pktLine('ok refs/heads/main\n'), flush)[0] as Buffer],
    [Buffer.from('ffff'), ok],
  ];
  for (const answer of answers) {
    await using world = await Pushing.start();
    await world.commit({ a: '1' });
    const headers = { 'content-type': 'application/x-git-receive-pack-result' };
    world.server.add({ do: 'answer', headers, body: () => answer }, POST);
    await assert.rejects(world.pushMain(), UNREACHABLE, answer.toString());
  }
});

test('an error band is the word of the remote, and a report that comes in small pieces is read', async () => {
  await using world = await Pushing.start();
  await world.commit({ a: '1' });
  const headers = { 'content-type': 'application/x-git-receive-pack-result' };
  const answer = (...parts: Buffer[]) =>
    world.server.add({ do: 'answer', headers, body: () => parts }, { ...POST, times: 1 });
  answer(pktLine('\u0003repository is archived'), Buffer.from('0000'));
  await assert.rejects(world.pushMain(), {
    code: 'REMOTE_REFUSED',
    kind: 'stalled',
    message: /repository is archived/,
  });
  const report = Buffer.concat([pktLine('unpack ok\n'), pktLine('ok refs/heads/main\n'), Buffer.from('0000')]);
  const pieces = [...report].map((byte) => pktLine(Buffer.from([1, byte])));
  answer(...pieces, pktLine('\u0002well done\n'), Buffer.from('0000'));
  assert.equal((await world.pushMain()).objects, 3);
});

test('a credential that ends between looking and pushing is renewed, and the pack is made again for it', async () => {
  await using world = await Pushing.start({ server: { auth: { token: 'first' } } });
  for (let i = 0; i < 40; i++) world.repository.stage(`noise-${i}`, randomBytes(40_000));
  await world.commit({ a: '1' });
  let token = 'first';
  const credential = (): Credential => ({ kind: 'token', token });
  const renewing = world.remote('shop', credential);
  const remote = {
    ...renewing,
    credentials: {
      get: async (options?: { readonly renew?: boolean }): Promise<Credential> => {
        if (options?.renew === true) token = 'second';
        return credential();
      },
    },
  };
  const advertised = await world.discover(remote);
  world.server.auth = { token: 'second' };
  const { objects, bytes } = await world.pushMain({ remote, advertised });
  assert.equal(objects, 43);
  assert.ok(bytes > 1_600_000 && bytes < 1_700_000, `${bytes}`);
  world.judge();
});

test('damage that is found in the middle of sending ends the push as what it is, and the remote is as it was', async () => {
  await using world = await Pushing.start();
  await world.commit({ a: '1' });
  await world.pushMain();
  const before = world.refs();
  for (let i = 0; i < 60; i++) world.repository.stage(`noise-${i}`, randomBytes(40_000));
  await world.commit({ a: '2' });
  const directory = join(world.place.directory, 'objects', 'pack');
  const packs = readdirSync(directory).filter((name) => name.endsWith('.pack'));
  const largest = packs.map((name) => join(directory, name)).find((path) => statSync(path).size > 2_000_000) ?? '';
  chmodSync(largest, 0o644);
  const whole = readFileSync(largest);
  const broken = Buffer.from(whole);
  broken[2_000_000] = (broken[2_000_000] as number) ^ 1;
  writeFileSync(largest, broken);
  await assert.rejects(world.pushMain(), { code: 'REPOSITORY_DAMAGED' });
  await eventually('the server to have got a part', async () => (world.server.requests.at(-1)?.bytesIn ?? 0) > 0);
  assert.deepEqual(world.refs(), before);
  writeFileSync(largest, whole);
  await world.pushMain();
  world.judge();
});

test('an aborted push throws the reason of its signal and leaves the remote as it was', async () => {
  await using world = await Pushing.start();
  for (let i = 0; i < 40; i++) world.repository.stage(`noise-${i}`, randomBytes(40_000));
  await world.commit({ a: '1' });
  world.server.add({ do: 'slow', bytesPerSecond: 1 }, POST);
  const abort = new AbortController();
  const arrived = world.server.arrival(({ method }) => method === 'POST');
  const push = world.push({ 'refs/heads/main': world.repository.head }, { signal: abort.signal });
  void arrived.then(() => abort.abort(new Error('enough')));
  await assert.rejects(push, /^Error: enough$/);
});
