import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Credential } from '../../controller/core/ports.ts';
import { KeeperError } from '../../controller/errors.ts';
import { AUTHOR, manifest } from '../git/bare-repository.ts';
import { GitClient } from './git-client.ts';
import { Pushing } from './pushing.ts';

const MAIN = 'refs/heads/main';

/** What a push throws. */
async function failure(push: Promise<unknown>): Promise<KeeperError> {
  const error: unknown = await push.then(
    () => assert.fail('it was pushed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KeeperError, String(error));
  assert.doesNotMatch(error.message, /\n/);
  return error;
}

async function refuses(
  push: Promise<unknown>,
  expected: { readonly code: string; readonly kind: string; readonly message?: RegExp },
): Promise<KeeperError> {
  const error = await failure(push);
  assert.deepEqual([error.code, error.kind], [expected.code, expected.kind], error.message);
  if (expected.message !== undefined) assert.match(error.message, expected.message);
  return error;
}

const DIVERGED = { code: 'REMOTE_DIVERGED', kind: 'stalled' } as const;
const STALLED = { code: 'REMOTE_REFUSED', kind: 'stalled' } as const;
const TRANSIENT = { code: 'REMOTE_REFUSED', kind: 'transient' } as const;

test('a branch that somebody else moved is refused before anything is sent, whether we know their commit or not', async () => {
  await using world = await Pushing.start();
  await world.commit({ a: '1' });
  await world.pushMain();
  using someone = new GitClient();
  await someone.git('clone', '--quiet', world.server.place('shop').url, '.');
  const theirs = await someone.commit('theirs', { b: '2' });
  await someone.git('push', '--quiet', 'origin', 'HEAD:main');
  await world.commit({ a: '2' });
  const posts = world.posts;
  const error = await refuses(world.pushMain(), { ...DIVERGED, message: new RegExp(`refs/heads/main .*${theirs}`) });
  assert.deepEqual([error.details['ref'], error.details['theirs']], [MAIN, theirs]);
  await someone.git('-C', world.place.directory, 'fetch', '--quiet', world.server.place('shop').url, 'main');
  world.repository.store.rescan();
  await refuses(world.pushMain(), { ...DIVERGED, message: /does not follow/ });
  assert.equal(world.posts, posts);
  assert.deepEqual(world.refs(), { [MAIN]: theirs });
});

test('a branch that was forced back, or deleted, is not put where it was without being asked to', async () => {
  await using world = await Pushing.start();
  const first = await world.commit({ a: '1' });
  await world.commit({ a: '2' });
  await world.pushMain();
  const left = await world.discover();
  const last = await world.commit({ a: '3' });
  const update = { ref: MAIN, from: left.refs.get(MAIN), to: last };
  world.server.git('shop', 'update-ref', MAIN, first);
  await refuses(world.pushExactly([update]), { ...DIVERGED, message: new RegExp(`is at ${first}`) });
  world.server.git('shop', 'update-ref', '-d', MAIN);
  await refuses(world.pushExactly([update]), { ...DIVERGED, message: /is gone there/ });
  assert.deepEqual(world.refs(), {});
});

test('a branch that moves between looking and pushing stays where it was moved to', async () => {
  for (const offered of [['atomic'], []]) {
    await using world = await Pushing.start();
    const first = await world.commit({ a: '1' });
    await world.commit({ a: '2' });
    await world.pushMain();
    const seen = await world.discover();
    world.server.git('shop', 'update-ref', MAIN, first);
    await world.commit({ a: '3' });
    const capabilities = new Set([...seen.capabilities].filter((one) => one !== 'atomic' || offered.includes(one)));
    await refuses(world.pushMain({ advertised: { ...seen, capabilities } }), { ...DIVERGED, message: /meanwhile/ });
    assert.deepEqual(world.refs(), { [MAIN]: first });
  }
});

test('a branch that somebody else created meanwhile stays theirs', async () => {
  await using world = await Pushing.start();
  const seen = await world.discover();
  using someone = new GitClient();
  const theirs = await someone.init();
  await someone.git('push', '--quiet', world.server.place('shop').url, 'HEAD:main');
  await world.commit({ a: '1' });
  await refuses(world.pushMain({ advertised: seen }), DIVERGED);
  assert.deepEqual(world.refs(), { [MAIN]: theirs });
});

test('a tag that means something else at the remote stays, and is named', async () => {
  await using world = await Pushing.start();
  const id = await world.commit({ a: '1' });
  await world.push({ [MAIN]: id, 'refs/tags/good/1': id });
  const tag = await world.repository.tag('good/1', { target: id, message: 'x', tagger: AUTHOR, time: world.now() });
  await refuses(world.push({ 'refs/tags/good/1': tag }), { ...DIVERGED, message: /refs\/tags\/good\/1/ });
  assert.equal(world.refs()['refs/tags/good/1'], id);
});

test('a lock that somebody left in the way of a ref is worth another try', async () => {
  for (const offered of [['atomic'], []]) {
    await using world = await Pushing.start();
    await world.commit({ a: '1' });
    await world.pushMain();
    const lock = join(world.server.directory, 'shop.git', `${MAIN}.lock`);
    writeFileSync(lock, '');
    await world.commit({ a: '2' });
    const seen = await world.discover();
    const capabilities = new Set([...seen.capabilities].filter((one) => one !== 'atomic' || offered.includes(one)));
    await refuses(world.pushMain({ advertised: { ...seen, capabilities } }), TRANSIENT);
  }
});

test('what a hook says is passed on: one line, short, without control characters', async () => {
  const script =
    'printf "no \\033[31mred\\033[0m\\n\\tat\\007 all\\n" >&2; head -c 3000 /dev/zero | tr "\\0" "x " >&2; exit 1';
  await using world = await Pushing.start({ served: { hooks: { 'pre-receive': script } } });
  await world.commit({ a: '1' });
  const error = await refuses(world.pushMain(), { ...STALLED, message: /pre-receive hook declined: no .*at.* all/ });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f]/);
  assert.ok(error.message.length < 500, error.message);
  assert.deepEqual(world.refs(), {});
});

