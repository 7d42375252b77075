import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsePlanHash } from '../../controller/core/restore/render-plan.ts';
import { KeeperError } from '../../controller/errors.ts';
import { openProposalRecords } from '../../controller/git/proposal-records.ts';
import type { Proposed } from '../../controller/restore/propose.ts';
import { assertHides } from '../forge/forge-contract.ts';
import { type Gitea, startGitea } from '../forge/gitea.ts';
import { ProposeWorld } from './propose-world.ts';

/** Restoring by pull request, on a real Gitea: proposed, reviewed, merged, applied once and told; anything else is refused. */

let gitea: Gitea;
let token: string;

before(async () => {
  gitea = await startGitea();
  const [ann] = [await gitea.createUser('ann'), await gitea.createUser('bob')];
  await gitea.createOrganization('ops', ['ann', 'bob']);
  token = await ann.createToken('write:repository', 'write:issue', 'write:organization', 'read:user');
});

after(() => gitea[Symbol.asyncDispose]());

/** `app` was changed, `extra` deleted and `later` made since the restore point. */
async function started() {
  const world = await ProposeWorld.start(gitea, token);
  const point = await world.archive({ app: 'a 1', extra: 'e 1', same: 's 1' });
  const head = await world.archive({ app: 'b 2', extra: undefined, later: 'l 1' });
  return { world, point, head };
}

async function proposed(world: ProposeWorld, point: string, prune = false): Promise<Proposed> {
  const one = await world.propose(await world.planTo(point, { prune }));
  assert.ok(one !== undefined);
  return one;
}

/** By somebody with a clone, on top of the branch. */
async function pushOnto(world: ProposeWorld, branch: string, files: Record<string, string>, message = 'by hand') {
  await world.person.git('fetch', '--quiet', 'origin');
  await world.person.git('checkout', '--quiet', '-B', branch, `origin/${branch}`);
  const id = await world.person.commit(message, files);
  await world.person.git('push', '--quiet', 'origin', branch);
  await world.people.untilSeen(branch, id);
  return id;
}

async function outcomeOf(world: ProposeWorld, number: number): Promise<string> {
  const { comments } = await world.people.look(number);
  assert.equal(comments.length, 1, comments.join('\n---\n'));
  return comments[0] as string;
}

test('a proposal is one commit on main with the files of the restore point, and a pull request with the plan; ours stay as they are', async () => {
  const { world, point, head } = await started();
  await using _world = world;
  const [refs, left] = [world.git('for-each-ref'), world.left()];
  const plan = await world.planTo(point, { prune: true });
  const one = await world.propose(plan);
  assert.ok(one !== undefined && !one.isKnown);
  assert.equal(one.branch, `kubekeeper/restore/${plan.hash.slice(0, 12)}`);
  await world.person.git('fetch', '--quiet', 'origin');
  const git = async (...args: string[]) => (await world.person.git(...args)).trim();
  assert.equal(await git('rev-parse', `${one.commit}^`), head);
  assert.equal(await git('rev-parse', `${one.commit}^{tree}`), world.git('rev-parse', `${point}^{tree}`));
  assert.match(
    await git('log', '-1', '--format=%s', one.commit),
    /^restore shop-\w+ to good\/1: 1 to create, 1 to update, 1 to delete$/,
  );
  assert.equal(await git('log', '-1', '--format=%(trailers:key=Restore-To,valueonly)', one.commit), point);
  assert.equal(await git('log', '-1', '--format=%(trailers:key=Plan,valueonly)', one.commit), plan.hash);
  const [pull] = await world.pulls.find(world.remote.place(world.name), { prefix: one.branch, state: 'open' }, {});
  assert.equal(parsePlanHash(pull?.body ?? ''), plan.hash);
  assert.equal(pull?.head, one.commit);
  assert.doesNotMatch(pull?.body ?? '', /@everybody/, 'nobody is called');
  assert.equal(world.git('for-each-ref'), refs);
  assert.deepEqual(world.left(), left);
});

test('the same plan again is the same pull request, also when the first try ended between branch and pull request', async () => {
  const { world, point } = await started();
  await using _world = world;
  const plan = await world.planTo(point);
  const lost = new KeeperError('gone', { kind: 'transient', code: 'REMOTE_UNREACHABLE' });
  const cut = { ...world.pulls, open: () => Promise.reject(lost) };
  await assert.rejects(world.propose(plan, cut), (error) => error === lost);
  const first = await world.propose(plan);
  const second = await world.propose(plan);
  assert.deepEqual(second, { ...first, isKnown: true });
});

