import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openForge } from '../../controller/forge/open-forge.ts';
import { startProxy } from './connect-proxy.ts';
import { placeIn, refusalOf, ScriptedCredentials } from './forge-contract.ts';
import type { GithubPull } from './github-pulls.ts';
import { type GithubLayout, type GithubServer, startGithubServer } from './github-server.ts';
import { type PullWorld, testPullRequests } from './pull-requests-contract.ts';

const PATH = 'ops/prod-shop';

async function startWorld(layout: GithubLayout): Promise<PullWorld & { readonly server: GithubServer }> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGithubServer(layout));
  const proxy = stack.use(await startProxy(server.port));
  const { state } = server;
  const origin = layout === 'github.com' ? 'https://github.com' : `https://127.0.0.1:${server.port}`;
  state.organizations.set('ops', ['ann', 'bob']);
  state.repositories.set(PATH, { isPrivate: true, description: '', isPushed: true });
  state.branches.set(`${PATH}:main`, commit());
  const pullOf = (number: number): GithubPull => {
    const pull = state.pullsOf(PATH)[number - 1];
    assert.ok(pull !== undefined);
    return pull;
  };
  const held = stack.move();
  return {
    server,
    tokens: {
      ann: state.addToken({ login: 'ann', kind: 'classic', scopes: ['repo'] }),
      cleo: state.addToken({ login: 'cleo', kind: 'classic', scopes: ['repo'] }),
      withoutScope: state.addToken({ login: 'ann', kind: 'classic', scopes: ['read:org'] }),
    },
    scope: /give the token the scope "repo"/,
    place: placeIn(origin, 'ops', 'prod-shop'),
    open: (credentials) =>
      openForge({
        kind: 'auto',
        origin,
        credentials,
        ca: server.authority,
        proxyFor: () => (layout === 'github.com' ? proxy.url : undefined),
      }),
    push: async (branch) => {
      const id = commit();
      state.branches.set(`${PATH}:${branch}`, id);
      for (const pull of state.pullsOf(PATH)) {
        if (pull.head.ref === branch && pull.state === 'open') pull.head.sha = id;
      }
      return id;
    },
    pushAll: async (branches) => {
      for (const branch of branches) state.branches.set(`${PATH}:${branch}`, commit());
    },
    review: async (number, verdict) => {
      const said = { approved: 'APPROVED', 'changes-requested': 'CHANGES_REQUESTED', comment: 'COMMENTED' } as const;
      const { reviews, head } = pullOf(number);
      reviews.push({ by: 'bob', state: said[verdict], commit_id: head.sha });
    },
    dismiss: async (number) => {
      for (const review of pullOf(number).reviews) review.state = 'DISMISSED';
    },
    merge: async (number, _how, options) => {
      const pull = pullOf(number);
      const id = commit();
      Object.assign(pull, { state: 'closed', merge_commit_sha: id, merged: { at: '2026-01-01T00:00:00Z', by: 'bob' } });
      state.branches.set(`${PATH}:main`, id);
      if (options?.removeBranch === true) state.branches.delete(`${PATH}:${pull.head.ref}`);
      return id;
    },
    close: async (number) => {
      pullOf(number).state = 'closed';
    },
    comment: async (number, body) => void pullOf(number).comments.push({ by: 'bob', type: 'User', body }),
    check: () => assert.deepEqual(server.violations, []),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function commit(): string {
  return randomBytes(20).toString('hex');
}

testPullRequests('GitHub', () => startWorld('github.com'));
testPullRequests('GitHub Enterprise', () => startWorld('enterprise'));

test('an App does not know its own name: what a person wrote is not its own, what a bot wrote may be', async () => {
  await using world = await startWorld('github.com');
  const { state } = world.server;
  const token = state.addToken({ login: 'ann', kind: 'installation' });
  await using forge = await world.open(new ScriptedCredentials(token));
  await world.push('kubekeeper/restore/x');
  const request = { title: 'restore', body: '', head: 'kubekeeper/restore/x', base: 'main' };
  const { number } = (await forge?.pullRequests.open(world.place, request, {})) ?? { number: 0 };
  await forge?.pullRequests.comment(world.place, number, 'Applied', {});
  await world.comment(number, 'Applied too');
  const comments = await forge?.pullRequests.comments(world.place, number, {});
  assert.deepEqual(
    comments?.map(({ isOurs }) => isOurs),
    [undefined, false],
  );
  world.check();
});

test('a fine-grained token without the permission is told which one', async () => {
  await using world = await startWorld('github.com');
  const token = world.server.state.addToken({ login: 'ann', kind: 'fine-grained', lacks: 'pull_requests=write' });
  await using forge = await world.open(new ScriptedCredentials(token));
  const request = { title: 'restore', body: '', head: 'kubekeeper/restore/x', base: 'main' };
  const work = forge?.pullRequests.open(world.place, request, {}) ?? Promise.resolve();
  const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled', secrets: [token] });
  assert.match(error.message, /the permission pull_requests=write/);
});
