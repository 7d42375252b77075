import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ErrorCode, ErrorKind } from '../../controller/errors.ts';
import { discover } from '../../controller/git/remote/discover.ts';
import { FLUSH, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { callService } from '../../controller/git/remote/request.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote, SHORT, UNHINDERED } from './remotes.ts';

interface Row {
  readonly status: number;
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly retryAfterSeconds?: number;
}

const STATUSES: readonly Row[] = [
  { status: 400, code: 'REMOTE_REFUSED', kind: 'stalled' },
  { status: 401, code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled' },
  { status: 403, code: 'REMOTE_CREDENTIALS_REFUSED', kind: 'stalled' },
  { status: 403, code: 'REMOTE_UNREACHABLE', kind: 'transient', retryAfterSeconds: 60 },
  { status: 404, code: 'REMOTE_NOT_FOUND', kind: 'stalled' },
  { status: 410, code: 'REMOTE_NOT_FOUND', kind: 'stalled' },
  { status: 413, code: 'REMOTE_REFUSED', kind: 'stalled' },
  { status: 429, code: 'REMOTE_UNREACHABLE', kind: 'transient', retryAfterSeconds: 30 },
  { status: 500, code: 'REMOTE_UNREACHABLE', kind: 'transient' },
  { status: 502, code: 'REMOTE_UNREACHABLE', kind: 'transient' },
  { status: 503, code: 'REMOTE_UNREACHABLE', kind: 'transient', retryAfterSeconds: 7 },
  { status: 507, code: 'REMOTE_REFUSED', kind: 'transient' },
];

test('each status has its code, its kind and the wait that was asked for, for a list of refs and for a request', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  for (const { status, code, kind, retryAfterSeconds: seconds } of STATUSES) {
    const later = seconds === undefined ? {} : { retryAfterSeconds: seconds };
    server.clear();
    server.add({ do: 'status', status, text: 'in my own\nwords\n', ...later });
    for (const work of [() => discover(remote, 'git-receive-pack', UNHINDERED), () => post(remote)]) {
      const error = await failsWith(work(), code, kind);
      assert.equal(error.retryAfterMs, seconds === undefined ? undefined : seconds * 1000);
      assert.equal(error.details['status'], status);
      assert.match(
        error.message,
        /http:\/\/127\.0\.0\.1:\d+\/shop\.git \(\d+: in my own words\); commits are kept here/,
      );
    }
  }
});

test('a wait may be given as a date, and a senseless one is none', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  const wait = async (value: string) => {
    server.clear();
    server.add({ do: 'status', status: 503, headers: { 'retry-after': value } });
    const work = discover(remote, 'git-receive-pack', UNHINDERED);
    return (await failsWith(work, 'REMOTE_UNREACHABLE', 'transient')).retryAfterMs;
  };
  const inAMinute = (await wait(new Date(Date.now() + 60_000).toUTCString())) ?? 0;
  assert.ok(inAMinute > 55_000 && inAMinute <= 60_000, `${inAMinute}`);
  assert.equal(await wait(new Date(0).toUTCString()), 0);
  assert.equal(await wait('soon'), undefined);
  assert.equal(await wait('99999999999'), 3_600_000);
});

test('a repository that does not exist is not found, and the backend says so', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'none');
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_NOT_FOUND', 'stalled');
});

test('whoever may not push to what does not exist is told that it does not exist', async () => {
  await using server = await startGitServer();
  server.createRepository('there');
  server.add({ do: 'status', status: 403, text: 'Push to create is not enabled' }, { service: 'git-receive-pack' });
  for (const [name, code] of [
    ['none', 'REMOTE_NOT_FOUND'],
    ['there', 'REMOTE_CREDENTIALS_REFUSED'],
  ] as const) {
    await using remote = openRemote(server, name);
    await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), code, 'stalled');
  }
});

test('a server that refuses connections is unreachable, and reached again when it is back', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  await discover(remote, 'git-receive-pack', UNHINDERED);
  await server.stop();
  const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  assert.match(error.message, /connection refused/);
  await server.start();
  await discover(remote, 'git-receive-pack', UNHINDERED);
});

test('a server that takes the connection and says nothing, not even TLS, costs the time to connect', async () => {
  await using server = await startGitServer({ tls: true });
  await using remote = openRemote(server, 'shop', { limits: { ...SHORT, headersMs: 60_000 } });
  server.mute();
  const begin = performance.now();
  const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  assert.match(error.message, /does not answer/);
  assert.ok(performance.now() - begin < 10_000);
});

test('a server that takes the request and says nothing costs the time for an answer to begin', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { limits: SHORT });
  server.add({ do: 'hang' });
  for (const work of [() => discover(remote, 'git-receive-pack', UNHINDERED), () => post(remote)]) {
    const error = await failsWith(work(), 'REMOTE_UNREACHABLE', 'transient');
    assert.match(error.message, /says nothing for 1 s/);
  }
});

test('a server that falls silent in its answer costs the time of silence', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop', { limits: SHORT });
  server.add({ do: 'stall-response', afterBytes: 20 });
  const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  assert.match(error.message, /says nothing for 1 s/);
});

test('a slow server is waited for as long as it goes on', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { limits: SHORT });
  const slowly = async function* (): AsyncGenerator<Buffer> {
    for (const part of ['# service=git-receive-pack\n', '', `${'1'.repeat(40)} refs/heads/main\0atomic\n`, '']) {
      await wait(SHORT.silenceMs / 2);
      yield part === '' ? FLUSH : pktLine(part);
    }
  };
  const headers = { 'content-type': 'application/x-git-receive-pack-advertisement' };
  server.add({ do: 'answer', headers, body: slowly });
  const begin = performance.now();
  assert.equal((await discover(remote, 'git-receive-pack', UNHINDERED)).refs.size, 1);
  assert.ok(performance.now() - begin > 1.5 * SHORT.silenceMs);
});

test('a cut of the answer is unreachable', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  for (const afterBytes of [0, 10]) {
    const cut = server.add({ do: 'cut-response', afterBytes });
    await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
    cut.remove();
  }
});

test('an abort ends the request with its own reason, and at once', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  server.add({ do: 'hang' });
  const controller = new AbortController();
  const arrival = server.arrival();
  const work = discover(remote, 'git-receive-pack', controller.signal);
  const request = await arrival;
  controller.abort(new Error('stopped by a person'));
  await assert.rejects(work, /stopped by a person/);
  await request.ended;
  await assert.rejects(discover(remote, 'git-receive-pack', controller.signal), /stopped by a person/);
  assert.equal(server.requests.length, 1);
});

test('a closed transport cuts what is under way', async () => {
  await using server = await startGitServer();
  const remote = openRemote(server, 'shop');
  server.add({ do: 'hang' });
  const arrival = server.arrival();
  const work = failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  await arrival;
  await remote[Symbol.asyncDispose]();
  await work;
});

/** An empty request, and its answer to the end. */
async function post(remote: Parameters<typeof callService>[0]): Promise<void> {
  async function* body(): AsyncGenerator<Buffer> {
    yield FLUSH;
  }
  for await (const _ of await callService(remote, 'git-receive-pack', body, UNHINDERED));
}
