import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { CredentialSource, PullRequests } from '../../controller/core/ports.ts';
import type { RemotePlace } from '../../controller/core/remote.ts';
import type { OpenForge } from '../../controller/forge/open-forge.ts';
import { refusalOf, ScriptedCredentials } from './forge-contract.ts';

/** What the pull requests of every forge must do. */
export interface PullWorld extends AsyncDisposable {
  /** `ann` is a member and opens them, `bob` is one and reviews, `cleo` is nobody there. */
  readonly tokens: { readonly ann: string; readonly cleo: string; readonly withoutScope: string };
  /** What the refusal of a token without the scope must name. */
  readonly scope: RegExp;
  /** Has a branch `main`. */
  readonly place: RemotePlace;
  open(credentials: CredentialSource): Promise<OpenForge | undefined>;
  /** A branch from main with one commit; again: one commit more. Answers its commit. */
  push(branch: string): Promise<string>;
  /** Branches as new, with one commit each. */
  pushAll(branches: readonly string[]): Promise<void>;
  review(number: number, verdict: 'approved' | 'changes-requested' | 'comment'): Promise<void>;
  /** Takes back what bob said. */
  dismiss(number: number): Promise<void>;
  /** By bob. Answers what is the newest on main then. */
  merge(number: number, how: 'merge' | 'squash' | 'rebase', options?: { removeBranch: boolean }): Promise<string>;
  /** Without merging it. */
  close(number: number): Promise<void>;
  /** bob's words. */
  comment(number: number, body: string): Promise<void>;
  check(): void;
}

const PREFIX = 'kubekeeper/restore/';

