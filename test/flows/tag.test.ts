import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { askForPoint } from '../../controller/git/ask-archiver.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type GitServer, startGitServer } from '../remote/git-server.ts';
import { archiveOnce, type Ended, eventually, git, keeper, startArchiver, temporaryDirectory } from './keeper.ts';

/** A state is called good, with what was true of it then; with a running archiver and without, and the remote has it. */

let cluster: Cluster;
let server: GitServer;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  server = await startGitServer();
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' } });
  await deploy('web', 2);
  await deploy('slow', 0);
  await makePod();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const spec = { containers: [{ name: 'web', image: 'shop/web:1.4' }] };

/** No controller runs here, so what one would say is said for it. */
async function deploy(name: string, available: number): Promise<void> {
  const metadata = { name, namespace: 'shop' };
  const template = { metadata: { labels: { app: name } }, spec };
  const selector = { matchLabels: { app: name } };
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 2, selector, template },
  });
  const status = { observedGeneration: 1, replicas: 2, readyReplicas: available, availableReplicas: available };
  await patchStatus(`/apis/apps/v1/namespaces/shop/deployments/${name}`, status);
}

async function makePod(): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace: 'shop' }, spec });
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await patchStatus('/api/v1/namespaces/shop/pods/bare', status);
}

async function patchStatus(path: string, status: object): Promise<void> {
  const answer = await cluster.request('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
  assert.ok(answer.status < 300, answer.text);
}

async function put(value: string): Promise<void> {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'app', namespace: 'shop' },
    data: { value },
  });
}

function tag(directory: string, ...args: readonly string[]): Promise<Ended> {
  return keeper(['tag', 'shop', ...args, '--kubeconfig', cluster.kubeconfig, '--data-dir', directory]);
}

test('a good state has its evidence in the tag, and an older one says that it has none', async () => {
  await using directory = await temporaryDirectory();
  await put('1');
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  const ended = await tag(
    directory.path,
    'friday',
    '-m',
    'before the sale',
    '--tagger',
    'Ada Lovelace <ada@example.com>',
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^good\/friday is [0-9a-f]{10} of shop; the next archive pushes it/);
  const message = (await git(directory.path, 'shop', 'tag', '-l', '--format=%(contents)', 'good/friday')).trim();
  assert.deepEqual(message.replace(/\d{4}-\d\d-\d\dT[\d:]+Z/, 'TIME').split('\n'), [
    'before the sale',
    '',
    'Evidence: counted at TIME',
    'Deployments: 1 of 2 available (not slow)',
    'StatefulSets: 0 of 0 available',
    'DaemonSets: 0 of 0 available',
    'Bare-Pods: 1 of 1 ready',
    'Jobs-Failed: 0',
    'Live-Equals-Head: yes',
  ]);
  const who = await git(
    directory.path,
    'shop',
    'tag',
    '-l',
    '--format=%(taggername) %(taggeremail) %(objecttype)',
    'good/friday',
  );
  assert.equal(who.trim(), 'Ada Lovelace <ada@example.com> tag');
  await put('2');
  const drifted = await tag(directory.path, 'good/drifted', '-m', 'x');
  assert.match(drifted.stdout, /^Live-Equals-Head: no, 1 object differs$/m);
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  const older = JSON.parse((await tag(directory.path, 'good/older', 'HEAD~1', '-m', 'x', '-o', 'json')).stdout);
  assert.equal(older.message, 'x\n\nEvidence: none, tagged afterwards\n');
  const offline = await keeper(['tag', 'shop', 'offline', '-m', 'x', '--data-dir', directory.path], {
    KUBECONFIG: await deadCluster(directory.path),
  });
  assert.equal(offline.code, 0, offline.stderr);
  assert.match(offline.stdout, /^Evidence: none, the cluster did not answer$/m);
  await git(directory.path, 'shop', 'fsck', '--strict', '--full');
  const listed = await keeper(['tags', 'shop', '--data-dir', directory.path]);
  const rows = listed.stdout.trim().split('\n').slice(1);
  assert.equal(rows.length, 4);
  assert.match(
    rows.find((row) => row.startsWith('good/friday')) ?? '',
    /Ada Lovelace +1 object drifted +before the sale$/,
  );
  assert.match(rows.find((row) => row.startsWith('good/offline')) ?? '', / the same +x$/);
  const document = JSON.parse((await keeper(['tags', 'shop', '--data-dir', directory.path, '-o', 'json'])).stdout);
  assert.deepEqual([document.version, document.tags.length], [1, 4]);
});

