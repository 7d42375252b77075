import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Credential, CredentialSource } from '../../controller/core/ports.ts';
import { KeeperError } from '../../controller/errors.ts';
import { discover } from '../../controller/git/remote/discover.ts';
import { remoteFailed, wordsOf } from '../../controller/git/remote/errors.ts';
import { FLUSH, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { callService } from '../../controller/git/remote/request.ts';
import type { Remote } from '../../controller/git/remote/transport.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { failsWith, openRemote, rotating, SHORT, token, UNHINDERED } from './remotes.ts';

test('a token and a password are shown at once, as Basic', async () => {
  const basic: Credential = { kind: 'basic', username: 'bot', password: 'pässword:with colon' };
  await using server = await startGitServer({ auth: { username: 'bot', password: 'pässword:with colon' } });
  server.createRepository('shop');
  {
    await using remote = openRemote(server, 'shop', { credentials: rotating(basic) });
    await discover(remote, 'git-receive-pack', UNHINDERED);
  }
  server.auth = { token: 'secret' };
  await using remote = openRemote(server, 'shop', { credentials: rotating(token('secret')) });
  await discover(remote, 'git-receive-pack', UNHINDERED);
  assert.deepEqual(
    server.requests.map(({ status }) => status),
    [200, 200],
  );
  const shown = server.requests.at(-1)?.headers.authorization ?? '';
  assert.equal(Buffer.from(shown.slice(6), 'base64').toString(), 'x-access-token:secret');
});

test('without a credential none is shown, and 401 is a refusal', async () => {
  await using server = await startGitServer({ auth: { token: 'secret' } });
  await using remote = openRemote(server, 'shop');
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_CREDENTIALS_REFUSED', 'stalled');
  const none: CredentialSource = { get: async () => undefined };
  const work = discover({ ...remote, credentials: none }, 'git-receive-pack', UNHINDERED);
  await failsWith(work, 'REMOTE_CREDENTIALS_REFUSED', 'stalled');
  assert.deepEqual(
    server.requests.map(({ hasAuthorization }) => hasAuthorization),
    [false, false],
  );
});

test('a credential that is refused is renewed once and tried again; a second refusal counts', async () => {
  await using server = await startGitServer({ auth: { token: 'second' } });
  server.createRepository('shop');
  const credentials = rotating(token('first'), token('second'), token('third'));
  await using remote = openRemote(server, 'shop', { credentials });
  await discover(remote, 'git-receive-pack', UNHINDERED);
  assert.equal(credentials.renewals, 1);
  await discover(remote, 'git-receive-pack', UNHINDERED);
  assert.equal(credentials.renewals, 1);
  server.auth = { token: 'none of them' };
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_CREDENTIALS_REFUSED', 'stalled');
  assert.equal(credentials.renewals, 2);
  assert.deepEqual(
    server.requests.map(({ status }) => status),
    [401, 200, 200, 401, 401],
  );
});

test('a credential that renewing does not change is not shown twice', async () => {
  await using server = await startGitServer({ auth: { token: 'other' } });
  await using remote = openRemote(server, 'shop', { credentials: rotating(token('same')) });
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_CREDENTIALS_REFUSED', 'stalled');
  assert.equal(server.requests.length, 1);
});

test('of many repositories that are refused at once, one renews for all', async () => {
  await using server = await startGitServer({ auth: { token: 'second' } });
  server.createRepository('shop');
  const credentials = rotating(token('first'), token('second'), token('third'));
  await using remote = openRemote(server, 'shop', { credentials });
  await Promise.all(
    Array.from({ length: 8 }, () => discover(remote, 'git-upload-pack', UNHINDERED).catch(() => undefined)),
  );
  await discover(remote, 'git-upload-pack', UNHINDERED);
  assert.equal(server.requests.at(-1)?.status, 200);
});

test('a failure of the source of credentials is told as it is, and nothing is sent', async () => {
  await using server = await startGitServer();
  const broken = new KeeperError('Cannot read the token', { kind: 'stalled', code: 'REMOTE_CREDENTIALS_INVALID' });
  const credentials: CredentialSource = { get: () => Promise.reject(broken) };
  await using remote = openRemote(server, 'shop', { credentials });
  await assert.rejects(discover(remote, 'git-receive-pack', UNHINDERED), (error) => error === broken);
  assert.deepEqual(server.requests, []);
});

test('a URL with a user in it is refused before anything is sent, and not shown', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  const url = remote.place.url.replace('//', '//user:canary@');
  for (const work of [
    discover({ ...remote, place: { ...remote.place, url } }, 'git-receive-pack', UNHINDERED),
    callService({ ...remote, place: { ...remote.place, url } }, 'git-receive-pack', empty, UNHINDERED),
  ]) {
    const error = await failsWith(work, 'REMOTE_INVALID', 'invalid-input');
    assert.doesNotMatch(inspect(error, { depth: 9 }), /canary/);
  }
  assert.deepEqual(server.requests, []);
});

