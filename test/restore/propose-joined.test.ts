import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../controller/core/outcome.ts';
import { EVERYTHING, type Plan } from '../../controller/core/restore/plan.ts';
import { renderProposal } from '../../controller/core/restore/proposal.ts';
import { RealWorld } from '../archive/real-remotes.ts';
import type { GitClient } from '../remote/git-client.ts';

/** A restore that was proposed and merged is no stranger's work to the archive, however it was merged; anything more is. */

const MAIN = 'refs/heads/main';
const BRANCH = 'kubekeeper/restore/0123456789ab';
const FILE = 'configmaps/app.json';

/** Two commits of ours at the remote; somebody else has a clone. */
async function started() {
  const real = await RealWorld.start();
  real.world.publisher.start([]);
  const first = await real.world.commit('shop');
  const second = await real.world.commit('shop');
  await pushed(real, second);
  return { real, first, second, ada: await real.clone('shop') };
}

async function pushed(real: RealWorld, id: string): Promise<void> {
  await real.world.until('the push', (outcome) => outcome.type === 'pushed' && outcome.id === id);
}

/** As kubekeeper proposes it, and pushed. */
async function propose(ada: GitClient, to: string, fields: readonly string[] = []): Promise<string> {
  const plan = { commit: to, hash: 'a'.repeat(64), selection: { ...EVERYTHING, fields } } as unknown as Plan;
  await ada.git('checkout', '--quiet', '-b', BRANCH);
  await ada.git('checkout', '--quiet', to, '--', FILE);
  await ada.git('commit', '--quiet', '-m', renderProposal('restore shop', plan));
  await ada.git('push', '--quiet', 'origin', BRANCH);
  const id = (await ada.git('rev-parse', 'HEAD')).trim();
  await ada.git('checkout', '--quiet', 'main');
  return id;
}

/** The next commit of ours leads to it that the remote is looked at. */
async function lookAgain(real: RealWorld): Promise<string> {
  const id = await real.world.commit('shop');
  await real.world.until('the next look', (outcome) => isPushedWith(real, outcome, id));
  return id;
}

async function stalled(real: RealWorld): Promise<void> {
  await real.world.commit('shop');
  await real.world.until('the stall', (outcome) => outcome.type === 'stalled' && outcome.reason === 'RemoteDiverged');
}

function isPushedWith(real: RealWorld, outcome: Outcome, id: string): boolean {
  return outcome.type === 'pushed' && isAncestor(real, id, outcome.id);
}

function isAncestor(real: RealWorld, ancestor: string, of: string): boolean {
  try {
    return real.git('shop', 'merge-base', ancestor, of) === ancestor;
  } catch {
    return false;
  }
}

const MERGES: Readonly<Record<string, (ada: GitClient) => Promise<unknown>>> = {
  'a merge commit': (ada) => ada.git('merge', '--quiet', '--no-ff', '-m', 'Merge pull request #1', BRANCH),
  'a squash': async (ada) => {
    await ada.git('merge', '--quiet', '--squash', BRANCH);
    await ada.git('commit', '--quiet', '-m', 'restored (#1)');
  },
  'a rebase': async (ada) => {
    await ada.git('cherry-pick', '--no-ff', BRANCH);
    await ada.git('commit', '--quiet', '--amend', '--no-edit', '--reset-author');
  },
  'a fast forward': (ada) => ada.git('merge', '--quiet', '--ff-only', BRANCH),
};

for (const [how, merge] of Object.entries(MERGES)) {
  test(`a proposal that was merged by ${how} is joined, and main goes on with the live state`, async () => {
    const { real, first, ada } = await started();
    await using _real = real;
    using _ada = ada;
    await propose(ada, first);
    await merge(ada);
    await ada.git('push', '--quiet', 'origin', 'main');
    const theirs = (await ada.git('rev-parse', 'main')).trim();
    const ours = await lookAgain(real);
    assert.deepEqual(real.world.of('stalled'), []);
    const main = real.ref('shop', MAIN) ?? '';
    assert.ok(isAncestor(real, theirs, main) && isAncestor(real, ours, main), 'both histories are kept');
    assert.equal(real.git('shop', 'rev-parse', `${main}^{tree}`), real.git('shop', 'rev-parse', `${ours}^{tree}`));
    assert.equal(real.repository().refs().size, [MAIN, 'tracking', 'proposed'].length, 'nothing foreign is kept apart');
    real.fsck('shop');
  });
}

test('the branch is gone after a squash: what was seen of it before is enough, and then it is forgotten', async () => {
  const { real, first, ada } = await started();
  await using _real = real;
  using _ada = ada;
  const proposal = await propose(ada, first);
  await lookAgain(real);
  const kept = `refs/kubekeeper/proposed/${proposal.slice(0, 12)}`;
  assert.equal(real.repository().ref(kept), proposal);
  await ada.git('pull', '--quiet', '--ff-only');
  await (MERGES['a squash'] as (ada: GitClient) => Promise<unknown>)(ada).catch(async () => {
    // Ours changed the same file meanwhile: the one who merges takes what was proposed.
    await ada.git('checkout', '--quiet', '--theirs', '--', FILE);
    await ada.commit('restored (#1)', {});
  });
  await ada.git('push', '--quiet', 'origin', 'main', `:refs/heads/${BRANCH}`);
  await lookAgain(real);
  assert.deepEqual(real.world.of('stalled'), []);
  const next = await real.world.commit('shop');
  await real.world.until('rest', (outcome) => isPushedWith(real, outcome, next));
  while (real.world.publisher.running > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(real.repository().ref(kept), undefined);
});

const STRANGERS: Readonly<Record<string, (ada: GitClient) => Promise<unknown>>> = {
  'a file more in the merge': async (ada) => {
    await ada.git('merge', '--quiet', '--no-ff', '--no-commit', BRANCH);
    await ada.commit('Merge pull request #1', { 'notes.txt': 'hello\n' });
  },
  'a commit beside it': async (ada) => {
    await ada.commit('by hand', { 'notes.txt': 'hello\n' });
    await ada.git('merge', '--quiet', '--no-ff', '-m', 'Merge pull request #1', BRANCH);
  },
  'another content in it': async (ada) => {
    await ada.git('merge', '--quiet', '--no-ff', '--no-commit', BRANCH);
    await ada.commit('Merge pull request #1', { [FILE]: '{"change":"mine"}\n' });
  },
};

for (const [what, merge] of Object.entries(STRANGERS)) {
  test(`${what} is somebody's own work: ours go to a side branch, and a person decides`, async () => {
    const { real, first, ada } = await started();
    await using _real = real;
    using _ada = ada;
    await propose(ada, first);
    await merge(ada);
    await ada.git('push', '--quiet', 'origin', 'main');
    const theirs = (await ada.git('rev-parse', 'main')).trim();
    await stalled(real);
    assert.equal(real.ref('shop', MAIN), theirs);
  });
}

test('a commit that only says that it restores, with files that no restore point of ours has, is a stranger', async () => {
  const { real, first, ada } = await started();
  await using _real = real;
  using _ada = ada;
  const plan = { commit: first, hash: 'a'.repeat(64), selection: EVERYTHING } as unknown as Plan;
  await ada.commit(renderProposal('restore shop', plan), { [FILE]: '{"change":"mine"}\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  await stalled(real);
});
