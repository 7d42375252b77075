import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCredentials } from '../../controller/forge/credentials.ts';
import { githubAddress } from '../../controller/forge/github-address.ts';
import { openForge } from '../../controller/forge/open-forge.ts';
import { createAuthority } from '../cluster/certificates.ts';
import { startProxy } from './connect-proxy.ts';
import { placeIn, refusalOf } from './forge-contract.ts';
import { type GithubLayout, startGithubServer } from './github-server.ts';
import { HandClock, rsaKey } from './keys.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The checking server with an App that is installed in `ops`, and what its keys are. */
async function startWorld(layout: GithubLayout = 'enterprise') {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startGithubServer(layout));
  const proxy = stack.use(await startProxy(server.port));
  const clock = new HandClock();
  server.state.now = () => clock.now;
  server.state.organizations.set('ops', []);
  const origin = layout === 'github.com' ? 'https://github.com' : `https://127.0.0.1:${server.port}`;
  const privateKey = server.state.appKey.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const keys = {
    githubAppID: server.state.appId,
    githubAppInstallationID: `${server.state.installationId}`,
    githubAppPrivateKey: privateKey,
  };
  const way = { ca: server.authority, proxyFor: () => (layout === 'github.com' ? proxy.url : undefined) };
  const open = (values: Record<string, string> | (() => Record<string, string>) = keys, owner?: string) => {
    const read = async () => (typeof values === 'function' ? values() : values);
    return openCredentials({
      from: { secret: 'ops/git', read },
      origin,
      clock,
      ...way,
      ...(owner === undefined ? {} : { owner }),
    });
  };
  const held = stack.move();
  const lines = privateKey.split('\n').filter((line) => line.length > 40);
  return {
    server,
    proxy,
    state: server.state,
    clock,
    origin,
    keys,
    way,
    open,
    lines,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function tokenOf(credentials: ReturnType<typeof openCredentials>, renew = false): Promise<string> {
  const credential = await credentials.get({ renew });
  assert.equal(credential?.kind, 'token');
  return (credential as { token: string }).token;
}

for (const layout of ['github.com', 'enterprise'] as const) {
  test(`an App makes a repository by a token that it got for its signature (${layout})`, async () => {
    await using world = await startWorld(layout);
    await using credentials = world.open();
    await using forge = await openForge({ kind: 'auto', origin: world.origin, credentials, ...world.way });
    const place = placeIn(world.origin, 'ops', 'prod-shop');
    assert.equal(await forge?.create(place, {}), 'created');
    assert.equal(world.state.repositories.get('ops/prod-shop')?.isPrivate, true);
    assert.equal(world.state.tokensGiven, 1);
    assert.deepEqual(world.server.violations, []);
    if (layout === 'github.com') assert.deepEqual([...new Set(world.proxy.asked)], ['api.github.com:443']);
  });
}

test('a hundred who ask at once get one token, which serves until five minutes before its end', async () => {
  await using world = await startWorld();
  await using credentials = world.open();
  const tokens = await Promise.all(Array.from({ length: 100 }, () => tokenOf(credentials)));
  assert.deepEqual([new Set(tokens).size, world.state.tokensGiven], [1, 1]);
  world.clock.pass(HOUR_MS - 5 * MINUTE_MS - 1000);
  assert.equal(await tokenOf(credentials), tokens[0]);
  world.clock.pass(2000);
  assert.notEqual(await tokenOf(credentials), tokens[0]);
  assert.equal(world.state.tokensGiven, 2);
  assert.deepEqual(world.server.violations, []);
});

test('a token that was refused is asked for anew, once for all who were refused', async () => {
  await using world = await startWorld();
  await using credentials = world.open();
  const first = await tokenOf(credentials);
  world.clock.pass(10_000);
  const renewed = await Promise.all(Array.from({ length: 20 }, () => tokenOf(credentials, true)));
  assert.equal(new Set(renewed).size, 1);
  assert.notEqual(renewed[0], first);
  assert.equal(world.state.tokensGiven, 2);
});

test('a clock that jumps by a day does not end a token early nor let it live on', async () => {
  await using world = await startWorld();
  await using credentials = world.open();
  const first = await tokenOf(credentials);
  for (const day of [24 * HOUR_MS, -48 * HOUR_MS]) {
    world.clock.now += day;
    assert.equal(await tokenOf(credentials), first);
  }
  world.clock.now += 24 * HOUR_MS;
  world.clock.pass(HOUR_MS);
  assert.notEqual(await tokenOf(credentials), first);
});

test('a machine whose clock is wrong is told so', async () => {
  await using world = await startWorld();
  const { now } = world.clock;
  for (const hour of [HOUR_MS, -HOUR_MS]) {
    world.state.now = () => now + hour;
    await using credentials = world.open();
    const error = await refusalOf(credentials.get(), {
      code: 'REMOTE_CREDENTIALS_REFUSED',
      kind: 'stalled',
      secrets: world.lines,
    });
    assert.match(error.message, /check githubAppID, githubAppPrivateKey and the clock of this machine/);
  }
});

test('an App whose key, ID or installation GitHub does not know is told what to check', async () => {
  await using world = await startWorld();
  const otherKey = rsaKey();
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [
      { githubAppPrivateKey: otherKey },
      /\(401: A JSON web token could not be decoded\).*check githubAppID, githubAppPrivateKey/,
    ],
    [{ githubAppID: 'Iv1.8a61f9b3a7aba766' }, /App "Iv1\.8a61f9b3a7aba766" \(401: Integration not found\)/],
    [
      { githubAppInstallationID: '1' },
      /installation 1 of App "12345" \(404: Not Found\).*check githubAppInstallationID/,
    ],
  ];
  for (const [changed, words] of cases) {
    await using credentials = world.open({ ...world.keys, ...changed });
    const secrets = [...world.lines, ...otherKey.split('\n').filter((line) => line.length > 40)];
    const error = await refusalOf(credentials.get(), { code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled', secrets });
    assert.match(error.message, words);
  }
  world.server.next({ status: 403, body: { message: 'This installation has been suspended' } });
  await using suspended = world.open();
  const error = await refusalOf(suspended.get(), { code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled' });
  assert.match(error.message, /see whether the installation is suspended/);
});

test('an installation is found by its owner, an organization or a person, of the keys or else of the remote', async () => {
  await using world = await startWorld();
  const { githubAppInstallationID: _, ...keys } = world.keys;
  for (const [place, owner] of [
    ['orgs', 'ops'],
    ['users', 'ann'],
  ] as const) {
    world.state.installedIn = { place, owner };
    await using named = world.open({ ...keys, githubAppInstallationOwner: owner }, 'somebody');
    assert.match(await tokenOf(named), /^ghs_/);
    await using unnamed = world.open(keys, owner);
    assert.match(await tokenOf(unnamed), /^ghs_/);
  }
  await using stranger = world.open(keys, 'nobody');
  const error = await refusalOf(stranger.get(), { code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled' });
  assert.match(error.message, /App "12345" for "nobody" \(404/);
  await using ownerless = world.open(keys);
  const other = await refusalOf(ownerless.get(), { code: 'REMOTE_CREDENTIALS_INVALID', kind: 'stalled' });
  assert.match(other.message, /neither "githubAppInstallationID" nor "githubAppInstallationOwner" is there/);
  assert.deepEqual(world.server.violations, []);
});

test('keys that were replaced are used from the next reading on', async () => {
  await using world = await startWorld();
  let keys: Record<string, string> = world.keys;
  await using credentials = world.open(() => keys);
  const first = await tokenOf(credentials);
  keys = { token: 'ghp_plain' };
  assert.equal(await tokenOf(credentials), first, 'it was read a moment ago');
  world.clock.pass(MINUTE_MS);
  assert.equal(await tokenOf(credentials), 'ghp_plain');
  keys = { ...world.keys };
  world.clock.pass(MINUTE_MS);
  assert.notEqual(await tokenOf(credentials), first);
});

test('a GitHub that fails or says nonsense is tried again', async () => {
  await using world = await startWorld();
  await using credentials = world.open();
  for (const answer of [
    { status: 502, body: { message: 'Server Error' } },
    { status: 201, body: {} },
    { status: 201, body: { token: '', expires_at: '2030-01-01T00:00:00Z' } },
    { status: 201, body: { token: 'ghs_1', expires_at: 'soon' } },
  ]) {
    world.server.next(answer);
    await refusalOf(credentials.get(), { code: 'REMOTE_UNREACHABLE', kind: 'transient' });
  }
  assert.match(await tokenOf(credentials), /^ghs_/);
});

test("the authority of the keys' own ca.crt is trusted where none is configured, and no other", async () => {
  await using world = await startWorld();
  const { origin, clock } = world;
  const open = (keys: Record<string, string>) =>
    openCredentials({ from: { secret: 'ops/git', read: async () => keys }, origin, clock, proxyFor: () => undefined });
  await using trusting = open({ ...world.keys, 'ca.crt': world.server.authority });
  assert.match(await tokenOf(trusting), /^ghs_/);
  const before = world.server.requests.length;
  for (const keys of [world.keys, { ...world.keys, 'ca.crt': createAuthority('another').certificate }]) {
    await using credentials = open(keys);
    await refusalOf(credentials.get(), { code: 'REMOTE_UNTRUSTED', kind: 'stalled', secrets: world.lines });
  }
  assert.equal(world.server.requests.length, before);
});

test('the API of a GitHub lies where its name says, or where the keys say', async () => {
  assert.equal(githubAddress('https://github.com'), 'https://api.github.com');
  assert.equal(githubAddress('https://www.github.com'), 'https://api.github.com');
  assert.equal(githubAddress('https://octocorp.ghe.com'), 'https://api.octocorp.ghe.com');
  assert.equal(githubAddress('https://github.example.com:8443'), 'https://github.example.com:8443/api/v3');
  assert.equal(githubAddress('https://github.com.example'), 'https://github.com.example/api/v3');
  await using world = await startWorld();
  for (const key of ['githubAppBaseURL', 'githubAppEnterpriseBaseUrl']) {
    const keys = { ...world.keys, [key]: `${world.origin}/api/v3/` };
    const from = { secret: 'ops/git', read: async () => keys };
    await using credentials = openCredentials({
      from,
      origin: 'https://elsewhere.example',
      clock: world.clock,
      ...world.way,
    });
    assert.match(await tokenOf(credentials), /^ghs_/);
  }
});
