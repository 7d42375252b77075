import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OpenForge, openForge } from '../../controller/forge/open-forge.ts';
import { type ConnectProxy, startProxy } from './connect-proxy.ts';
import { type ForgeWorld, placeIn, refusalOf, ScriptedCredentials, testForge } from './forge-contract.ts';
import { type GithubLayout, type GithubServer, startGithubServer } from './github-server.ts';

/** The checking server, reached as github.com through a proxy that leads there, or as an Enterprise server. */
interface GithubWorld extends ForgeWorld {
  readonly server: GithubServer;
  readonly proxy: ConnectProxy;
}

async function startWorld(layout: GithubLayout, kind: 'auto' | 'github' = 'auto'): Promise<GithubWorld> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGithubServer(layout));
  const proxy = stack.use(await startProxy(server.port));
  const { state } = server;
  const origin = layout === 'github.com' ? 'https://github.com' : `https://127.0.0.1:${server.port}`;
  state.organizations.set('ops', ['ann']);
  const held = stack.move();
  return {
    kind: 'github',
    server,
    proxy,
    origin,
    tokens: {
      ann: state.addToken({ login: 'ann', kind: 'classic', scopes: ['repo', 'read:org'] }),
      bob: state.addToken({ login: 'bob', kind: 'classic', scopes: ['repo'] }),
      withoutScope: state.addToken({ login: 'ann', kind: 'classic', scopes: ['read:org'] }),
    },
    scope: /give the token the scope "repo"/,
    open: (credentials) =>
      openForge({
        kind,
        origin,
        credentials,
        ca: server.authority,
        proxyFor: () => (layout === 'github.com' ? proxy.url : undefined),
      }),
    look: async (owner, name) => {
      const found = state.repositories.get(`${owner}/${name}`);
      if (found === undefined) return undefined;
      const { isPrivate, isPushed, description, protection } = found;
      return { isPrivate, isEmpty: !isPushed, description, allowsForcePush: protection?.allow_force_pushes ?? true };
    },
    push: async ({ owner, name }) => {
      const found = state.repositories.get(`${owner}/${name}`);
      if (found !== undefined) found.isPushed = true;
    },
    allowForcePushes: async (owner, name) => {
      const found = state.repositories.get(`${owner}/${name}`);
      if (found !== undefined) found.protection = { allow_force_pushes: true, allow_deletions: false };
    },
    check: () => assert.deepEqual(server.violations, []),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

testForge('GitHub', () => startWorld('github.com'));
testForge('GitHub Enterprise', () => startWorld('enterprise'));

test('of github.com nothing but api.github.com is asked, and a server that is named GitHub is not asked what it is', async () => {
  await using world = await startWorld('github.com');
  await using forge = await openAs(world);
  assert.deepEqual(world.server.requests, []);
  await forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {});
  assert.deepEqual([...new Set(world.proxy.asked)], ['api.github.com:443']);
  await using enterprise = await startWorld('enterprise', 'github');
  await using _named = await openAs(enterprise);
  assert.deepEqual(enterprise.server.requests, []);
});

test('a fine-grained token or an App without the permission is told which one', async () => {
  await using world = await startWorld('github.com');
  const token = world.server.state.addToken({ login: 'ann', kind: 'fine-grained', lacks: 'administration=write' });
  await using forge = await openAs(world, token);
  const work = forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {});
  const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled', secrets: [token] });
  assert.match(error.message, /the permission administration=write/);
});

test('an installation of an App is no account: it makes repositories in its organization', async () => {
  await using world = await startWorld('github.com');
  const token = world.server.state.addToken({ login: 'ann', kind: 'installation' });
  await using forge = await openAs(world, token);
  assert.equal(await forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {}), 'created');
  world.check();
});

test('a plan without protected branches, and a branch that is not there yet, are no reason to fail', async () => {
  await using world = await startWorld('github.com');
  await using forge = await openAs(world);
  const place = placeIn(world.origin, 'ops', 'prod-shop');
  await forge.create(place, {});
  assert.equal(await forge.protect(place, {}), false, 'GitHub protects only what exists');
  await world.push(place, world.tokens.ann);
  world.server.state.hasProtection = false;
  assert.equal(await forge.protect(place, {}), false);
  world.check();
});

test('a 422 that is not about a name that is taken is a refusal in the words of GitHub', async () => {
  await using world = await startWorld('github.com');
  await using forge = await openAs(world);
  const errors = [{ resource: 'Repository', code: 'custom', field: 'name', message: 'name is a reserved word' }];
  world.server.next({ status: 200, body: { login: 'someone' } });
  world.server.next({ status: 422, body: { message: 'Repository creation failed.', errors } });
  const work = forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {});
  const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'stalled' });
  assert.match(error.message, /\(422: Repository creation failed\., name is a reserved word\)/);
});

test("GitHub's limits are waited for as long as it says", async () => {
  await using world = await startWorld('github.com');
  await using forge = await openAs(world);
  const now = Math.floor(Date.now() / 1000);
  const secondary = { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' };
  const spent = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${now + 600}` };
  const cases: readonly (readonly [number, object, Record<string, string>, number, number])[] = [
    [403, secondary, { 'retry-after': '90' }, 90_000, 90_000],
    [429, secondary, { 'retry-after': new Date((now + 120) * 1000).toUTCString() }, 110_000, 121_000],
    [403, { message: 'API rate limit exceeded for installation ID 1.' }, spent, 590_000, 601_000],
    [403, secondary, {}, 60_000, 60_000],
    [429, {}, {}, 60_000, 60_000],
    [403, secondary, { 'retry-after': '99999999' }, 3_600_000, 3_600_000],
  ];
  for (const [status, body, headers, least, most] of cases) {
    world.server.next({ status, body, headers });
    const work = forge.create(placeIn(world.origin, 'ops', 'prod-shop'), {});
    const error = await refusalOf(work, { code: 'REMOTE_REFUSED', kind: 'transient', secrets: [world.tokens.ann] });
    const wait = error.retryAfterMs ?? 0;
    assert.ok(least <= wait && wait <= most, `${wait} for ${status} ${JSON.stringify(headers)}`);
  }
});

test('what stands in the place of a password is a token to GitHub', async () => {
  await using world = await startWorld('github.com');
  const credential = { kind: 'basic', username: 'ann', password: world.tokens.ann } as const;
  await using forge = await world.open(new ScriptedCredentials(credential));
  assert.equal(await forge?.create(placeIn(world.origin, 'ops', 'prod-shop'), {}), 'created');
  world.check();
});

async function openAs(world: GithubWorld, token = world.tokens.ann): Promise<OpenForge> {
  const forge = await world.open(new ScriptedCredentials(token));
  assert.ok(forge !== undefined);
  return forge;
}
