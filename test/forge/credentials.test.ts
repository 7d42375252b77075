import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeeperError } from '../../controller/errors.ts';
import { type CredentialOptions, openCredentials } from '../../controller/forge/credentials.ts';
import { createAuthority } from '../cluster/certificates.ts';
import { refusalOf } from './forge-contract.ts';
import { ecKey, HandClock, KeyFolder, rsaKey } from './keys.ts';

const INVALID = { code: 'REMOTE_CREDENTIALS_INVALID', kind: 'stalled' } as const;

function open(from: CredentialOptions['from'], clock = new HandClock()) {
  return openCredentials({ from, origin: 'https://git.example', proxyFor: () => undefined, clock });
}

function openSecret(values: Readonly<Record<string, string>> | undefined, clock = new HandClock()) {
  return open({ secret: 'ops/git', read: async () => values }, clock);
}

test('a file with a token is read, with or without a line end, and again as soon as it is another', async () => {
  using folder = new KeyFolder();
  const path = folder.file('token', 'first\n');
  await using credentials = open({ path });
  assert.deepEqual(await credentials.get(), { kind: 'token', token: 'first' });
  folder.replace('token', 'other');
  assert.deepEqual(await credentials.get(), { kind: 'token', token: 'other' });
  // Of the same length, in place.
  folder.file('token', 'third\r\n');
  folder.file('token', 'third');
  assert.deepEqual(await credentials.get(), { kind: 'token', token: 'third' });
});

test('keys of a mounted Secret change together: no user ever meets the password of another version', async () => {
  using folder = new KeyFolder();
  const version = (n: number) => ({ username: `user-${n}`, password: `password-${n}` });
  const path = folder.mount(version(0));
  await using credentials = open({ path });
  let swaps = 0;
  const swapping = setInterval(() => folder.mount(version(++swaps)), 3);
  try {
    for (let reads = 0; reads < 300 || swaps <= 20; reads++) {
      const credential = await credentials.get({ renew: true });
      assert.ok(credential?.kind === 'basic');
      assert.equal(credential.username.replace('user', 'password'), credential.password);
    }
  } finally {
    clearInterval(swapping);
  }
  assert.deepEqual(await credentials.get(), { kind: 'basic', ...version(swaps) });
});

test('a Secret is read at most once a minute, and at once when the remote refused what it held', async () => {
  const clock = new HandClock();
  let reads = 0;
  await using credentials = open({ secret: 'ops/git', read: async () => ({ token: `token-${++reads}` }) }, clock);
  const tokens = async (renew: boolean) => ((await credentials.get({ renew })) as { token: string }).token;
  assert.deepEqual(await Promise.all([tokens(false), tokens(false), tokens(false)]), ['token-1', 'token-1', 'token-1']);
  clock.pass(59_000);
  assert.equal(await tokens(false), 'token-1');
  assert.deepEqual(await Promise.all(Array.from({ length: 50 }, () => tokens(true))), Array(50).fill('token-2'));
  clock.pass(1_000);
  assert.equal(
    await tokens(true),
    'token-2',
    'fifty repositories that are refused one after the other do not read fifty times',
  );
  clock.pass(1_000);
  assert.equal(await tokens(true), 'token-3');
  clock.pass(60_000);
  assert.equal(await tokens(false), 'token-4');
});

test('a renewal that comes while the Secret is being read gets what is read after it', async () => {
  const { promise: first, resolve } = Promise.withResolvers<Record<string, string>>();
  let reads = 0;
  await using credentials = open({
    secret: 'ops/git',
    read: () => (++reads === 1 ? first : Promise.resolve({ token: 'new' })),
  });
  const plain = credentials.get();
  const renewed = credentials.get({ renew: true });
  resolve({ token: 'old' });
  assert.deepEqual(
    [await plain, await renewed],
    [
      { kind: 'token', token: 'old' },
      { kind: 'token', token: 'new' },
    ],
  );
});

