import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CredentialSource } from '../../controller/core/ports.ts';
import { type ForgeOptions, openForge } from '../../controller/forge/open-forge.ts';
import { findFreePort } from '../cluster/free-port.ts';
import { serverTls } from '../remote/server-certificates.ts';
import { startProxy } from './connect-proxy.ts';
import { placeIn, refusalOf, ScriptedCredentials } from './forge-contract.ts';
import { type OddAnswer, type OddServer, say, startOddServer } from './odd-server.ts';

const TOKEN = 'canary-2b7e151628aed2a6';
const LOST = { code: 'REMOTE_UNREACHABLE', kind: 'transient', secrets: [TOKEN] } as const;

/** Asks the server to make `ops/prod-shop`, as a Gitea unless told otherwise. */
async function create(origin: string, more: Partial<ForgeOptions> & { readonly signal?: AbortSignal } = {}) {
  const credentials: CredentialSource = new ScriptedCredentials(TOKEN);
  const { signal, ...options } = more;
  await using forge = await openForge({ kind: 'gitea', origin, credentials, proxyFor: () => undefined, ...options });
  return await forge?.create(placeIn(origin, 'ops', 'prod-shop'), signal === undefined ? {} : { signal });
}

/** Answers to the question who we are; the rest is the test's. */
function afterLogin(answer: OddAnswer): OddAnswer {
  return (request, response, body) =>
    request.method === 'GET' ? say(response, 200, { login: 'ann' }) : answer(request, response, body);
}

