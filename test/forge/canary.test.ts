import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { Credential, CredentialSource } from '../../controller/core/ports.ts';
import { openCredentials } from '../../controller/forge/credentials.ts';
import { type OpenForge, openForge } from '../../controller/forge/open-forge.ts';
import { assertHides, placeIn, ScriptedCredentials } from './forge-contract.ts';
import { HandClock, rsaKey } from './keys.ts';
import { type OddAnswer, type OddServer, startOddServer } from './odd-server.ts';

/** A forge that says everything back to us that it was told, in every place that there is, and fails with every status. */

const STATUSES = [301, 307, 400, 401, 403, 404, 409, 422, 429, 500, 503] as const;

const ECHOES: Readonly<Record<string, (status: number, told: string, plain: string) => OddAnswer>> = {
  'in its message': (status, told, plain) => (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: `you said ${told}, that is ${plain}`, errors: [{ message: told }, plain] }));
  },
  'in a text': (status, told, plain) => (_, response) =>
    response.writeHead(status, { 'content-type': 'text/plain' }).end(`${told} ${plain}`),
  'in its headers': (status, told, plain) => (_, response) => {
    const names = ['x-oauth-scopes', 'x-accepted-github-permissions', 'x-accepted-oauth-scopes', 'www-authenticate'];
    const headers = Object.fromEntries(names.map((name) => [name, `${told} ${plain}`]));
    response.writeHead(status, { ...headers, 'retry-after': plain.replace(/[^\x21-\x7e]/g, '') }).end('{}');
  },
  'in a redirect': (_status, _told, plain) => (_, response) =>
    response
      .writeHead(307, { location: `https://u:${plain}@${plain.toLowerCase()}.example/${plain}?t=${plain}` })
      .end(),
  'in its status line': (status, told, plain) => (_, response) => response.writeHead(status, `${told} ${plain}`).end(),
};

/** What was shown, and what is in it. */
function tellOf(request: IncomingMessage): { told: string; plain: string } {
  const told = request.headers.authorization ?? '';
  const value = told.replace(/^\w+ /, '');
  const plain = told.startsWith('Basic')
    ? Buffer.from(value, 'base64')
        .toString()
        .replace(/^[^:]*:/, '')
    : value;
  return { told, plain };
}

async function startEcho(echo: (typeof ECHOES)[string], status: number): Promise<OddServer> {
  return startOddServer((request, response, body) => {
    const { told, plain } = tellOf(request);
    echo(status, told, plain)(request, response, body);
  });
}

/** Everything that was written to standard error, where octokit's log goes, while `work` ran. */
async function listening(work: () => Promise<void>): Promise<string> {
  const written: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => written.push(text.toString()) > 0;
  try {
    await work();
  } finally {
    process.stderr.write = write;
  }
  return written.join('');
}

const CREDENTIALS: Readonly<Record<string, Credential>> = {
  'a token': { kind: 'token', token: 'canary-token-93f1c2' },
  'a token as GitHub makes them': { kind: 'token', token: `ghp_${'Ab3'.repeat(12)}` },
  'a password': { kind: 'basic', username: 'ann', password: 'canary-pass/word+93f1' },
};

for (const [what, credential] of Object.entries(CREDENTIALS)) {
  test(`${what} is in no error and is not written out, whatever the forge says`, async () => {
    const secret = credential.kind === 'token' ? credential.token : credential.password;
    let errors = 0;
    const written = await listening(async () => {
      for (const echo of Object.values(ECHOES)) {
        for (const status of STATUSES) {
          await using server = await startEcho(echo, status);
          for (const kind of ['github', 'gitea', 'auto'] as const) {
            const error = await failureOf(server.origin, kind, new ScriptedCredentials(credential));
            if (error === undefined) continue;
            errors++;
            assertHides(error, [secret, `ann:${secret}`]);
          }
          assert.ok(server.shown.length > 0, 'nothing was shown to it');
        }
      }
    });
    assert.ok(errors > 100, `only ${errors} errors were looked at`);
    assert.equal(written, '');
  });
}

test("neither an App's signature nor its key nor its token is in any error, whatever the forge says", async () => {
  const key = rsaKey();
  const lines = key.split('\n').filter((line) => line.length > 40);
  const values = { githubAppID: '1', githubAppInstallationID: '2', githubAppPrivateKey: key };
  let errors = 0;
  const written = await listening(async () => {
    for (const echo of Object.values(ECHOES)) {
      for (const status of STATUSES) {
        await using server = await startEcho(echo, status);
        await using credentials = openCredentials({
          from: { secret: 'ops/git', read: async () => values },
          origin: server.origin,
          proxyFor: () => undefined,
          clock: new HandClock(),
        });
        const error = await credentials.get().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        assert.ok(error !== undefined);
        errors++;
        const [shown = ''] = server.shown;
        const jwt = shown.replace('Bearer ', '');
        assert.match(jwt, /^eyJ.*\..*\./);
        assertHides(error, [...lines, jwt, ...jwt.split('.')]);
        assertHides(credentials, lines);
      }
    }
  });
  assert.equal(errors, STATUSES.length * Object.keys(ECHOES).length);
  assert.equal(written, '');
});

async function failureOf(
  origin: string,
  kind: 'github' | 'gitea' | 'auto',
  credentials: CredentialSource,
): Promise<unknown> {
  return await failureIn(async () => {
    await using forge = await openForge({ kind, origin, credentials, proxyFor: () => undefined });
    const place = placeIn(origin, 'ops', 'prod-shop');
    await forge?.create(place, {});
    await forge?.protect(place, {});
  });
}

async function failureIn(work: () => Promise<unknown>): Promise<unknown> {
  return await work().then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('no call about pull requests shows the token, whatever the forge says', async () => {
  const place = (origin: string) => placeIn(origin, 'ops', 'prod-shop');
  const request = { title: 'restore', body: 'Plan', head: 'kubekeeper/restore/x', base: 'main' };
  const calls: readonly ((forge: OpenForge, origin: string) => Promise<unknown>)[] = [
    ({ pullRequests }, origin) => pullRequests.open(place(origin), request, {}),
    ({ pullRequests }, origin) => pullRequests.find(place(origin), { prefix: '', state: 'merged' }, {}),
    ({ pullRequests }, origin) => pullRequests.reviews(place(origin), 1, {}),
    ({ pullRequests }, origin) => pullRequests.comments(place(origin), 1, {}),
    ({ pullRequests }, origin) => pullRequests.comment(place(origin), 1, 'Applied', {}),
  ];
  const token = 'canary-token-93f1c2';
  let errors = 0;
  const written = await listening(async () => {
    for (const echo of Object.values(ECHOES)) {
      for (const status of [401, 403, 404, 409, 422, 500]) {
        await using server = await startEcho(echo, status);
        for (const kind of ['github', 'gitea'] as const) {
          const credentials = new ScriptedCredentials({ kind: 'token', token });
          await using forge = await openForge({ kind, origin: server.origin, credentials, proxyFor: () => undefined });
          assert.ok(forge !== undefined);
          for (const call of calls) {
            const error = await failureIn(() => call(forge, server.origin));
            if (error === undefined) continue;
            errors++;
            assertHides(error, [token]);
          }
        }
      }
    }
  });
  assert.ok(errors > 250, `only ${errors} errors were looked at`);
  assert.equal(written, '');
});