test('while the API server is away what was read goes on to serve, and only a renewal fails', async () => {
  const clock = new HandClock();
  const away = new KeeperError('Cannot reach the API server', { kind: 'transient', code: 'CLUSTER_UNREACHABLE' });
  const forbidden = new KeeperError('Not permitted', { kind: 'stalled', code: 'RESOURCE_FORBIDDEN' });
  let failure: KeeperError | undefined;
  const read = async () => {
    if (failure !== undefined) throw failure;
    return { token: 'good' };
  };
  await using credentials = open({ secret: 'ops/git', read }, clock);
  failure = away;
  await assert.rejects(credentials.get(), (error) => error === away, 'nothing was read before');
  failure = undefined;
  await credentials.get();
  clock.pass(120_000);
  failure = away;
  assert.deepEqual(await credentials.get(), { kind: 'token', token: 'good' });
  await assert.rejects(credentials.get({ renew: true }), (error) => error === away);
  failure = forbidden;
  await assert.rejects(credentials.get(), (error) => error === forbidden);
});

test('who stops waiting does not stop it for the others', async () => {
  const { promise, resolve } = Promise.withResolvers<Record<string, string>>();
  await using credentials = open({ secret: 'ops/git', read: () => promise });
  const leaving = new AbortController();
  const [left, stayed] = [credentials.get({ signal: leaving.signal }), credentials.get()];
  const reason = new Error('stopping');
  leaving.abort(reason);
  await assert.rejects(left, (error) => error === reason);
  resolve({ token: 'good' });
  assert.deepEqual(await stayed, { kind: 'token', token: 'good' });
});

test('the keys that Flux and Argo CD take are taken', async () => {
  const authority = createAuthority('test').certificate;
  const token = { kind: 'token', token: 'github_pat_1.~+/-_=' };
  const cases: readonly (readonly [Record<string, string>, object])[] = [
    [{ token: 'github_pat_1.~+/-_=' }, token],
    [{ bearerToken: 'github_pat_1.~+/-_=\n' }, token],
    [{ password: 'github_pat_1.~+/-_=' }, token],
    [
      { username: 'git', password: 'pass word: "ä"' },
      { kind: 'basic', username: 'git', password: 'pass word: "ä"' },
    ],
    [
      { username: 'deploy', token: 'gldt-1' },
      { kind: 'basic', username: 'deploy', password: 'gldt-1' },
    ],
    [{ username: 'git', bearerToken: 'github_pat_1.~+/-_=' }, token],
    // What Argo CD keeps beside them.
    [
      {
        type: 'git',
        url: 'https://git.example',
        project: '',
        insecure: 'true',
        'ca.crt': authority,
        token: 'github_pat_1.~+/-_=',
      },
      token,
    ],
  ];
  for (const [keys, expected] of cases) {
    await using credentials = openSecret(keys);
    assert.deepEqual(await credentials.get(), expected, Object.keys(keys).join());
    assert.equal(await credentials.authority(), keys['ca.crt']);
  }
  await using older = openSecret({ caFile: authority, token: 'a' });
  assert.equal(await older.authority(), authority);
});