/** Nobody listens there. */
async function deadCluster(directory: string): Promise<string> {
  const path = join(directory, 'dead.kubeconfig');
  const clusters = [{ name: 'dead', cluster: { server: 'http://127.0.0.1:9' } }];
  const contexts = [{ name: 'dead', context: { cluster: 'dead', user: 'dead' } }];
  const users = [{ name: 'dead', user: {} }];
  writeFileSync(
    path,
    JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters, contexts, users, 'current-context': 'dead' }),
  );
  return path;
}

test('wrong names and missing words are told in one line, exit with 2 and tag nothing', async () => {
  await using directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  assert.equal((await tag(directory.path, 'taken', '-m', 'x')).code, 0);
  for (const [args, pattern] of [
    [['pre/mine', '-m', 'x'], /are kubekeeper's own/],
    [['good/taken', '-m', 'x'], /the tag good\/taken exists in "shop" already/],
    [['good/new'], /-m is missing/],
    [['good/a b', '-m', 'x'], /no name that Git allows/],
    [['good/new', 'HEAD~99', '-m', 'x'], /the history is not that long|Cannot find "HEAD~99"/],
    [['good/new', '-m', 'x', '--tagger', 'Ada'], /--tagger takes "NAME <EMAIL>"/],
  ] as const) {
    const ended = await tag(directory.path, ...args);
    assert.deepEqual([ended.code, ended.stdout], [2, ''], `${args.join(' ')}: ${ended.stderr}`);
    assert.match(ended.stderr, pattern);
  }
  assert.equal((await git(directory.path, 'shop', 'tag')).trim(), 'good/taken');
});

test('beside a running archiver that one tags, and the remote has the tag although nothing was committed', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  mkdirSync(data);
  const remote = server.createRepository('team/prod-shop');
  const flags = [
    '--namespaces',
    'shop',
    '--cluster-name',
    'prod',
    '--forge',
    'none',
    '--remote',
    `${server.url}/team/{cluster}-{namespace}.git`,
  ];
  await using archiver = startArchiver(cluster.kubeconfig, data, ...flags);
  await archiver.waitFor('the first push', ({ event }) => event === 'pushed');
  const head = (await git(data, 'shop', 'rev-parse', 'main')).trim();
  const ended = await tag(data, 'good/live', '-m', 'it runs');
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /the running archiver pushes it/);
  assert.equal((await git(data, 'shop', 'rev-parse', 'good/live^{commit}')).trim(), head);
  const there = await eventually(
    'the tag at the remote',
    async () => server.git('team/prod-shop', 'tag', '-l').includes('good/live'),
    10_000,
  );
  assert.equal(there, true, remote.url);
  const taken = await tag(data, 'good/live', '-m', 'again');
  assert.equal(taken.code, 2);
  const tagger = { name: 'Ada', email: 'ada@example.com' };
  const asked = { repository: 'shop', name: 'pre/restore', message: 'before a restore', tagger };
  const done = await askForPoint(data, asked, { signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 });
  assert.deepEqual(done, { commit: (await git(data, 'shop', 'rev-parse', 'main')).trim(), tag: 'pre/restore' });
  await assert.rejects(
    askForPoint(data, asked, { signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 }),
    /the tag "pre\/restore" exists/,
  );
  await archiver.stop();
  assert.equal(await askForPoint(data, asked, { signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 }), undefined);
  assert.deepEqual(readdirSync(join(data, 'requests')), []);
  // A tag that is made while nobody archives goes with the next archive, although that one commits nothing.
  assert.equal((await tag(data, 'good/later', '-m', 'x')).code, 0);
  const { report } = await archiveOnce(cluster.kubeconfig, data, ...flags);
  assert.deepEqual(report.commits, []);
  assert.match(server.git('team/prod-shop', 'tag', '-l'), /good\/later/);
});
