import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { RealWorld } from '../archive/real-remotes.ts';

/** Whoever moves the remote: nothing of theirs is overwritten, nothing of ours is lost, and it goes on by itself once a person acted. */

const MAIN = 'refs/heads/main';
const SIDE = 'refs/heads/kubekeeper/from-prod';

function isStalled(reason: string) {
  return (outcome: Outcome) => outcome.type === 'stalled' && outcome.reason === reason;
}

function isResumed(outcome: Outcome): boolean {
  return outcome.type === 'resumed';
}

function localGit(real: RealWorld, ...args: string[]): string {
  const { directory } = real.repository();
  return execFileSync('git', ['-C', directory, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

function isAncestor(real: RealWorld, ancestor: string, of: string): boolean {
  return real.git('shop', 'merge-base', ancestor, of) === real.git('shop', 'rev-parse', ancestor);
}

/** Two commits of ours at the remote. */
async function started(options: Parameters<typeof RealWorld.start>[0] = {}) {
  const real = await RealWorld.start(options);
  real.world.publisher.start([]);
  await real.world.commit('shop');
  const second = await real.world.commit('shop');
  await real.world.until('both', (outcome) => outcome.type === 'pushed' && outcome.id === second);
  return { real, world: real.world, second };
}

test('somebody committed to main: theirs stay, ours go to a side branch, and the message says whose they are and what to do', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  using ada = await real.clone('shop');
  await ada.git('-c', 'user.name=Ada', 'commit', '--quiet', '--allow-empty', '-m', 'by hand\n\nmore');
  const theirs = await ada.commit('by hand too', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  const third = await world.commit('shop');
  const stalled = await world.until('the stall', isStalled('RemoteDiverged'));
  assert.ok(stalled.type === 'stalled');
  assert.match(
    stalled.message,
    /2 commits by Ada and 1 other, the newest "by hand too"|2 commits by someone and 1 other, the newest/,
  );
  assert.match(stalled.message, /nothing was overwritten/);
  assert.match(stalled.message, /ours are at kubekeeper\/from-prod/);
  assert.match(stalled.message, new RegExp(`set main back to ${second}`));
  assert.equal(real.ref('shop', MAIN), theirs);
  assert.equal(real.ref('shop', SIDE), third);
  // Kept here as well, so that nobody can lose them.
  assert.equal(localGit(real, 'rev-parse', `refs/kubekeeper/foreign/${theirs.slice(0, 12)}`), theirs);
  const fourth = await world.commit('shop');
  await world.until('the side branch to follow', (outcome) => outcome.type === 'pushed' && outcome.id === fourth);
  assert.equal(real.ref('shop', SIDE), fourth);
  assert.equal(real.ref('shop', MAIN), theirs);
  assert.equal(world.of('stalled').length, 1, 'told once');
  while (world.publisher.running > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(world.publisher.backlog.repositories, 0, 'what is at the side branch is at the remote');
  real.fsck('shop');
  localGit(real, 'fsck', '--strict', '--full');
});

test('a person merges the side branch: the lines are joined by a commit of ours with the live state, and main goes on', async () => {
  const { real, world } = await started();
  await using _real = real;
  using ada = await real.clone('shop');
  const theirs = await ada.commit('by hand', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  const third = await world.commit('shop');
  await world.until('the stall', isStalled('RemoteDiverged'));
  await ada.git('fetch', '--quiet');
  await ada.git('merge', '--quiet', '--no-edit', 'origin/kubekeeper/from-prod');
  await ada.git('push', '--quiet', 'origin', 'main');
  const merge = (await ada.git('rev-parse', 'HEAD')).trim();
  await world.until('it to go on', isResumed);
  const main = real.ref('shop', MAIN) ?? assert.fail();
  assert.equal(main, real.repository().head);
  assert.deepEqual(real.git('shop', 'log', '-1', '--format=%P', 'main').split(' '), [third, merge]);
  assert.equal(real.git('shop', 'rev-parse', 'main^{tree}'), real.git('shop', 'rev-parse', `${third}^{tree}`));
  const message = real.git('shop', 'log', '-1', '--format=%B', 'main');
  assert.match(message, /^joined 2 commits by someone, the newest "Merge remote-tracking branch/);
  assert.match(message, new RegExp(`^Joined: ${merge}$`, 'm'));
  assert.ok(isAncestor(real, theirs, MAIN), 'their commit is in the history');
  assert.equal(real.ref('shop', SIDE), undefined, 'the side branch is gone');
  const after = await world.commit('shop');
  await world.until('the next', (outcome) => outcome.type === 'pushed' && outcome.id === after);
  assert.equal(real.ref('shop', MAIN), after);
  assert.equal(localGit(real, 'for-each-ref', 'refs/kubekeeper', 'refs/remotes/origin/kubekeeper'), '');
  real.fsck('shop');
  localGit(real, 'fsck', '--strict', '--full');
});

test('a person sets main back: it moves forward to ours, and theirs are still kept here', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  using ada = await real.clone('shop');
  const theirs = await ada.commit('by hand', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  const third = await world.commit('shop');
  await world.until('the stall', isStalled('RemoteDiverged'));
  await ada.git('push', '--quiet', '--force', 'origin', `${second}:main`);
  await world.until('it to go on', isResumed);
  assert.equal(real.ref('shop', MAIN), third);
  assert.equal(real.ref('shop', SIDE), undefined);
  assert.equal(localGit(real, 'rev-parse', `refs/kubekeeper/foreign/${theirs.slice(0, 12)}`), theirs);
  assert.deepEqual(world.of('push-failed'), []);
});

test('main was force-pushed to another history: it is never forced back, and ours are complete at the side branch', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  using ada = await real.clone('shop');
  await ada.git('checkout', '--quiet', '--orphan', 'other');
  const theirs = await ada.commit('another life', { 'b.json': '{}\n' });
  await ada.git('push', '--quiet', '--force', 'origin', 'other:main');
  const third = await world.commit('shop');
  const stalled = await world.until('the stall', isStalled('RemoteDiverged'));
  assert.ok(stalled.type === 'stalled');
  assert.equal(real.ref('shop', MAIN), theirs);
  assert.equal(real.ref('shop', SIDE), third);
  assert.ok(isAncestor(real, second, SIDE));
  await ada.git('fetch', '--quiet');
  await ada.git(
    'merge',
    '--quiet',
    '--no-edit',
    '-X',
    'ours',
    '--allow-unrelated-histories',
    'origin/kubekeeper/from-prod',
  );
  await ada.git('push', '--quiet', 'origin', 'HEAD:main');
  await world.until('it to go on', isResumed);
  assert.equal(real.ref('shop', MAIN), real.repository().head);
  assert.ok(isAncestor(real, theirs, MAIN) && isAncestor(real, third, MAIN));
  real.fsck('shop');
});

test('main was force-pushed back to an older commit of ours: said aloud, and moved forward again', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  real.git('shop', 'update-ref', MAIN, `${second}~1`);
  const third = await world.commit('shop');
  await world.until('the push', (outcome) => outcome.type === 'pushed' && outcome.id === third);
  assert.equal(real.ref('shop', MAIN), third);
  await world.until('the word', (outcome) => outcome.type === 'push-failed');
  const [told, ...others] = world.of('push-failed');
  assert.match(told?.reason ?? '', /Somebody set main of .* back from .* nothing is lost/);
  assert.deepEqual([others, world.of('stalled')], [[], []]);
});

test('somebody wrote onto our side branch too: it is left alone, and ours go to the next one', async () => {
  const { real, world } = await started();
  await using _real = real;
  using ada = await real.clone('shop');
  await ada.commit('by hand', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  await ada.git('push', '--quiet', 'origin', `main:${SIDE}`);
  const side = real.ref('shop', SIDE);
  const third = await world.commit('shop');
  const stalled = await world.until('the stall', isStalled('RemoteDiverged'));
  assert.ok(stalled.type === 'stalled');
  assert.match(stalled.message, /ours are at kubekeeper\/from-prod-2/);
  assert.equal(real.ref('shop', SIDE), side);
  assert.equal(real.ref('shop', `${SIDE}-2`), third);
});

test('the branch main was deleted: nothing is seeded behind anybody; put back, it goes on', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  real.git('shop', 'update-ref', '-d', MAIN);
  const third = await world.commit('shop');
  const stalled = await world.until('the stall', isStalled('RemoteGone'));
  assert.ok(stalled.type === 'stalled');
  assert.match(stalled.message, /its whole history is safe here/);
  assert.match(stalled.message, /kubekeeper verify --repair shop/);
  assert.equal(real.git('shop', 'for-each-ref'), '');
  real.git('shop', 'update-ref', MAIN, second);
  await world.until('it to go on', isResumed);
  assert.equal(real.ref('shop', MAIN), third);
});

test('the repository was deleted and made anew: empty, it waits for a word; confirmed, it is filled with the whole history', async () => {
  const { real, world } = await started({ repositories: ['shop', 'cart'] });
  await using _real = real;
  real.server.removeRepository('ops/prod-shop');
  const third = await world.commit('shop');
  await world.until('the stall', isStalled('RemoteGone'));
  const healthy = await world.commit('cart');
  await world.until('another one', (outcome) => outcome.type === 'pushed' && outcome.id === healthy);
  real.server.createRepository('ops/prod-shop');
  const looked = real.server.requests.length;
  while (real.server.requests.slice(looked).filter(({ path }) => path.includes('shop')).length < 2) {
    await real.server.arrival();
  }
  assert.equal(real.git('shop', 'for-each-ref'), '', 'an empty repository is not filled without a word');
  const { reseedRemote } = await import('../../controller/archive/publish-reseed.ts');
  await reseedRemote(real.repository());
  await world.until('it to go on', isResumed);
  assert.equal(real.ref('shop', MAIN), third);
  assert.equal(real.git('shop', 'rev-list', '--count', 'main'), '3');
  real.fsck('shop');
});

test('a remote that somebody else had filled before us is left as it is; emptied, it is ours', async () => {
  const real = await RealWorld.start();
  await using _real = real;
  using ada = await real.clone('shop');
  const theirs = await ada.init({ 'README.md': '# a project\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  real.world.publisher.start([]);
  const first = await real.world.commit('shop');
  const stalled = await real.world.until('the stall', isStalled('RemoteDiverged'));
  assert.ok(stalled.type === 'stalled');
  assert.match(stalled.message, /delete main there if it may go/);
  assert.equal(real.ref('shop', MAIN), theirs);
  assert.equal(real.ref('shop', SIDE), first);
  real.git('shop', 'update-ref', '-d', MAIN);
  await real.world.until('it to go on', isResumed);
  assert.equal(real.ref('shop', MAIN), first);
});

test('tags and notes are pushed with their commits; a tag that means something else there is left alone and told', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  const repository = real.repository();
  const by = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };
  await repository.tag('good/one', { target: second, message: 'known good\n', tagger: by, time: new Date() });
  await repository.note(second, 'data: ready\n', { author: by, time: new Date() });
  const from = world.outcomes.length;
  world.publisher.mark('shop');
  await world.until('the push', (outcome) => outcome.type === 'pushed', { from });
  assert.equal(real.git('shop', 'cat-file', '-t', 'good/one'), 'tag');
  assert.equal(real.git('shop', 'rev-parse', 'good/one^{commit}'), second);
  assert.equal(real.git('shop', 'notes', '--ref=data', 'show', second), 'data: ready');
  real.git('shop', 'tag', 'good/two', `${second}~1`);
  await repository.tag('good/two', { target: second, message: 'another\n', tagger: by, time: new Date() });
  const third = await world.commit('shop');
  await world.until('the commit', (outcome) => outcome.type === 'pushed' && outcome.id === third);
  await world.until('the word', (outcome) => outcome.type === 'push-failed');
  assert.match(world.of('push-failed')[0]?.reason ?? '', /The tag good\/two means another commit/);
  assert.equal(real.git('shop', 'rev-parse', 'good/two'), real.git('shop', 'rev-parse', `${second}~1`));
});

test('notes that somebody else rewrote are left alone, and ours go beside them', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  real.git(
    'shop',
    '-c',
    'user.name=x',
    '-c',
    'user.email=x@example.com',
    'notes',
    '--ref=data',
    'add',
    '-m',
    'theirs',
    second,
  );
  const theirs = real.ref('shop', 'refs/notes/data');
  const by = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };
  await real.repository().note(second, 'ours\n', { author: by, time: new Date() });
  const from = world.outcomes.length;
  world.publisher.mark('shop');
  await world.until('the push', (outcome) => outcome.type === 'pushed', { from });
  assert.equal(real.ref('shop', 'refs/notes/data'), theirs);
  assert.equal(real.git('shop', 'notes', '--ref=data-from-prod', 'show', second), 'ours');
});

test('a side branch that may not be deleted there (it is the default) does not hold up main', async () => {
  const { real, world, second } = await started();
  await using _real = real;
  using ada = await real.clone('shop');
  await ada.commit('by hand', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  await world.commit('shop');
  await world.until('the stall', isStalled('RemoteDiverged'));
  real.git('shop', 'symbolic-ref', 'HEAD', SIDE);
  real.git('shop', 'update-ref', MAIN, second);
  await world.until('it to go on', isResumed);
  assert.equal(real.ref('shop', MAIN), real.repository().head);
  assert.ok(real.ref('shop', SIDE));
});