test('a forge that does not answer, breaks off or fails is tried again, in words that say what it was', async () => {
  const refused = await refusalOf(create(`http://127.0.0.1:${await findFreePort()}`), LOST);
  assert.match(refused.message, /connection refused; nothing is lost, it is tried again$/);
  const cases: readonly (readonly [OddAnswer, RegExp])[] = [
    [(request) => request.socket.destroy(), /the connection was cut/],
    [
      (_, response) => {
        response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"name":');
        setImmediate(() => response.socket?.destroy());
      },
      /Cannot reach the forge/,
    ],
    [(_, response) => say(response, 500, { message: 'out of order' }), /it answered 500: out of order/],
    [(_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>'), /it answered 502;/],
    [
      (_, response) => {
        response.writeHead(201, { 'content-type': 'application/json' });
        const fill = () => {
          while (response.write('x'.repeat(65_536)));
        };
        response.on('drain', fill);
        fill();
      },
      /its answer is too long/,
    ],
  ];
  for (const [answer, words] of cases) {
    await using server = await startOddServer(afterLogin(answer));
    assert.match((await refusalOf(create(server.origin), LOST)).message, words);
  }
});

test('a page that somebody shows instead of the forge is no repository', async () => {
  const page: OddAnswer = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
  for (const kind of ['github', 'gitea'] as const) {
    for (const answer of [page, afterLogin(page)]) {
      await using server = await startOddServer(answer);
      const error = await refusalOf(create(server.origin, { kind }), LOST);
      assert.match(error.message, /what answers there does not answer as a forge does/);
    }
  }
});

test('a forge that hangs is given up after the time limit, in its answer too', async () => {
  const hangs: readonly OddAnswer[] = [
    () => undefined,
    (_, response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      response.write('{');
    },
  ];
  for (const answer of hangs) {
    await using server = await startOddServer(answer);
    const error = await refusalOf(create(server.origin, { timeoutMs: 200 }), LOST);
    assert.match(error.message, /it takes too long/);
  }
});

test('who gives up while it hangs gets their own reason', async () => {
  const leaving = new AbortController();
  const reason = new Error('stopping');
  await using server = await startOddServer(() => leaving.abort(reason));
  await assert.rejects(create(server.origin, { signal: leaving.signal }), (error) => error === reason);
  await using hanging = await startOddServer(() => undefined);
  const patience = AbortSignal.timeout(50);
  await assert.rejects(create(hanging.origin, { signal: patience }), (error) => error === patience.reason);
});

test('another address gets nothing, whatever way leads there', async () => {
  await using elsewhere = await startOddServer((_, response) => say(response, 201, {}));
  const { origin } = elsewhere;
  for (const status of [301, 302, 307, 308]) {
    for (const location of [
      `${origin}/api/v1/user`,
      origin.replace('127.0.0.1', 'localhost'),
      'https://evil.example/',
    ]) {
      await using server = await startOddServer((_, response) => response.writeHead(status, { location }).end());
      const error = await refusalOf(create(server.origin), {
        code: 'REMOTE_REDIRECTED',
        kind: 'stalled',
        secrets: [TOKEN],
      });
      assert.match(error.message, /sends us to https?:\/\/[a-z0-9.]+(?::\d+)?; nothing was sent there/);
    }
  }
  assert.deepEqual(elsewhere.requests, []);
});

test('a request that moved within the address is repeated as it was, and not for ever', async () => {
  const bodies: string[] = [];
  await using server = await startOddServer((request, response, body) => {
    bodies.push(`${request.method} ${body}`);
    if (request.url?.startsWith('/api/'))
      return void response.writeHead(307, { location: `/moved${request.url}` }).end();
    return request.method === 'GET' ? say(response, 200, { login: 'ann' }) : say(response, 201, {});
  });
  assert.equal(await create(server.origin), 'created');
  assert.equal(bodies.length, 4);
  assert.equal(bodies[2], bodies[3]);
  assert.match(bodies[3] ?? '', /^POST .*"prod-shop"/);
  await using circle = await startOddServer((request, response) =>
    response.writeHead(307, { location: request.url }).end(),
  );
  await refusalOf(create(circle.origin), { code: 'REMOTE_REDIRECTED', kind: 'stalled' });
  assert.equal(circle.requests.length, 4);
});

test('a certificate that is not what it should be is refused before anything is sent', async () => {
  const variants = ['self-signed', 'expired', 'not-yet-valid', 'wrong-name'] as const;
  for (const variant of variants) {
    const { authority, options } = serverTls(variant);
    await using server = await startOddServer(
      afterLogin((_, response) => say(response, 201, {})),
      options,
    );
    // The self-signed one is its own authority, and is not the one that was configured.
    const ca = variant === 'self-signed' ? serverTls('good').authority : authority;
    const error = await refusalOf(create(server.origin, { ca }), {
      code: 'REMOTE_UNTRUSTED',
      kind: 'stalled',
      secrets: [TOKEN],
    });
    assert.match(
      error.message,
      /nothing was sent to it, give the authority of its certificate with --remote-ca/,
      variant,
    );
    assert.deepEqual(server.requests, []);
  }
  const { authority, options } = serverTls('good');
  await using server = await startOddServer(
    afterLogin((_, response) => say(response, 201, {})),
    options,
  );
  assert.equal(await create(server.origin, { ca: authority }), 'created');
  await refusalOf(create(server.origin), { code: 'REMOTE_UNTRUSTED', kind: 'stalled' });
  await refusalOf(create(server.origin, { ca: 'no certificate' }), { code: 'REMOTE_INVALID', kind: 'invalid-input' });
  await using old = await startOddServer(() => undefined, serverTls('old-protocol').options);
  const error = await refusalOf(create(old.origin, { ca: authority }), { code: 'REMOTE_UNTRUSTED', kind: 'stalled' });
  assert.match(error.message, /no TLS connection can be agreed on/);
  assert.deepEqual(old.requests, []);
});

test('a forge is asked through the proxy that is named, which sees neither credentials nor contents', async () => {
  const { authority, options } = serverTls('good');
  await using server = await startOddServer(
    afterLogin((_, response) => say(response, 201, {})),
    options,
  );
  const port = Number(new URL(server.origin).port);
  await using proxy = await startProxy(port, 'user:canary-proxy-password');
  assert.equal(await create(server.origin, { ca: authority, proxyFor: () => proxy.url }), 'created');
  assert.deepEqual([...new Set(proxy.asked)], [`127.0.0.1:${port}`]);
  await using strict = await startProxy(port, 'user:another');
  const wrong = new URL(strict.url.href.replace('another', 'canary-proxy-password'));
  const secrets = [TOKEN, 'canary-proxy-password'];
  await refusalOf(create(server.origin, { ca: authority, proxyFor: () => wrong }), { ...LOST, secrets });
});

test('a plain Git server, and any other that knows no such path, is no forge', async () => {
  const answers: Readonly<Record<string, OddAnswer>> = {
    'knows nothing': (_, response) => response.writeHead(404).end(),
    'shows a page for all': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    'leads to a login elsewhere': (_, response) =>
      response.writeHead(302, { location: 'https://login.example/' }).end(),
    forbids: (_, response) => say(response, 403, { message: 'no' }),
    'has JSON of its own': (_, response) => say(response, 200, { ok: true }),
    lists: (_, response) => say(response, 200, []),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await using server = await startOddServer(answer);
    assert.equal(await create(server.origin, { kind: 'auto' }), undefined, name);
    assert.deepEqual(server.requests, ['GET /api/v1/version', 'GET /api/v3/meta']);
  }
  await using silent = await startOddServer(() => undefined);
  assert.equal(await create(silent.origin, { kind: 'none' }), undefined);
  assert.deepEqual(silent.requests, []);
});

test('a server that cannot say now what it is, or refuses us, is not taken for a plain one', async () => {
  await using down = await startOddServer((_, response) => response.writeHead(503).end());
  await refusalOf(create(down.origin, { kind: 'auto' }), LOST);
  await using strict = await startOddServer((_, response) => response.writeHead(401).end());
  await refusalOf(create(strict.origin, { kind: 'auto' }), {
    code: 'REMOTE_CREDENTIALS_REFUSED',
    kind: 'stalled',
    secrets: [TOKEN],
  });
});

test('a Gitea below a path is found and asked there', async () => {
  await using server: OddServer = await startOddServer((request, response) => {
    if (request.url === '/git/api/v1/version') return say(response, 200, { version: '1.26.0' });
    if (request.url === '/git/api/v1/user') return say(response, 200, { login: 'ann' });
    return request.url === '/git/api/v1/orgs/ops/repos' ? say(response, 201, {}) : say(response, 404, {});
  });
  const credentials = new ScriptedCredentials(TOKEN);
  await using forge = await openForge({
    kind: 'auto',
    origin: server.origin,
    prefix: 'git',
    credentials,
    proxyFor: () => undefined,
  });
  assert.equal(await forge?.create(placeIn(server.origin, 'git/ops', 'prod-shop'), {}), 'created');
  await assert.rejects(
    async () => forge?.create(placeIn(server.origin, 'ops', 'prod-shop'), {}),
    /owners and no folders/,
  );
});

test('without credentials nothing is shown to a forge', async () => {
  await using server = await startOddServer((request, response) =>
    request.url?.endsWith('version')
      ? say(response, 200, { version: '1' })
      : say(response, 401, { message: 'token is required' }),
  );
  const work = create(server.origin, { kind: 'auto', credentials: undefined });
  await refusalOf(work, { code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled' });
  assert.deepEqual(server.shown, []);
});

test('what was refused and is as it was after its renewal is not shown again', async () => {
  await using server = await startOddServer((_, response) => say(response, 401, { message: 'Bad credentials' }));
  const credentials = new ScriptedCredentials(TOKEN);
  await refusalOf(create(server.origin, { credentials }), { code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled' });
  assert.deepEqual([credentials.renewals, server.shown], [1, [`Bearer ${TOKEN}`]]);
});
