import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { binary } from './binaries.ts';
import { type Cluster, startCluster } from './start-cluster.ts';

const FIXTURE = pathToFileURL(join(import.meta.dirname, 'start-cluster.ts')).href;
const CHILD = `
  const { startCluster } = await import('${FIXTURE}');
  const cluster = await startCluster({ controllerManager: false });
  console.log(cluster.directory);
  setInterval(() => {}, 1000);
`;

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** What runs for a cluster, by the folder that its command lines name. */
async function processesOf(directory: string): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = pids.map(async (pid) => {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    return { pid: Number(pid), command: words[0] ?? '', named: words.some((word) => word.includes(directory)) };
  });
  return (await Promise.all(lines)).filter(({ named }) => named);
}

/** Starts a cluster in a process that leads a group of its own, so that it can be killed whole. */
async function startInChild(environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const group = -(child.pid ?? Number.NaN);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const directory = (await lines.next()).value ?? '';
  assert.notEqual(directory, '', 'the child printed no folder');
  return {
    directory,
    kill: () => process.kill(group, 'SIGKILL'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
      await untilGone(directory);
    },
  };
}

async function untilGone(directory: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const left = await processesOf(directory);
    if (left.length === 0 && !existsSync(directory)) return;
    const commands = left.map(({ command }) => command).join(', ');
    assert.ok(performance.now() < deadline, `left after 10 s: ${commands}, folder: ${existsSync(directory)}`);
    await wait(100);
  }
}

test('a cluster is ready in under 10 s, is Kubernetes 1.36.3, and leaves nothing behind', async () => {
  let directory = '';
  {
    await using cluster = await startCluster();
    directory = cluster.directory;
    assert.ok(cluster.readyMs < 10_000, `it took ${cluster.readyMs} ms`);
    const commands = (await processesOf(directory)).map(({ command }) => basename(command)).sort();
    assert.deepEqual(commands, ['etcd', 'kube-apiserver', 'kube-controller-manager', basename(process.execPath)]);
    const { serverVersion } = JSON.parse(await cluster.kubectl(['version', '-o', 'json']));
    assert.deepEqual([serverVersion.gitVersion, serverVersion.major, serverVersion.minor], ['v1.36.3', '1', '36']);
  }
  assert.deepEqual([await processesOf(directory), existsSync(directory)], [[], false]);
});

describe('of two clusters side by side', () => {
  let one: Cluster;
  let two: Cluster;
  before(async () => {
    [one, two] = await Promise.all([startCluster(), startCluster({ controllerManager: false })]);
  });
  after(async () => {
    await Promise.all([one?.[Symbol.asyncDispose](), two?.[Symbol.asyncDispose]()]);
  });

  test('neither knows of the other', async () => {
    assert.notEqual(one.server, two.server);
    assert.notEqual(one.directory, two.directory);
    await one.kubectl(['create', 'namespace', 'only-here']);
    assert.equal((await two.request('GET', '/api/v1/namespaces/only-here')).status, 404);
  });

  test('the controller manager works: a deleted namespace goes away and a Deployment gets its ReplicaSet', async () => {
    await one.kubectl(['create', 'namespace', 'short']);
    await one.kubectl(['create', 'deployment', 'web', '--image=web:1', '-n', 'short']);
    await until(async () => (await one.kubectl(['get', 'replicasets', '-n', 'short', '-o', 'name'])) !== '');
    await one.kubectl(['delete', 'namespace', 'short', '--wait=false']);
    await until(async () => (await one.request('GET', '/api/v1/namespaces/short')).status === 404);
  });

  test('kubectl reads what apply wrote, takes standard input and says what is wrong', async () => {
    const metadata = { name: 'settings', namespace: 'default' };
    await two.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { colour: 'red' } });
    const output = ['-o', 'jsonpath={.data.colour}'];
    assert.equal(await two.kubectl(['get', 'configmap', 'settings', ...output]), 'red');
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    assert.match(await two.kubectl(['apply', '-f', '-'], { input }), /namespace\/shop created/);
    assert.equal((await two.request('GET', '/api/v1/namespaces/shop')).status, 200);
    await assert.rejects(two.kubectl(['get', 'configmap', 'absent']), /"absent" not found/);
    await assert.rejects(two.apply({ apiVersion: 'v1', kind: 'Nothing', metadata: { name: 'x' } }), /not served/);
  });

  test('a user may do what the rules say, and other rules take effect', async () => {
    const read = (resource: string) => [{ apiGroups: [''], resources: [resource], verbs: ['get', 'list', 'watch'] }];
    const user = await two.createUser('reader', read('configmaps'));
    const list = (resource: string) => two.kubectl(['--kubeconfig', user.kubeconfig, 'get', resource, '-A']);
    await list('configmaps');
    await assert.rejects(list('secrets'), /Forbidden/);
    await user.setRules(read('secrets'));
    await until(async () =>
      list('secrets').then(
        () => true,
        () => false,
      ),
    );
    await assert.rejects(list('configmaps'), /Forbidden/);
  });

  test('the API server restarts at the same address with the same objects', async () => {
    await two.kubectl(['create', 'namespace', 'stays']);
    const pid = async () =>
      (await processesOf(two.directory)).find(({ command }) => command.endsWith('kube-apiserver'))?.pid;
    const first = await pid();
    await two.restartApiServer();
    assert.notEqual(await pid(), first);
    assert.equal((await two.request('GET', '/api/v1/namespaces/stays')).status, 200);
    await two.stopApiServer();
    assert.equal(await pid(), undefined);
    await assert.rejects(two.request('GET', '/readyz'));
    await two.startApiServer();
    assert.equal((await two.request('GET', '/api/v1/namespaces/stays')).status, 200);
  });
});

test('a test that is killed leaves neither process nor folder', async () => {
  await using child = await startInChild();
  const commands = (await processesOf(child.directory)).map(({ command }) => basename(command));
  assert.ok(commands.includes('etcd') && commands.includes('kube-apiserver'), commands.join());
  child.kill();
  await untilGone(child.directory);
});

test('KUBEBUILDER_ASSETS names the programs that run', async () => {
  const assets = await mkdtemp(join(await realpath(tmpdir()), 'kubekeeper-assets-'));
  try {
    for (const name of ['etcd', 'kube-apiserver', 'kubectl'] as const)
      await symlink(await binary(name), join(assets, name));
    await using child = await startInChild({ KUBEBUILDER_ASSETS: assets });
    const commands = (await processesOf(child.directory)).map(({ command }) => command);
    for (const name of ['etcd', 'kube-apiserver']) assert.ok(commands.includes(join(assets, name)), commands.join());
  } finally {
    await rm(assets, { recursive: true });
  }
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'it did not come to pass in 20 s');
    await wait(100);
  }
}
