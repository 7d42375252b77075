import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { CredentialSource } from '../../controller/core/ports.ts';
import { type CredentialOptions, openCredentials } from '../../controller/forge/credentials.ts';
import { openForge } from '../../controller/forge/open-forge.ts';
import { type ForgeWorld, placeIn, ScriptedCredentials, testForge } from './forge-contract.ts';
import { openPerson } from './git-person.ts';
import { type Gitea, startGitea } from './gitea.ts';
import { startGithubServer } from './github-server.ts';
import { KeyFolder } from './keys.ts';

let gitea: Gitea;
let people: { readonly ann: string; readonly bob: string; readonly withoutScope: string };

before(async () => {
  gitea = await startGitea();
  const [ann, bob] = [await gitea.createUser('ann'), await gitea.createUser('bob')];
  await gitea.createOrganization('ops', ['ann']);
  people = {
    ann: await ann.createToken('write:repository', 'write:organization', 'write:user'),
    bob: await bob.createToken(),
    withoutScope: await ann.createToken('read:repository'),
  };
});

after(() => gitea[Symbol.asyncDispose]());

/** One Gitea for all; each world begins without repositories. */
async function startWorld(): Promise<ForgeWorld> {
  return {
    kind: 'gitea',
    origin: gitea.origin,
    tokens: people,
    scope: /give the token the scopes "write:repository" and "write:organization"/,
    open: (credentials) => openHere(credentials),
    look,
    push: async (place, token) => {
      using person = await openPerson(gitea.authority, { kind: 'token', token });
      await person.git('push', '--quiet', place.url, 'main');
      await untilSeen(place.owner, place.name);
    },
    allowForcePushes: async (owner, name) => {
      const rule = { rule_name: 'main', enable_push: true, enable_force_push: true };
      assert.equal((await gitea.ask('POST', `/repos/${owner}/${name}/branch_protections`, rule)).status, 201);
    },
    check: () => undefined,
    [Symbol.asyncDispose]: async () => {
      const found = (await gitea.ask('GET', '/repos/search?limit=50')).body as {
        data: readonly { full_name: string }[];
      };
      for (const { full_name } of found.data) await gitea.ask('DELETE', `/repos/${full_name}`);
    },
  };
}

/** Gitea takes note of a push after it has answered. */
async function untilSeen(owner: string, name: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while ((await look(owner, name))?.isEmpty !== false) {
    assert.ok(performance.now() < deadline, 'the push was not noticed in 20 s');
    await wait(25);
  }
}

function openHere(credentials: CredentialSource) {
  const { origin, authority } = gitea;
  return openForge({ kind: 'auto', origin, credentials, ca: authority, proxyFor: () => undefined });
}

async function look(owner: string, name: string) {
  const { status, body } = await gitea.ask('GET', `/repos/${owner}/${name}`);
  if (status === 404) return undefined;
  const found = body as { private: boolean; empty: boolean; description: string };
  const rule = await gitea.ask('GET', `/repos/${owner}/${name}/branch_protections/main`);
  const allowsForcePush = rule.status === 404 || (rule.body as { enable_force_push: boolean }).enable_force_push;
  return { isPrivate: found.private, isEmpty: found.empty, description: found.description, allowsForcePush };
}

testForge('Gitea', startWorld);