test('words of the server are one short line without what we showed it or what looks like a secret', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { credentials: rotating(token('shown.secret')) });
  server.createRepository('shop');
  await discover(remote, 'git-receive-pack', UNHINDERED);
  assert.equal(
    wordsOf(remote, ' pre-receive\nhook\tdeclined \u001b[31m\u202e'),
    'pre-receive hook declined \\u001b[31m\\u202e',
  );
  assert.equal(wordsOf(remote, 'you sent shown.secret'), 'you sent ***');
  const id = 'c9b958936833ad03d8f8cf7ddcfdc314bccdf330';
  assert.equal(wordsOf(remote, `object ${id} is missing`), `object ${id} is missing`);
  const jwt = `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`;
  for (const secret of ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'glpat-AbCdEfGhIjKlMnOpQrSt', jwt]) {
    assert.equal(wordsOf(remote, `token ${secret} is bad`).includes(secret), false, secret);
  }
  assert.equal(wordsOf(remote, 'see https://user:pw@git.example/x'), 'see https://***@git.example/x');
  assert.equal(wordsOf(remote, 'Authorization: Basic dXNlcjpzZWNyZXQ='), 'Authorization: Basic ***');
  assert.equal(wordsOf(remote, `<!DOCTYPE html>`), '');
  assert.ok(wordsOf(remote, 'word '.repeat(500)).length <= 203);
  assert.equal(remoteFailed(remote, 'unpack failed: No space left on device').kind, 'transient');
  assert.equal(remoteFailed(remote, 'pre-receive hook declined').kind, 'stalled');
});

test('a canary credential is found in no error, no argument of a process and no log, whatever fails', async (t) => {
  const canaries = ['canary-token-1f', 'canary-token-2f'];
  const encoded = canaries.map((text) => Buffer.from(`x-access-token:${text}`).toString('base64'));
  const secrets = [...canaries, ...encoded];
  const lines: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    // Passed on: the runner reports by it, too.
    const write = stream.write.bind(stream) as (...of: readonly unknown[]) => boolean;
    t.mock.method(stream, 'write', (...of: readonly unknown[]) => {
      lines.push(Buffer.from(of[0] as string).toString());
      return write(...of);
    });
  }
  const errors: unknown[] = [];
  const attempt = async (remote: Remote) => {
    for (const service of ['git-receive-pack', 'git-upload-pack'] as const) {
      await discover(remote, service, UNHINDERED).catch((error: unknown) => errors.push(error));
      await callService(remote, service, empty, UNHINDERED)
        .then(async (answer) => {
          for await (const _ of answer);
        })
        .catch((error: unknown) => errors.push(error));
    }
  };
  for (const tls of [undefined, true, 'expired', 'wrong-name'] as const) {
    await using server = await startGitServer(tls === undefined ? {} : { tls });
    await using remote = openRemote(server, 'shop', { limits: SHORT, credentials: rotating(...canaries.map(token)) });
    // Both are shown before they are repeated.
    server.add({ do: 'status', status: 401 });
    await attempt(remote);
    for (const prepare of failures(server, secrets)) {
      server.clear();
      prepare();
      await attempt(remote);
    }
    await server.stop();
    await attempt(remote);
  }
  t.mock.restoreAll();
  assert.ok(errors.length > 100, `${errors.length}`);
  const told = errors.map((error) => inspect(error, { depth: 20, showHidden: true, maxStringLength: null }));
  const chains = errors.flatMap(chainOf);
  for (const secret of secrets) {
    const leak = [...told, ...chains, ...lines].find((text) => text.includes(secret));
    assert.equal(leak, undefined, `${secret} is in: ${leak?.slice(0, 400)}`);
  }
  const given = [...process.argv, ...process.execArgv, process.title].join(' ');
  assert.ok(secrets.every((secret) => !given.includes(secret)));
});

/** What a server may do with what it was shown: all of it repeats the credential. */
function failures(server: GitServer, secrets: readonly string[]): readonly (() => void)[] {
  const echo = secrets.join(' ');
  const advertised = { 'content-type': 'application/x-git-receive-pack-advertisement' };
  return [
    ...[400, 401, 403, 404, 429, 500, 507].map(
      (status) => () => void server.add({ do: 'status', status, text: echo, headers: { 'x-echo': echo } }),
    ),
    () => void server.add({ do: 'redirect', to: `https://other.example/?${echo}` }),
    () => void server.add({ do: 'redirect', to: `/${echo}` }),
    () => void server.add({ do: 'hang' }, { method: 'GET', times: 1 }),
    () => void server.add({ do: 'cut-response', afterBytes: 10 }),
    () => void server.add({ do: 'answer', headers: { 'content-type': echo }, body: () => [Buffer.from(echo)] }),
    () => void server.add({ do: 'answer', headers: advertised, body: () => [Buffer.from(echo)] }),
    () => void server.add({ do: 'answer', headers: advertised, body: () => [pktLine(`ERR ${echo}`)] }),
    () => {
      const head = [pktLine('# service=git-receive-pack\n'), FLUSH];
      void server.add({ do: 'answer', headers: advertised, body: () => [...head, pktLine(`${echo}\n`), FLUSH] });
    },
  ];
}

function chainOf(error: unknown): readonly string[] {
  const told: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    told.push(at.message, at.stack ?? '', at instanceof KeeperError ? JSON.stringify(at.details) : '');
  }
  return told;
}

async function* empty(): AsyncGenerator<Buffer> {
  yield FLUSH;
}