test('a hook that repeats our token does not bring it into an error', async () => {
  const token = 'canary-5ecr3t';
  const credential = (): Credential => ({ kind: 'token', token });
  const hooks = { 'pre-receive': `echo 'you sent ${token}' >&2; exit 1` };
  await using world = await Pushing.start({ server: { auth: { token } }, served: { hooks } });
  await world.commit({ a: '1' });
  const error = await refuses(world.pushMain({ remote: world.remote('shop', credential) }), STALLED);
  assert.doesNotMatch(JSON.stringify([error.message, error.details, error.stack]), new RegExp(token));
  assert.match(error.message, /you sent \*\*\*/);
});

test('refs of one push move together or not at all', async () => {
  const hooks = { update: 'case "$1" in refs/tags/*) echo "no tags" >&2; exit 1;; esac' };
  await using world = await Pushing.start({ served: { hooks } });
  const id = await world.commit({ a: '1' });
  const push = world.push({ [MAIN]: id, 'refs/tags/good/1': id });
  await refuses(push, { ...STALLED, message: /refs\/tags\/good\/1.*hook declined.*no tags/ });
  assert.deepEqual(world.refs(), {});
});

test('deletions that the remote forbids are its word', async () => {
  await using world = await Pushing.start({ served: { config: { 'receive.denyDeletes': 'true' } } });
  const id = await world.commit({ a: '1' });
  await world.push({ [MAIN]: id, 'refs/heads/side': id });
  await refuses(world.push({ 'refs/heads/side': undefined }), { ...STALLED, message: /deletion prohibited/ });
});

test('a pack that is larger than the remote takes waits for a person', async () => {
  await using world = await Pushing.start({ served: { config: { 'receive.maxInputSize': '2k' } } });
  for (let i = 0; i < 60; i++) world.repository.stage(`c-${i}`, manifest(`c-${i}`, i));
  await world.commit({ a: '1' });
  await refuses(world.pushMain(), { ...STALLED, message: /exceeds maximum allowed size/ });
});

test('a remote without space is asked again later, and then has everything', async () => {
  await using world = await Pushing.start();
  await world.commit({ a: '1' });
  await world.pushMain();
  const fault = world.server.add({ do: 'no-space' }, { method: 'POST' });
  await world.commit({ a: '2' });
  await refuses(world.pushMain(), TRANSIENT);
  assert.equal(fault.hits, 1);
  fault.remove();
  await world.pushMain();
  world.judge();
});

test('a repository of another object format is refused before anything is sent', async () => {
  await using world = await Pushing.start();
  world.server.git('shop', 'init', '--quiet', '--bare', '--object-format=sha256', '../other.git');
  await world.commit({ a: '1' });
  await refuses(world.pushMain({ remote: world.remote('other') }), { ...STALLED, message: /sha256/ });
  assert.equal(world.posts, 0);
});
