import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type UpgradingConnection } from '../../controller/cluster/connect.ts';
import { openPodExec } from '../../controller/cluster/exec.ts';
import type { ExecEnd, PodExec } from '../../controller/core/data/hooks-exec.ts';
import { runAtEnd, withEndOfInput } from '../../controller/data/quiesce-guard.ts';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';

const skip = await missingForNode();

let world: TestNode;
let connection: UpgradingConnection;
let exec: PodExec;
before(async () => {
  if (skip !== false) return;
  world = await startTestNode();
  await world.createNamespace('shell');
  await world.runPod('shell', 'web', []);
  connection = await connect({ kubeconfig: world.cluster.kubeconfig });
  exec = openPodExec(connection);
});
after(async () => {
  await connection?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const WEB = { namespace: 'shell', pod: 'web', container: 'main' };
const signal = AbortSignal.timeout(120_000);

const start = (command: readonly string[], input = false, place = WEB) => exec.start(place, command, { input, signal });

async function endOf(...command: readonly string[]): Promise<ExecEnd> {
  return (await start(command)).ended;
}

test('a command runs without a shell, and its exit code comes back', { skip }, async () => {
  assert.deepEqual(await endOf('true'), { kind: 'exited', exitCode: 0 });
  assert.deepEqual(await endOf('sh', '-c', 'exit "$1"', 'it', '7'), { kind: 'exited', exitCode: 7 });
  assert.deepEqual(await endOf('test', 'a b&c=d?%', '=', 'a b&c=d?%'), { kind: 'exited', exitCode: 0 });
});

test('what the node cannot start is told in words, without the command', { skip }, async () => {
  const absent = { kind: 'not-started', why: 'the container has no such program' };
  assert.deepEqual(await endOf('s3cret-program', 's3cret'), absent);
  assert.deepEqual(await endOf('/etc/passwd'), {
    kind: 'not-started',
    why: 'the container may not execute that program',
  });
});

test('what the API server refuses is its refusal, with its words', { skip }, async () => {
  const pod = start(['true'], false, { ...WEB, pod: 'none' });
  await assert.rejects(pod, { code: 'OBJECT_NOT_FOUND' });
  const container = start(['true'], false, { ...WEB, container: 'none' });
  await assert.rejects(container, { code: 'REQUEST_REFUSED', message: /container none is not valid/ });
});

test('lines of output are counted and dropped, however many there are', { skip }, async () => {
  const before = process.memoryUsage().rss;
  const session = await start(['sh', '-c', 'yes 0123456789 | head -n 3000000']);
  assert.equal(await session.wrote(3_000_000), true);
  assert.deepEqual(await session.ended, { kind: 'exited', exitCode: 0 });
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 100 * 2 ** 20, `33 MB of output cost ${grown} bytes`);
  const silent = await start(['sh', '-c', 'echo one; echo no >&2; printf half']);
  assert.deepEqual([await silent.wrote(1), await silent.wrote(2)], [true, false]);
});

test('the input stays open until it is ended, and the end is seen', { skip }, async () => {
  const session = await start(['sh', '-c', 'echo up; read -r one && cat; exit 5'], true);
  assert.equal(await session.wrote(1), true);
  session.nudge();
  assert.equal(session.end, undefined);
  session.endInput();
  assert.deepEqual(await session.ended, { kind: 'exited', exitCode: 5 });
});

test('a session that is left has its input ended in the pod', { skip }, async () => {
  const session = await start(['sh', '-c', 'echo up; cat; touch /tmp/left'], true);
  assert.equal(await session.wrote(1), true);
  session.leave();
  assert.deepEqual(await session.ended, { kind: 'unseen' });
  const isThere = async () => (await world.node.exec('shell', 'web', ['ls', '/tmp'])).includes('left');
  const deadline = performance.now() + 10_000;
  while (!(await isThere())) assert.ok(performance.now() < deadline, 'its input is still open');
});

test('a token that the server refuses is renewed before the refusal counts', { skip }, async () => {
  const rules = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] }];
  const user = await world.cluster.createUser('late', rules);
  const file = join(world.cluster.directory, 'late.token');
  await writeFile(file, 'not-a-token', { mode: 0o600 });
  const text = await readFile(user.kubeconfig, 'utf8');
  const kubeconfig = join(world.cluster.directory, 'late.json');
  await writeFile(kubeconfig, text.replace(/"token": "[^"]*"/, `"tokenFile": ${JSON.stringify(file)}`));
  await using late = await connect({ kubeconfig });
  const begin = () => openPodExec(late).start(WEB, ['true'], { input: false, signal });
  await assert.rejects(begin(), { code: 'CREDENTIALS_REFUSED' });
  await writeFile(file, user.token);
  // Credentials are not renewed more often than every two seconds.
  await sleep(2100);
  assert.deepEqual(await (await begin()).ended, { kind: 'exited', exitCode: 0 });
});

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Record<string, unknown> }[];
  readonly users: readonly { readonly user: Record<string, unknown> }[];
}