test('without prune what is not in the restore point stays, and of single fields only these change', async () => {
  const { world, point } = await started();
  await using _world = world;
  const { commit } = await proposed(world, point);
  await world.person.git('fetch', '--quiet', 'origin');
  const files = await world.person.git('ls-tree', '-r', '--name-only', commit, 'configmaps');
  assert.deepEqual(
    files
      .trim()
      .split('\n')
      .map((path) => path.slice(11, -5)),
    ['app', 'extra', 'later', 'same'],
  );
  const plan = await world.planTo(point, { fields: ['/data/text'], objects: ['configmaps/app'] });
  const steps = plan.steps.filter(({ action }) => action === 'update');
  const fields = await world.propose({ ...plan, steps });
  await world.person.git('fetch', '--quiet', 'origin');
  const changed = await world.person.git('show', `${fields?.commit}:configmaps/app.json`);
  assert.deepEqual(JSON.parse(changed).data, { text: 'a 1', kept: 'b' });
});

test('nothing to do is no proposal, and a plan into another namespace is none either', async () => {
  const { world, point, head } = await started();
  await using _world = world;
  assert.equal(await world.propose(await world.planTo(head)), undefined);
  const plan = await world.planTo(point);
  const elsewhere = { ...plan, target: { ...plan.target, namespace: 'other' } };
  await assert.rejects(world.propose(elsewhere), { code: 'USAGE_INVALID' });
});

test('a branch of that name with something else is left alone', async () => {
  const { world, point } = await started();
  await using _world = world;
  const plan = await world.planTo(point);
  const branch = `kubekeeper/restore/${plan.hash.slice(0, 12)}`;
  await world.person.git('fetch', '--quiet', 'origin');
  await world.person.git('checkout', '--quiet', '-B', branch, 'origin/main');
  const theirs = await world.person.commit('mine', { 'notes.txt': 'hello\n' });
  await world.person.git('push', '--quiet', 'origin', branch);
  await assert.rejects(world.propose(plan), { code: 'REMOTE_DIVERGED' });
  assert.match(await world.person.git('ls-remote', 'origin', branch), new RegExp(theirs));
});

for (const how of ['merge', 'squash', 'rebase'] as const) {
  test(`merged by ${how} while main went on: applied once, told once, also with another disk`, async () => {
    const { world, point } = await started();
    await using _world = world;
    const { number, commit } = await proposed(world, point);
    assert.deepEqual(await world.applyMerged(), [], 'it is not merged');
    await world.people.review(number, 'bob', 'approved');
    // The same as another window that closes meanwhile; it is about nothing that is restored.
    await world.archive({ other: 'o 1' });
    await world.people.merge(number, 'bob', how, { removeBranch: true });
    const [outcome, ...more] = await world.applyMerged({}, true);
    assert.deepEqual(
      [outcome?.result, outcome?.words, more.length],
      ['applied', 'restored 2 objects, equal', 0],
      commit,
    );
    assert.match(await outcomeOf(world, number), /^\*\*Applied\*\*: restored 2 objects, equal/);
    assert.deepEqual(await world.applyMerged({}, true), []);
    const { rm } = await import('node:fs/promises');
    await rm(`${world.data}/restores`, { recursive: true });
    assert.deepEqual(await world.applyMerged({}, true), [], 'the comment says it where the record is lost');
    assert.equal(world.applied, 1);
    await outcomeOf(world, number);
  });
}