test('to a protected main the real Git pushes on, with tags and notes, and can neither rewrite nor delete it', async () => {
  await using _world = await startWorld();
  const credential = { kind: 'token', token: people.ann } as const;
  await using forge = await openHere(new ScriptedCredentials(credential));
  const place = placeIn(gitea.origin, 'ops', 'prod-shop');
  using person = await openPerson(gitea.authority, credential);
  const push = (...args: readonly string[]) => person.git('push', '--quiet', '--atomic', place.url, ...args);
  assert.equal(await forge?.create(place, {}), 'created');
  const made = (await gitea.ask('GET', '/repos/ops/prod-shop')).body as { default_branch: string };
  assert.equal(made.default_branch, 'main', 'whatever the forge would have chosen');
  assert.equal(await forge?.protect(place, {}), true, 'before there is a branch');
  const first = (await person.git('rev-parse', 'HEAD')).trim();
  await push('main');

  const second = await person.commit('second', { 'a.json': '{"a":1}\n' });
  await person.git('tag', '-a', 'good/1', '-m', 'known-good');
  await person.git('notes', '--ref=data', 'add', '-m', 'ready', second);
  await push('main', 'refs/tags/good/1', 'refs/notes/data', 'HEAD:refs/heads/kubekeeper/side');
  const seen = await person.git('ls-remote', place.url);
  for (const ref of ['refs/heads/main', 'refs/heads/kubekeeper/side'])
    assert.match(seen, new RegExp(`${second}\t${ref}`));
  assert.match(seen, /\trefs\/tags\/good\/1\n[\s\S]*refs\/tags\/good\/1\^\{\}/);
  assert.match(seen, /\trefs\/notes\/data\n/);
  assert.match(seen, new RegExp(`${second}\tHEAD`), 'main is what a clone checks out');

  await person.git('reset', '--quiet', '--hard', first);
  await person.commit('another second', { 'a.json': '{"a":2}\n' });
  await assert.rejects(push('--force', 'main'), /protected from force push/);
  await assert.rejects(push('--delete', 'main'), /pre-receive hook declined|protected|delete/);
  assert.match(await person.git('ls-remote', place.url, 'refs/heads/main'), new RegExp(second));
});

test('without a rule the same force push goes through, so the rule is what holds it back', async () => {
  await using _world = await startWorld();
  const credential = { kind: 'token', token: people.ann } as const;
  await using forge = await openHere(new ScriptedCredentials(credential));
  const place = placeIn(gitea.origin, 'ops', 'prod-shop');
  using person = await openPerson(gitea.authority, credential);
  await forge?.create(place, {});
  await person.git('push', '--quiet', place.url, 'main');
  await person.git('commit', '--quiet', '--amend', '--allow-empty', '-m', 'another first');
  await person.git('push', '--quiet', '--force', place.url, 'main');
});

test('a password does as well as a token, and a token for organizations only makes repositories there', async () => {
  await using _world = await startWorld();
  const cleo = await gitea.createUser('cleo');
  await gitea.createOrganization('dev', ['cleo']);
  const credential = { kind: 'basic', username: 'cleo', password: cleo.password } as const;
  await using forge = await openHere(new ScriptedCredentials(credential));
  assert.equal(await forge?.create(placeIn(gitea.origin, 'cleo', 'prod-shop'), {}), 'created');
  const token = await cleo.createToken('write:repository', 'write:organization');
  await using narrow = await openHere(new ScriptedCredentials(token));
  assert.equal(await narrow?.create(placeIn(gitea.origin, 'dev', 'prod-shop'), {}), 'created');
});

test('credentials of each kind and from each source push over HTTP and reach the API', async () => {
  await using _world = await startWorld();
  using folder = new KeyFolder();
  await using github = await startGithubServer('enterprise');
  const dora = await gitea.createUser('dora');
  const token = await dora.createToken('write:repository', 'write:user');
  const keys = { username: 'dora', password: dora.password, 'ca.crt': gitea.authority };
  // A Gitea knows no Apps, so the checking server gives out a token of the Gitea.
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  github.next({ status: 201, body: { token, expires_at } });
  const app = {
    githubAppID: github.state.appId,
    githubAppInstallationID: `${github.state.installationId}`,
    githubAppPrivateKey: github.state.appKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    githubAppBaseURL: `https://127.0.0.1:${github.port}/api/v3`,
    'ca.crt': github.authority,
  };
  const sources: Readonly<Record<string, CredentialOptions['from']>> = {
    file: { path: folder.file('token', `${token}\n`) },
    directory: { path: folder.mount(keys) },
    secret: { secret: 'ops/git', read: async () => ({ bearerToken: token }) },
    app: { secret: 'ops/git', read: async () => app },
  };
  for (const [name, from] of Object.entries(sources)) {
    await using credentials = openCredentials({ from, origin: gitea.origin, proxyFor: () => undefined });
    await using forge = await openHere(credentials);
    const place = placeIn(gitea.origin, 'dora', `prod-${name}`);
    assert.equal(await forge?.create(place, {}), 'created');
    using person = await openPerson(gitea.authority, await credentials.get());
    await person.git('push', '--quiet', place.url, 'main');
    assert.match(await person.git('ls-remote', place.url), /\trefs\/heads\/main/);
  }
  assert.deepEqual(github.violations, []);
});