test('what cannot be used is told by the name of its key and never shown', async () => {
  const canary = 'canary-8f2d61c07b';
  const app = { githubAppID: '1', githubAppInstallationID: '2', githubAppPrivateKey: rsaKey() };
  const several = `${canary}\n${canary}`;
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{}, /in Secret "ops\/git": it holds none of token, username and password, or githubAppID/],
    [{ tokne: canary }, /it holds none of/],
    [{ identity: canary, known_hosts: canary }, /SSH is not spoken/],
    [{ sshPrivateKey: canary }, /SSH is not spoken/],
    [{ token: '' }, /key "token" of Secret "ops\/git": it is empty/],
    [{ token: '\n' }, /"token".*: it is empty/],
    [{ username: 'git', password: ' ' }, /"password".*: it is empty/],
    [{ token: several }, /"token".*: it has several lines/],
    [{ username: several, password: canary }, /"username".*: it has several lines/],
    [{ token: `${canary}\0` }, /"token".*: it has NUL characters/],
    [{ password: `${canary}\ufffd`, username: 'git' }, /"password".*: it is no text in UTF-8/],
    [{ password: `${canary}\u0007`, username: 'git' }, /"password".*: it has control characters/],
    [{ token: `user:${canary}` }, /"token".*: it has characters that no token has/],
    [{ token: `https://user:${canary}@git.example` }, /"token".*: it has characters that no token has/],
    [{ password: `${canary} with a space` }, /"password".*: it has characters.* a password needs "username" beside it/],
    [{ username: `a:${canary}`, password: canary }, /"username".*: a colon cannot be in it/],
    [{ token: canary, password: canary }, /"token" and "password" are both there, keep one/],
    [{ token: canary, bearerToken: canary }, /"token" and "bearerToken" are both there/],
    [{ ...app, token: canary }, /"token" and "githubAppID" are both there/],
    [{ githubAppID: canary }, /"githubAppPrivateKey" is missing/],
    [{ githubAppPrivateKey: app.githubAppPrivateKey }, /"githubAppID" is missing/],
    [{ ...app, githubAppPrivateKey: canary }, /"githubAppPrivateKey".*: it is no RSA private key in PEM/],
    [{ ...app, githubAppPrivateKey: ecKey() }, /it is no RSA private key/],
    [{ ...app, githubAppPrivateKey: app.githubAppPrivateKey.slice(0, 900) }, /it is no RSA private key/],
    [{ ...app, githubAppPrivateKey: app.githubAppPrivateKey.replaceAll('\n', '\\n') }, /it is no RSA private key/],
    [{ ...app, githubAppID: `${canary} 1` }, /"githubAppID".*: it is no ID of an App/],
    [{ ...app, githubAppInstallationID: canary }, /"githubAppInstallationID".*: it is no number/],
    [{ ...app, githubAppBaseURL: `http://${canary}.example` }, /"githubAppBaseURL".*: it is no address such as https/],
    [{ ...app, githubAppEnterpriseBaseUrl: `https://u:${canary}@git.example` }, /"githubAppEnterpriseBaseUrl"/],
    [{ 'ca.crt': canary, token: canary }, /"ca.crt".*: it is no certificate in PEM/],
  ];
  const keyLines = app.githubAppPrivateKey.split('\n').filter((line) => line.length > 40);
  for (const [keys, words] of cases) {
    await using credentials = openSecret(keys);
    const error = await refusalOf(credentials.get(), { ...INVALID, secrets: [canary, ...keyLines] });
    assert.match(error.message, words);
    assert.match(error.message, /nothing was sent, correct them/);
  }
  await using missing = openSecret(undefined);
  assert.match((await refusalOf(missing.get(), INVALID)).message, /Secret "ops\/git": it does not exist/);
});

test('files that cannot be used are told by their path', async () => {
  using folder = new KeyFolder();
  const canary = 'canary-8f2d61c07b';
  const at = (name: string) => join(folder.directory, name);
  const large = folder.file('large', canary);
  truncateSync(large, 2 ** 21);
  mkdirSync(at('empty'));
  mkdirSync(at('folders/token'), { recursive: true });
  mkdirSync(at('keys'));
  mkdirSync(at('dangling'));
  symlinkSync('gone', at('dangling/token'));
  const cases: readonly (readonly [string, RegExp])[] = [
    [at('missing'), /"[^"]*\/missing": it does not exist/],
    [join(large, 'below'), /it cannot be read \(ENOTDIR\)/],
    [large, /file "[^"]*\/large": it is larger than a Secret can be/],
    ['/dev/null', /"\/dev\/null": it is neither a file nor a directory/],
    [at('empty'), /directory "[^"]*\/empty": it holds none of/],
    [at('dangling'), /directory "[^"]*\/dangling": it holds none of/],
    [at('folders'), /directory "[^"]*\/folders": it holds none of/],
    [folder.file('lines', `${canary}\n${canary}\n`), /file "[^"]*\/lines": it has several lines/],
    [folder.file('binary', Buffer.from([0xff, 0xfe, 0x41])), /file "[^"]*\/binary": it is no text in UTF-8/],
    [join(folder.file('keys/token', ''), '..'), /file "[^"]*\/keys\/token": it is empty/],
  ];
  for (const [path, words] of cases) {
    await using credentials = open({ path });
    const error = await refusalOf(credentials.get(), { ...INVALID, secrets: [canary] });
    assert.match(error.message, words);
  }
});

test('a file that is put right, or comes back, is used at the next question', async () => {
  using folder = new KeyFolder();
  const path = folder.file('token', '');
  await using credentials = open({ path });
  await refusalOf(credentials.get(), INVALID);
  folder.file('token', 'good');
  assert.deepEqual(await credentials.get(), { kind: 'token', token: 'good' });
  rmSync(path);
  await refusalOf(credentials.get(), INVALID);
  folder.file('token', 'better');
  assert.deepEqual(await credentials.get(), { kind: 'token', token: 'better' });
});