/** The administrator's, changed. */
async function kubeconfigWith(name: string, change: (config: Kubeconfig) => void): Promise<string> {
  const config = JSON.parse(await readFile(world.cluster.kubeconfig, 'utf8')) as Kubeconfig;
  change(config);
  const path = join(world.cluster.directory, name);
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

test('the proxy of the kubeconfig is used, as for every other request', { skip }, async () => {
  let tunnels = 0;
  const proxy = createServer().on('connect', (request, socket) => {
    tunnels++;
    const upstream = createConnection(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    for (const end of [upstream, socket]) end.on('error', () => undefined);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as AddressInfo;
  const kubeconfig = await kubeconfigWith('proxied.json', ({ clusters }) => {
    for (const { cluster } of clusters) cluster['proxy-url'] = `http://127.0.0.1:${port}`;
  });
  {
    await using proxied = await connect({ kubeconfig });
    const session = await openPodExec(proxied).start(WEB, ['cat'], { input: true, signal });
    session.endInput();
    assert.deepEqual(await session.ended, { kind: 'exited', exitCode: 0 });
  }
  assert.ok(tunnels > 0);
  proxy.closeAllConnections();
  proxy.close();
});

test('whom the kubeconfig impersonates is who runs the command, with all groups', { skip }, async () => {
  const group = 'rbac.authorization.k8s.io';
  const [apiVersion, metadata] = [`${group}/v1`, { name: 'exec-of-group' }];
  const rules = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] }];
  await world.cluster.apply({ apiVersion, kind: 'ClusterRole', metadata, rules });
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ apiGroup: group, kind: 'Group', name: 'second' }];
  await world.cluster.apply({ apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects });
  const asGroups = async (...groups: readonly string[]) => {
    const kubeconfig = await kubeconfigWith('impersonating.json', ({ users }) => {
      for (const { user } of users) Object.assign(user, { as: 'somebody', 'as-groups': groups });
    });
    await using impersonating = await connect({ kubeconfig });
    return (await openPodExec(impersonating).start(WEB, ['true'], { input: false, signal })).ended;
  };
  await assert.rejects(asGroups('first', 'third'), { code: 'RESOURCE_FORBIDDEN' });
  assert.deepEqual(await asGroups('first', 'second'), { kind: 'exited', exitCode: 0 });
});

test('a connection that ends before the command does is told as lost', { skip }, async () => {
  const session = await start(['sh', '-c', 'echo up; sleep 30'], true);
  assert.equal(await session.wrote(1), true);
  await world.cluster.restartApiServer('SIGKILL');
  assert.deepEqual(await session.ended, { kind: 'lost' });
  assert.deepEqual(await endOf('true'), { kind: 'exited', exitCode: 0 });
});

test('a session that waits for our end runs its command by itself after the longest time', { skip }, async () => {
  const session = await start(runAtEnd(['sh', '-c', 'exit 6'], 1000), true);
  assert.equal(await session.wrote(1), true);
  const began = performance.now();
  assert.deepEqual(await session.ended, { kind: 'exited', exitCode: 6 });
  assert.ok(performance.now() - began > 700);
});

test('a held command has its input ended after the longest time, and its own end is seen at once', {
  skip,
}, async () => {
  const held = await start(withEndOfInput(['sh', '-c', 'echo held; cat; exit 8'], 1000), true);
  assert.equal(await held.wrote(2), true);
  const began = performance.now();
  assert.deepEqual(await held.ended, { kind: 'exited', exitCode: 8 });
  assert.ok(performance.now() - began > 700);
  const early = await start(withEndOfInput(['sh', '-c', 'echo held; exit 9'], 60_000), true);
  assert.deepEqual(await early.ended, { kind: 'exited', exitCode: 9 });
});
