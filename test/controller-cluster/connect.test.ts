import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../controller/cluster/connect.ts';
import { getObject, resourcePath } from '../../controller/cluster/objects.ts';
import { KeeperError } from '../../controller/errors.ts';
import { CONFIG_MAPS } from './changes.ts';
import { renderKubeconfig, sendJson, sendStatus, startScriptedServer } from './scripted-server.ts';

const ROLES = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles', namespaced: false };

test('an unknown context is refused and the nearest one is named first', async () => {
  await using folder = await temporaryFolder();
  const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }];
  const contexts = ['alpha', 'staging', 'production'].map((name) => ({ name, context: { cluster: 'c' } }));
  const kubeconfig = await folder.write('config', JSON.stringify({ clusters, contexts }));
  await rejectsWith(connect({ kubeconfig, context: 'prodution' }), [
    'There is no context "prodution" in kubeconfig',
    'it has "production", "staging", "alpha"',
  ]);
  await rejectsWith(connect({ kubeconfig }), ['has no current-context; choose one with --context: "alpha"']);
});

test('a kubeconfig that is absent, no YAML or something else is refused with its path', async () => {
  await using folder = await temporaryFolder();
  await rejectsWith(connect({ kubeconfig: join(folder.path, 'none') }), [
    'Cannot read kubeconfig',
    'none',
    '--kubeconfig',
  ]);
  await rejectsWith(connect({ kubeconfig: folder.path }), ['Cannot read kubeconfig']);
  const secret = await folder.write('secret', 'users: [{token: very-secret-token');
  const error = await rejectsWith(connect({ kubeconfig: secret }), ['is not valid YAML']);
  assert.doesNotMatch(`${error.message} ${error.cause}`, /very-secret/);
  await rejectsWith(connect({ kubeconfig: await folder.write('list', '[1, 2]') }), ['is no kubeconfig']);
});

test('certificates that cannot be used are found before anything is contacted', async () => {
  await using folder = await temporaryFolder();
  const config = (cluster: object, user: object) =>
    folder.write(
      'config',
      JSON.stringify({
        'current-context': 'test',
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
        clusters: [{ name: 'test', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
        users: [{ name: 'test', user }],
      }),
    );
  const kubeconfig = await config({ 'certificate-authority': 'gone.pem' }, {});
  await rejectsWith(connect({ kubeconfig }), ['context "test"', 'gone.pem']);
  await config({}, { 'client-certificate-data': Buffer.from('nonsense').toString('base64') });
  await rejectsWith(connect({ kubeconfig }), ['context "test"']);
  await config({ server: 'nonsense' }, {});
  await rejectsWith(connect({ kubeconfig }), ['context "test"']);
});

test('the files of KUBECONFIG are merged as kubectl does, the first that names a thing wins', async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, 'sub'));
  const context = { name: 'test', context: { cluster: 'test' } };
  const first = await folder.write('first', JSON.stringify({ clusters: [], contexts: [context] }));
  const second = await folder.write('sub/second', renderKubeconfig('https://127.0.0.1:2', {}));
  const third = await folder.write('third', renderKubeconfig('https://127.0.0.1:3', {}));
  const before = process.env['KUBECONFIG'];
  process.env['KUBECONFIG'] = [join(folder.path, 'absent'), first, second, third].join(':');
  try {
    await using connection = await connect({});
    assert.deepEqual([connection.server, connection.context], ['https://127.0.0.1:2', 'test']);
  } finally {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
  }
});

test('a server that is not there is unreachable, with its address and what to look at', async () => {
  await using folder = await temporaryFolder();
  const kubeconfig = await folder.write('config', renderKubeconfig('https://127.0.0.1:1', { token: 'secret' }));
  await using connection = await connect({ kubeconfig });
  await assert.rejects(connection.request('/api'), (error) => {
    assert.ok(error instanceof KeeperError);
    assert.deepEqual([error.kind, error.code], ['transient', 'CLUSTER_UNREACHABLE']);
    assert.match(error.message, /^Cannot reach the API server at https:\/\/127\.0\.0\.1:1: connection refused/);
    return true;
  });
});

