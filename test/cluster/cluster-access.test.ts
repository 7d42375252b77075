import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Agent, request } from 'undici';
import { type Cluster, startCluster } from './start-cluster.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

test('a cluster starts with the objects that Kubernetes makes by itself, so that they are nobody’s change', async () => {
  for (const namespace of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    for (const object of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
      const { status } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/${object}`);
      assert.equal(status, 200, `${namespace} ${object}`);
    }
  }
});

test('the server proves itself to who trusts the authority, and to nobody else', async () => {
  const headers = { authorization: `Bearer ${cluster.token}` };
  for (const host of ['127.0.0.1', 'localhost']) {
    const url = cluster.server.replace('127.0.0.1', host);
    await using dispatcher = asyncDisposable(new Agent({ connect: { ca: cluster.authority } }));
    assert.equal((await request(`${url}/version`, { headers, dispatcher: dispatcher.agent })).statusCode, 200);
  }
  await using distrusting = asyncDisposable(new Agent());
  await assert.rejects(request(`${cluster.server}/version`, { dispatcher: distrusting.agent }), /certificate/);
});

test('the administrator and users of other names come with client certificates, and RBAC judges them', async () => {
  const whoami = async (kubeconfig: string) => {
    const { status } = JSON.parse(
      await cluster.kubectl(['--kubeconfig', kubeconfig, 'auth', 'whoami', '-o', 'json']),
    ) as { status: { userInfo: { username: string; groups: string[] } } };
    return [status.userInfo.username, ...status.userInfo.groups];
  };
  assert.deepEqual(await whoami(cluster.kubeconfig), ['admin', 'system:masters', 'system:authenticated']);
  assert.equal((await stat(cluster.kubeconfig)).mode & 0o777, 0o600);
  const jane = await cluster.createCertificateUser('Jané of Ops', ['ops', 'night shift']);
  assert.deepEqual(await whoami(jane), ['Jané of Ops', 'ops', 'night shift', 'system:authenticated']);
  await assert.rejects(cluster.kubectl(['--kubeconfig', jane, 'get', 'secrets']), /Forbidden/);
  const config = JSON.parse(await readFile(jane, 'utf8'));
  const certificate = new X509Certificate(Buffer.from(config.users[0].user['client-certificate-data'], 'base64'));
  assert.ok(certificate.verify(new X509Certificate(cluster.authority).publicKey));
});

test('a cluster that cannot start says why, with the words of the process, and leaves nothing', async () => {
  const before = await clusterFolders();
  const apiServerArgs = ['--no-such-flag'];
  await assert.rejects(startCluster({ apiServerArgs }), /kube-apiserver ended: [\s\S]*unknown flag: --no-such-flag/);
  // Others may start clusters at the same time: only what speaks of this flag is ours.
  const left = (await clusterFolders()).filter((name) => !before.includes(name));
  const logs = left.map((name) => readFile(join(tmpdir(), name, 'kube-apiserver.log'), 'utf8').catch(() => ''));
  assert.ok(!(await Promise.all(logs)).some((log) => log.includes('no-such-flag')), left.join());
});

test('a kubeconfig in a place of its own is complete when it appears, and goes with a killed holder', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-access-'));
  context.after(() => rm(directory, { recursive: true }));
  const kubeconfig = join(directory, 'config');
  const code = `
    const { startCluster } = await import('${pathToFileURL(join(import.meta.dirname, 'start-cluster.ts')).href}');
    await startCluster({ controllerManager: false, kubeconfig: ${JSON.stringify(kubeconfig)} });
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await until(() => existsSync(kubeconfig));
    assert.ok(JSON.parse(await readFile(kubeconfig, 'utf8')).users[0].user['client-key-data']);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await until(() => !existsSync(kubeconfig));
  assert.deepEqual(await readdir(directory), []);
});

function asyncDisposable(agent: Agent) {
  return { agent, [Symbol.asyncDispose]: () => agent.destroy() };
}

async function clusterFolders(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('kubekeeper-cluster-'));
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not come to pass in 30 s');
    await sleep(50);
  }
}