export function testPullRequests(called: string, start: () => Promise<PullWorld>): void {
  const inWorld = (name: string, body: (world: PullWorld, pulls: PullRequests) => Promise<void>) =>
    test(`${called}: ${name}`, async () => {
      await using world = await start();
      await using forge = await world.open(new ScriptedCredentials(world.tokens.ann));
      assert.ok(forge !== undefined);
      await body(world, forge.pullRequests);
      world.check();
    });

  /** A branch and its pull request. */
  const opened = async (world: PullWorld, pulls: PullRequests, body = 'Plan') => {
    const branch = `${PREFIX}${randomBytes(4).toString('hex')}`;
    const head = await world.push(branch);
    const request = { title: 'restore shop', body, head: branch, base: 'main' };
    return { branch, head, request, ...(await pulls.open(world.place, request, {})) };
  };

  inWorld('a pull request is opened with its text and found by its branch', async (world, pulls) => {
    const body = '| a | b |\n| --- | --- |\n| &#64;&#8203;x | <code>1</code> |\n';
    const { branch, head, number, url } = await opened(world, pulls, body);
    assert.match(url, new RegExp(`^https://.*/${number}$`));
    const found = await pulls.find(world.place, { prefix: PREFIX, state: 'open' }, {});
    const expected = {
      number,
      url,
      state: 'open' as const,
      body,
      branch,
      head,
      base: 'main',
      mergeCommit: undefined,
    };
    assert.deepEqual(found, [expected]);
    assert.deepEqual(await pulls.find(world.place, { prefix: PREFIX, state: 'merged' }, {}), []);
    assert.deepEqual(await pulls.find(world.place, { prefix: 'another/', state: 'open' }, {}), []);
  });

  inWorld('one that is open already for the branch is as good', async (world, pulls) => {
    const { request, number, url } = await opened(world, pulls);
    assert.deepEqual(await pulls.open(world.place, request, {}), { number, url });
    assert.equal((await pulls.find(world.place, { prefix: PREFIX, state: 'open' }, {})).length, 1);
  });

  inWorld('more than one page of them is found', async (world, pulls) => {
    const branches = Array.from({ length: 12 }, (_, at) => `${PREFIX}many-${at}`);
    await world.pushAll(branches);
    const requests = branches.map((head) => ({ title: 'restore shop', body: 'Plan', head, base: 'main' }));
    const made = await Promise.all(requests.map((request) => pulls.open(world.place, request, {})));
    const numbers = made.map(({ number }) => number).sort((a, b) => a - b);
    const found = await pulls.find(world.place, { prefix: PREFIX, state: 'open' }, {});
    assert.deepEqual(
      found.map(({ number }) => number).sort((a, b) => a - b),
      numbers,
    );
  });

  for (const how of ['merge', 'squash', 'rebase'] as const) {
    inWorld(`merged by ${how}, also without its branch: the commit on main and its head`, async (world, pulls) => {
      const { branch, head, number } = await opened(world, pulls);
      const main = await world.merge(number, how, { removeBranch: true });
      const found = await pulls.find(world.place, { prefix: PREFIX, state: 'merged' }, {});
      assert.deepEqual(
        found.map((one) => [one.number, one.state, one.mergeCommit, one.branch, one.head]),
        [[number, 'merged', main, branch, head]],
      );
      assert.deepEqual(await pulls.find(world.place, { prefix: PREFIX, state: 'open' }, {}), []);
    });
  }

  inWorld('one that is closed without a merge is neither open nor merged', async (world, pulls) => {
    const { number } = await opened(world, pulls);
    await world.close(number);
    for (const state of ['open', 'merged'] as const) {
      assert.deepEqual(await pulls.find(world.place, { prefix: PREFIX, state }, {}), []);
    }
  });

  inWorld(
    'an approval stands at the commit that was looked at, and stays there when the branch moves',
    async (world, pulls) => {
      const { branch, head, number } = await opened(world, pulls);
      assert.deepEqual(await pulls.reviews(world.place, number, {}), []);
      await world.review(number, 'approved');
      await world.review(number, 'comment');
      const approval = { by: 'bob', verdict: 'approved', commit: head };
      assert.deepEqual(await pulls.reviews(world.place, number, {}), [approval]);
      const moved = await world.push(branch);
      const [open] = await pulls.find(world.place, { prefix: branch, state: 'open' }, {});
      assert.equal(open?.head, moved);
      assert.deepEqual(await pulls.reviews(world.place, number, {}), [approval]);
      await world.review(number, 'changes-requested');
      assert.deepEqual(await pulls.reviews(world.place, number, {}), [
        { by: 'bob', verdict: 'changes-requested', commit: moved },
      ]);
    },
  );

  inWorld('what was dismissed was not said', async (world, pulls) => {
    const { number } = await opened(world, pulls);
    await world.review(number, 'approved');
    await world.dismiss(number);
    assert.deepEqual(await pulls.reviews(world.place, number, {}), []);
  });

  inWorld('it is commented, and our own words are told from those of others', async (world, pulls) => {
    const { number } = await opened(world, pulls);
    await pulls.comment(world.place, number, 'Applied <!-- mark -->', {});
    await world.comment(number, 'Applied <!-- mark --> as well');
    assert.deepEqual(await pulls.comments(world.place, number, {}), [
      { isOurs: true, body: 'Applied <!-- mark -->' },
      { isOurs: false, body: 'Applied <!-- mark --> as well' },
    ]);
  });

  inWorld('who may not is told what is missing, without the token', async (world) => {
    for (const [token, words] of [
      [world.tokens.cleo, /the account needs the right to write there/],
      [world.tokens.withoutScope, world.scope],
    ] as const) {
      await using forge = await world.open(new ScriptedCredentials(token));
      const branch = `${PREFIX}${randomBytes(4).toString('hex')}`;
      await world.push(branch);
      const request = { title: 'restore shop', body: 'Plan', head: branch, base: 'main' };
      const work = forge?.pullRequests.open(world.place, request, {}) ?? Promise.resolve();
      const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled', secrets: [token] });
      assert.match(error.message, words);
      assert.match(error.message, /did not open a pull request in repository "ops\//);
    }
  });

  inWorld('a branch that is not there cannot be proposed', async (world, pulls) => {
    const request = { title: 'restore', body: '', head: `${PREFIX}missing`, base: 'main' };
    await refusalOf(pulls.open(world.place, request, {}), { code: 'REMOTE_REFUSED', kind: 'stalled' });
  });

  inWorld('who gives up gets their own reason', async (world, pulls) => {
    const reason = new Error('stopping');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(
      pulls.find(world.place, { prefix: PREFIX, state: 'open' }, { signal }),
      (error) => error === reason,
    );
  });
}