test('an answer that never ends is given up after the time allowed', async () => {
  await using server = await startScriptedServer((_asked, response) => void response.write('{'));
  await assert.rejects(server.connection.request('/api', { timeoutMs: 200 }), { code: 'CLUSTER_UNREACHABLE' });
});

test('an abort passes the reason of the signal through', async () => {
  await using server = await startScriptedServer(() => undefined);
  const reason = new Error('stopped by a person');
  await assert.rejects(server.connection.request('/api', { signal: AbortSignal.abort(reason) }), reason);
});

test('names keep their case and their escapes, behind a prefix too', async () => {
  await using server = await startScriptedServer((_asked, response) => {
    sendJson(response, { kind: 'ClusterRole', metadata: { name: 'System:My%Role' } });
  }, '/k8s/clusters/c-1');
  assert.equal(
    (await getObject(server.connection, ROLES, { name: 'System:My%Role' }))?.metadata.name,
    'System:My%Role',
  );
  assert.equal(
    server.requests[0]?.path,
    '/k8s/clusters/c-1/apis/rbac.authorization.k8s.io/v1/clusterroles/System%3AMy%25Role',
  );
  assert.equal(resourcePath(CONFIG_MAPS, 'a b', 'x/y'), '/api/v1/namespaces/a%20b/configmaps/x%2Fy');
  assert.throws(() => resourcePath(CONFIG_MAPS, '..', 'x'), { code: 'USAGE_INVALID' });
});

test('an object that does not exist is undefined; a resource that is not served is an error', async () => {
  await using server = await startScriptedServer(({ path }, response) => {
    if (path.includes('clusterroles')) return sendStatus(response, 404, 'NotFound');
    sendJson(
      response,
      { kind: 'Status', code: 404, reason: 'NotFound', details: { name: 'x', kind: 'configmaps' } },
      404,
    );
  });
  assert.equal(await getObject(server.connection, CONFIG_MAPS, { namespace: 'shop', name: 'x' }), undefined);
  await assert.rejects(getObject(server.connection, ROLES, { name: 'x' }), { code: 'RESOURCE_NOT_SERVED' });
});

test('redirects are not followed', async () => {
  await using server = await startScriptedServer((_asked, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  });
  await assert.rejects(server.connection.request('/api'), { code: 'REQUEST_REFUSED' });
});

test('plain text, pages of HTML and tokens in answers make short messages of one line', async () => {
  const token = `eyJhbGciOiJSUzI1NiIsImtpZCI6.${'a'.repeat(40)}.${'b'.repeat(40)}`;
  const bodies = ['service unavailable\nat length', '<html>never</html>', `bad token ${token}`];
  await using server = await startScriptedServer((_asked, response, count) => {
    response.writeHead(503).end(bodies[count - 1]);
  });
  const messages = [];
  for (const _ of bodies) {
    messages.push(await server.connection.request('/apis/x/v1?continue=abc').catch((error: Error) => error.message));
  }
  assert.deepEqual(messages, [
    'Not available now: GET /apis/x/v1 (503: service unavailable); it is tried again',
    'Not available now: GET /apis/x/v1 (503); it is tried again',
    'Not available now: GET /apis/x/v1 (503: bad token ***); it is tried again',
  ]);
});

async function rejectsWith(promise: Promise<unknown>, parts: readonly string[]): Promise<KeeperError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeeperError, `not refused: ${error}`);
  assert.deepEqual([error.kind, error.code], ['invalid-input', 'KUBECONFIG_INVALID']);
  for (const part of parts) assert.ok(error.message.includes(part), error.message);
  assert.doesNotMatch(error.message, /\n/);
  return error;
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'kubekeeper-connect-'));
  return {
    path,
    async write(name: string, text: string): Promise<string> {
      await writeFile(join(path, name), text);
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
