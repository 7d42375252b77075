import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../controller/cluster/connect.ts';
import { KeeperError } from '../../controller/errors.ts';
import { readUntil } from './changes.ts';
import { event, type Script, sendJson, sendList, sendStatus, startScriptedServer } from './scripted-server.ts';

/** Accepts one Authorization header and refuses all others. */
function guarded(accepted: () => string, script: Script): Script {
  return (asked, response, count) =>
    asked.headers.authorization === accepted()
      ? script(asked, response, count)
      : sendStatus(response, 401, 'Unauthorized');
}

test('a token that was rotated in the kubeconfig is read again and nobody notices', async () => {
  let accepted = 'Bearer first';
  await using server = await startScriptedServer(
    guarded(
      () => accepted,
      (_asked, response) => sendJson(response, {}),
    ),
  );
  await server.connection.request('/api');
  accepted = 'Bearer second';
  await server.setUser({ token: 'second' });
  await Promise.all(Array.from({ length: 5 }, () => server.connection.request('/api')));
});

test('a watch whose token expired goes on from its version once the token is rotated', async () => {
  let accepted = 'Bearer first';
  await using server = await startScriptedServer(
    guarded(
      () => accepted,
      async (asked, response) => {
        if (asked.query.has('sendInitialEvents')) return sendStatus(response, 422, 'Invalid');
        if (!asked.query.has('watch')) return sendList(response, ['a'], '7');
        if (accepted === 'Bearer second') return void response.write(event('ADDED', 'c', '9'));
        accepted = 'Bearer second';
        response.end(event('ADDED', 'b', '8'));
        setTimeout(() => void server.setUser({ token: 'second' }), 300);
      },
    ),
  );
  const limits = { retry: { baseMs: 300, capMs: 1000 } };
  const words = await readUntil(server.connection, { limits, random: () => 0.9 }, (word) => word === 'applied c');
  assert.equal(words.at(-1), 'applied c');
  assert.equal(words.filter((word) => word.startsWith('skipped')).length, 0);
});

test('a token file is read again when the server refuses what was in it', async () => {
  let accepted = 'Bearer first';
  await using server = await startScriptedServer(
    guarded(
      () => accepted,
      (_asked, response) => sendJson(response, {}),
    ),
  );
  const file = join(dirname(server.kubeconfig), 'token');
  await writeFile(file, 'first\n');
  await server.setUser({ tokenFile: 'token' });
  await using connection = await connect({ kubeconfig: server.kubeconfig });
  await connection.request('/api');
  [accepted] = ['Bearer second', await writeFile(file, 'second\n')];
  await connection.request('/api');
});

test('a plug-in runs once for many requests, again when its token is refused, and is told what it is asked for', async () => {
  let accepted = 'Bearer token-1';
  await using server = await startScriptedServer(
    guarded(
      () => accepted,
      (_asked, response) => sendJson(response, {}),
    ),
  );
  const folder = dirname(server.kubeconfig);
  const log = join(folder, 'runs');
  await writeFile(join(folder, 'plugin.cjs'), PLUGIN);
  await server.setUser({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: [join(folder, 'plugin.cjs'), log],
      interactiveMode: 'Never',
    },
  });
  await using connection = await connect({ kubeconfig: server.kubeconfig });
  await Promise.all(Array.from({ length: 10 }, () => connection.request('/api')));
  assert.equal(await readFile(log, 'utf8'), 'ExecCredential\n');
  accepted = 'Bearer token-2';
  await Promise.all(Array.from({ length: 10 }, () => connection.request('/api')));
  assert.equal(await readFile(log, 'utf8'), 'ExecCredential\nExecCredential\n');
});

test('a plug-in that fails is named, without what it printed of a token', async () => {
  await using server = await startScriptedServer((_asked, response) => sendJson(response, {}));
  const script = `console.error('no session for ' + 'x'.repeat(80)); process.exit(1)`;
  await server.setUser({ exec: { command: process.execPath, args: ['-e', script] } });
  await using connection = await connect({ kubeconfig: server.kubeconfig });
  await assert.rejects(connection.request('/api'), (error) => {
    assert.ok(error instanceof KeeperError);
    assert.equal(error.code, 'CREDENTIALS_REFUSED');
    assert.equal(error.message, 'Cannot get credentials of user "test": no session for ***; nothing was sent');
    return true;
  });
  assert.equal(server.requests.length, 0);
});

test('impersonation and basic authentication reach the server as kubectl sends them', async () => {
  await using server = await startScriptedServer((_asked, response) => sendJson(response, {}));
  await server.setUser({ username: 'ann', password: 'päss', as: 'bob', 'as-groups': ['one', 'two'] });
  await using connection = await connect({ kubeconfig: server.kubeconfig });
  await connection.request('/api');
  const { headers } = server.requests[0] ?? assert.fail();
  assert.equal(headers.authorization, `Basic ${Buffer.from('ann:päss').toString('base64')}`);
  assert.equal(headers['impersonate-user'], 'bob');
  assert.deepEqual(headers['impersonate-group'], 'one, two');
});

test('credentials that stay refused are an error that says so', async () => {
  await using server = await startScriptedServer((_asked, response) => sendStatus(response, 401, 'Unauthorized'));
  await assert.rejects(server.connection.request('/api'), { kind: 'stalled', code: 'CREDENTIALS_REFUSED' });
  assert.equal(server.requests.length, 2);
});

const PLUGIN = `
const { appendFileSync, readFileSync } = require('node:fs');
const told = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
appendFileSync(process.argv[2], told.kind + '\\n');
const runs = readFileSync(process.argv[2], 'utf8').split('\\n').length - 1;
console.log(JSON.stringify({ apiVersion: told.apiVersion, kind: 'ExecCredential', status: { token: 'token-' + runs } }));
`;
