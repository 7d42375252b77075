import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { FLUSH, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { callService } from '../../controller/git/remote/request.ts';
import type { Remote } from '../../controller/git/remote/transport.ts';
import { GitClient } from './git-client.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote, rotating, SHORT, token, UNHINDERED } from './remotes.ts';

const NOTHING = '0'.repeat(40);

test('a small body is sent with its length, a large one as it comes, and the answer comes as sent', async () => {
  await using server = await startGitServer();
  for (const [name, size] of [
    ['small', 1000],
    ['large', 3_000_000],
  ] as const) {
    server.createRepository(name);
    await using remote = openRemote(server, name);
    const { id, body } = await prepare(size);
    assert.match(await send(remote, body), /unpack ok.*ok refs\/heads\/main/s);
    assert.equal(server.git(name, 'rev-parse', 'main').trim(), id);
    const request = server.requests.at(-1);
    assert.equal(request?.headers['content-length'] !== undefined, name === 'small');
    assert.equal(request?.headers['transfer-encoding'], name === 'small' ? undefined : 'chunked');
    assert.equal(request?.headers['content-type'], 'application/x-git-receive-pack-request');
    assert.ok((request?.bytesIn ?? 0) > size);
  }
});

test('a body is made again for the second attempt, after a renewed credential', async () => {
  await using server = await startGitServer({ auth: { token: 'second' } });
  server.createRepository('shop');
  const credentials = rotating(token('first'), token('second'));
  await using remote = openRemote(server, 'shop', { credentials });
  const { id, body } = await prepare(3_000_000);
  let made = 0;
  const counted = () => {
    made++;
    return body();
  };
  assert.match(await send(remote, counted), /unpack ok/);
  assert.equal(made, 2);
  assert.equal(credentials.renewals, 1);
  assert.equal(server.git('shop', 'rev-parse', 'main').trim(), id);
});

test('a body that fails ends the request with its own error, and the server keeps nothing', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  const { body } = await prepare(3_000_000);
  for (const after of [0, 2_000_000]) {
    const mine = new Error('The disk is gone');
    const failing = async function* (): AsyncGenerator<Buffer> {
      let sent = 0;
      for await (const part of body()) {
        if (sent >= after) throw mine;
        sent += part.length;
        yield part;
      }
    };
    await assert.rejects(send(remote, failing), (error) => error === mine);
  }
  await Promise.all(server.requests.map(({ ended }) => ended));
  assert.equal(server.git('shop', 'for-each-ref'), '');
});

test('what a body holds is let go of also when nobody is there to take it', { timeout: 30_000 }, async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  await server.stop();
  const { promise, resolve } = Promise.withResolvers<void>();
  const holding = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* endless();
    } finally {
      resolve();
    }
  };
  await failsWith(send(remote, holding), 'REMOTE_UNREACHABLE', 'transient');
  await promise;
});

test('a connection that is cut in the middle of the pack is unreachable, and nothing of it stays', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  const { body } = await prepare(3_000_000);
  server.add({ do: 'cut-request', afterBytes: 2_000_000 });
  await failsWith(send(remote, body), 'REMOTE_UNREACHABLE', 'transient');
  await server.requests[0]?.ended;
  assert.equal(server.git('shop', 'for-each-ref'), '');
});

test('a server that stops taking the pack costs the time of silence', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { limits: SHORT });
  // It takes the head of the request only: what follows fills the buffers between, and then nothing moves.
  server.add({ do: 'choke', afterBytes: 100_000 });
  const endlessBody = async function* (): AsyncGenerator<Buffer> {
    yield* endless();
  };
  const error = await failsWith(send(remote, endlessBody), 'REMOTE_UNREACHABLE', 'transient');
  assert.match(error.message, /takes nothing and says nothing for 1 s/);
});

test('time that we take ourselves is not the silence of the server', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  const limitMs = 2000;
  await using remote = openRemote(server, 'shop', { limits: { headersMs: limitMs, silenceMs: limitMs } });
  const { body } = await prepare(1_500_000);
  const thoughtful = async function* (): AsyncGenerator<Buffer> {
    let sent = 0;
    for await (const part of body()) {
      if (sent < 1_300_000 && sent + part.length >= 1_300_000) await wait(1.25 * limitMs);
      sent += part.length;
      yield part;
    }
  };
  const answer = await callService(remote, 'git-receive-pack', thoughtful, UNHINDERED);
  let text = '';
  for await (const part of answer) {
    if (text === '') await wait(1.25 * limitMs);
    text += Buffer.from(part).toString('latin1');
  }
  assert.match(text, /unpack ok/);
});

test('an answer that grows without end is bounded', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { limits: { reportBytes: 1024 * 1024 } });
  const headers = { 'content-type': 'application/x-git-receive-pack-result' };
  server.add({ do: 'answer', headers, body: endless });
  const { body } = await prepare(10);
  await failsWith(send(remote, body), 'REMOTE_REFUSED', 'stalled');
  await server.requests[0]?.ended;
  assert.ok((server.requests[0]?.bytesOut ?? 0) < 16 * 1024 * 1024);
});

test('an answer that nobody wants to its end costs its connection and nothing else', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  const headers = { 'content-type': 'application/x-git-receive-pack-result' };
  server.add({ do: 'answer', headers, body: endless });
  const { body } = await prepare(10);
  for await (const _ of await callService(remote, 'git-receive-pack', body, UNHINDERED)) break;
  await server.requests[0]?.ended;
});

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

/** A push of one commit with so many bytes in it. */
async function prepare(size: number): Promise<{ id: string; body: () => AsyncIterable<Buffer> }> {
  using client = new GitClient();
  const id = await client.init({ 'a.bin': randomBytes(size) });
  const pack = await client.pack();
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.concat([pktLine(`${NOTHING} ${id} refs/heads/main\0report-status`), FLUSH]);
    for (let at = 0; at < pack.length; at += 65_536) yield pack.subarray(at, at + 65_536);
  }
  return { id, body };
}

async function send(remote: Remote, body: () => AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const part of await callService(remote, 'git-receive-pack', body, UNHINDERED))
    text += Buffer.from(part).toString('latin1');
  return text;
}