/** Each merges and answers what must be said. */
const REFUSED: Readonly<Record<string, (world: ProposeWorld, one: Proposed, point: string) => Promise<RegExp>>> = {
  'changed after the approval': async (world, { number, branch }) => {
    await world.people.review(number, 'bob', 'approved');
    await pushOnto(world, branch, { 'notes.txt': 'hello\n' });
    await world.people.merge(number, 'bob', 'merge');
    return /the branch was changed after bob had approved it; nothing was changed, propose it again/;
  },
  'with a file more': async (world, { number, branch }) => {
    await pushOnto(world, branch, { 'notes.txt': 'hello\n' });
    await world.people.merge(number, 'bob', 'squash');
    return /the last commit of the branch is none that kubekeeper proposed/;
  },
  'with another content under the words of the proposal': async (world, { number, branch }) => {
    await world.person.git('fetch', '--quiet', 'origin');
    await world.person.git('checkout', '--quiet', '-B', branch, `origin/${branch}`);
    const text = await world.person.git('show', `origin/${branch}:configmaps/app.json`);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${world.person.directory}/configmaps/app.json`, text.replace('a 1', 'evil'));
    await world.person.git('commit', '--quiet', '--all', '--amend', '--no-edit');
    await world.person.git('push', '--quiet', '--force', 'origin', branch);
    await world.people.untilSeen(branch, (await world.person.git('rev-parse', 'HEAD')).trim());
    await world.people.review(number, 'bob', 'approved');
    await world.people.merge(number, 'bob', 'merge');
    return /the branch holds other files than its plan would write/;
  },
  'after the live state moved': async (world, { number }) => {
    await world.people.merge(number, 'bob', 'merge');
    world.drift = 'moved';
    return /the plan does not fit any more, since the live state moved or other rights apply: it is now 1 to create, 1 to update/;
  },
  'after a file of it was archived anew': async (world, { number }) => {
    await world.people.merge(number, 'bob', 'merge');
    await world.rearchive({ app: 'c 3' });
    return /the live state of configmaps\/app.json moved after it was proposed/;
  },
  'with the text of another plan': async (world, { number }) => {
    await world.people.rewrite(number, `Plan: ${'0'.repeat(64)}\n`);
    await world.people.merge(number, 'bob', 'merge');
    return /the text of the pull request names another plan than the branch/;
  },
};

for (const [what, merge] of Object.entries(REFUSED)) {
  test(`${what} it is refused, told once, and nothing is applied`, async () => {
    const { world, point } = await started();
    await using _world = world;
    const one = await proposed(world, point);
    const words = await merge(world, one, point);
    const outcomes = await world.applyMerged();
    assert.deepEqual(
      outcomes.map(({ number, result }) => [number, result]),
      [[one.number, 'refused']],
    );
    assert.match(outcomes[0]?.words ?? '', words);
    assert.match(await outcomeOf(world, one.number), /^\*\*Not applied\*\*/);
    assert.deepEqual(await world.applyMerged(), []);
    assert.deepEqual([world.applied, world.secured], [0, 0]);
    await outcomeOf(world, one.number);
  });
}

test('where an approval is asked for, a merge without one is refused', async () => {
  const { world, point } = await started();
  await using _world = world;
  const { number } = await proposed(world, point);
  await world.people.merge(number, 'bob', 'merge');
  const [outcome] = await world.applyMerged({}, true);
  assert.match(outcome?.words ?? '', /nobody has approved it/);
});

test('one that is closed, or of another branch, is nothing to us', async () => {
  const { world, point } = await started();
  await using _world = world;
  const { number } = await proposed(world, point);
  await world.people.close(number);
  assert.deepEqual(await world.applyMerged(), []);
});

test('killed after it was applied: it is told by the next run and not applied again; a lost answer is no second comment', async () => {
  const { world, point } = await started();
  await using _world = world;
  const { number } = await proposed(world, point);
  await world.people.merge(number, 'bob', 'merge');
  const lost = new KeeperError('gone', { kind: 'transient', code: 'REMOTE_UNREACHABLE' });
  const mute = { ...world.pulls, comment: () => Promise.reject(lost) };
  assert.deepEqual(
    (await world.applyMerged({ pulls: mute })).map(({ result }) => result),
    ['failed'],
  );
  const cut: typeof world.pulls = {
    ...world.pulls,
    comment: async (...args) => {
      await world.pulls.comment(...args);
      throw lost;
    },
  };
  assert.deepEqual(
    (await world.applyMerged({ pulls: cut })).map(({ result }) => result),
    ['failed'],
  );
  const last = await world.applyMerged();
  assert.deepEqual(
    last.map(({ result, words }) => [result, words]),
    [['applied', 'restored 2 objects, equal']],
  );
  assert.equal(world.applied, 1);
  await outcomeOf(world, number);
});

test('killed while it was applied: the restore that was begun is ended, and a begun one without a restore begins anew', async () => {
  const { world, point } = await started();
  await using _world = world;
  const first = await proposed(world, point);
  await world.people.merge(first.number, 'bob', 'merge');
  const killed = new Error('killed');
  const plan = await world.planTo(point);
  const dispose = { secure: async () => plan, [Symbol.asyncDispose]: async () => undefined };
  const dying = async () => ({ plan, apply: () => Promise.reject(killed), ...dispose });
  await assert.rejects(world.applyMerged({ planAgain: dying }), (error) => error === killed);
  await assert.rejects(world.applyMerged({ planAgain: dying, resume: async () => undefined }), (e) => e === killed);
  const [outcome] = await world.applyMerged();
  assert.deepEqual([outcome?.result, world.resumed, world.applied], ['applied', 1, 0]);
  assert.match(await outcomeOf(world, first.number), /restored 1 object, equal/);
});

test('a repository that is not at the remote is named, and holds up no other one', async () => {
  const { world, point } = await started();
  await using _world = world;
  const { number } = await proposed(world, point);
  await world.people.merge(number, 'bob', 'merge');
  const outcomes = await world.applyMerged({}, false, ['missing', world.name]);
  assert.deepEqual(
    outcomes.map(({ repository, result }) => [repository, result]),
    [
      ['missing', 'failed'],
      [world.name, 'applied'],
    ],
  );
});

test('two processes never apply at once', async () => {
  const { world } = await started();
  await using _world = world;
  await using _records = await openProposalRecords(world.data);
  await assert.rejects(world.applyMerged(), { code: 'DATA_DIRECTORY_IN_USE' });
});

test('a token that is not taken is in no error', async () => {
  const { world, point } = await started();
  await using _world = world;
  const secret = 'canary0proposing0token';
  const stranger = await ProposeWorld.start(gitea, secret).then(
    () => assert.fail('it was let in'),
    (error: unknown) => error,
  );
  assertHides(stranger, [secret]);
  const plan = await world.planTo(point);
  const broken = { ...world.pulls, open: () => Promise.reject(stranger) };
  const error = await world.propose(plan, broken).catch((reason: unknown) => reason);
  assertHides(error, [secret, token]);
});
