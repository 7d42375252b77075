import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type GitServer, startGitServer } from '../remote/git-server.ts';
import {
  type Archiver,
  archiveOnce,
  eventually,
  file,
  git,
  type LogLine,
  paths,
  startArchiver,
  subjects,
  temporaryDirectory,
} from './keeper.ts';

/** `kubectl delete namespace`, then another team gets the name: kubekeeper as a user runs it, judged by the real git. */

let cluster: Cluster;
let server: GitServer;
before(async () => {
  cluster = await startCluster();
  server = await startGitServer();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

/** Long enough for all that a team makes first. */
const WINDOW = ['--window', '3s', '--max-window', '20s'];

const FIRST = 'the plan of the first team';
const SECOND = 'the plan of the second team';

/** A namespace with two objects beside those that every namespace has, which are not archived; answers its uid. */
async function make(name: string, plan: string): Promise<string> {
  await cluster.kubectl(['create', 'namespace', name]);
  for (const one of ['plan', 'app']) {
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: one, namespace: name },
      data: { plan },
    });
  }
  const isReady = () => cluster.kubectl(['get', 'configmap/kube-root-ca.crt', 'serviceaccount/default', '-n', name]);
  await eventually('the defaults', () => isReady().then(Boolean, () => false));
  return await cluster.kubectl(['get', 'namespace', name, '-o', 'jsonpath={.metadata.uid}']);
}

async function destroy(name: string): Promise<void> {
  await cluster.kubectl(['delete', 'namespace', name, '--wait=true', '--timeout=60s']);
}

async function idsIn(data: string, repository: string, ...args: string[]): Promise<ReadonlySet<string>> {
  const text = await git(data, repository, 'rev-list', '--all', ...args);
  return new Set(text.split('\n').flatMap((line) => (line === '' ? [] : [line.split(' ')[0] as string])));
}

/** One root commit with exactly what lives; of the old line's commits and contents none but what lives as well. */
async function assertNewLine(data: string, name: string, uid: string, oldLine: string): Promise<void> {
  assert.deepEqual(await subjects(data, name), [`first archive of namespace ${name}: 3 objects`]);
  assert.deepEqual(await paths(data, name), [
    '.kubekeeper/archive.json',
    'configmaps/app.json',
    'configmaps/plan.json',
    `namespaces/${name}.json`,
  ]);
  const { namespace } = JSON.parse(await file(data, name, '.kubekeeper/archive.json')) as { namespace: object };
  assert.deepEqual(namespace, { line: uid.slice(0, 8), name, uid });
  const tree = await git(data, name, 'ls-tree', '-r', '-t', '--format=%(objectname)', 'main');
  const live = new Set([...tree.split('\n'), (await git(data, name, 'rev-parse', 'main^{tree}')).trim()]);
  const commits = await idsIn(data, name);
  assert.deepEqual([...commits].filter((id) => !live.has(id)).length, 1);
  const old = await idsIn(data, oldLine, '--objects');
  const shared = [...(await idsIn(data, name, '--objects'))].filter((id) => old.has(id) && !live.has(id));
  assert.deepEqual(shared, []);
  const contents = await git(data, name, 'cat-file', '--batch-all-objects', '--batch');
  assert.ok(contents.includes(SECOND) && !contents.includes(FIRST));
  await git(data, name, 'fsck', '--strict', '--full');
}

async function assertOldLine(data: string, oldLine: string, name: string): Promise<void> {
  const log = await git(data, oldLine, 'log', '-p', '--format=%s', 'main');
  assert.ok(log.includes(FIRST) && !log.includes(SECOND));
  assert.match((await subjects(data, oldLine))[0] ?? '', new RegExp(`^namespace ${name} deleted`));
  assert.deepEqual(await paths(data, oldLine), ['.kubekeeper/archive.json']);
  await git(data, oldLine, 'fsck', '--strict', '--full');
}

const isNewLine = ({ event }: LogLine) => event === 'new-line';
const isCommitOf = (repository: string) => (line: LogLine) =>
  line.event === 'committed' && line['repository'] === repository;

async function firstCommit(archiver: Archiver, name: string): Promise<LogLine> {
  const turned = await archiver.waitFor('the new line', isNewLine);
  assert.equal(turned.level, 'warn');
  await archiver.waitFor('its first commit', isCommitOf(name), { from: archiver.lines.indexOf(turned) });
  return turned;
}

test('while it is watched: the old line keeps its name apart, the new one has one commit, a restart adds none', async () => {
  await using directory = await temporaryDirectory();
  const data = directory.path;
  const oldUid = await make('shop', FIRST);
  await using archiver = startArchiver(cluster.kubeconfig, data, ...WINDOW, '--namespaces', 'shop');
  await archiver.waitFor('the first commit', isCommitOf('shop'));
  await destroy('shop');
  const uid = await make('shop', SECOND);
  const { oldLine, ...turned } = await firstCommit(archiver, 'shop');
  assert.deepEqual([turned['uid'], turned['oldUid']], [uid, oldUid]);
  await archiver.stop();
  assert.equal(oldLine, `shop.${oldUid.slice(0, 8)}`);
  await assertNewLine(data, 'shop', uid, String(oldLine));
  await assertOldLine(data, String(oldLine), 'shop');
  const again = await archiveOnce(cluster.kubeconfig, data, '--namespaces', 'shop');
  assert.deepEqual([again.report.commits, again.code], [[], 0]);
});

test('while nobody watched, all namespaces in scope: only the one is listed anew, and each has its line', async () => {
  await using directory = await temporaryDirectory();
  const data = directory.path;
  const oldUid = await make('cart', FIRST);
  await archiveOnce(cluster.kubeconfig, data);
  await destroy('cart');
  const uid = await make('cart', SECOND);
  const { report, code } = await archiveOnce(cluster.kubeconfig, data);
  const oldLine = `cart.${oldUid.slice(0, 8)}`;
  assert.deepEqual([report.skipped, report.held, code], [[], [], 0]);
  await assertNewLine(data, 'cart', uid, oldLine);
  await assertOldLine(data, oldLine, 'cart');
  assert.deepEqual((await archiveOnce(cluster.kubeconfig, data)).report.commits, []);
  assert.deepEqual(
    readdirSync(data)
      .filter((name) => name.startsWith('cart'))
      .sort(),
    [`${oldLine}.git`, 'cart.git'],
  );
});

test('with a remote there are two repositories, and after the loss of the disk each line goes on in its own', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const oldUid = await make('desk', FIRST);
  server.createRepository('lines/prod-desk');
  const flags = ['--namespaces', 'desk', '--cluster-name', 'prod', '--forge', 'none'];
  const remote = ['--remote', `${server.url}/lines/{cluster}-{namespace}.git`];
  {
    await using archiver = startArchiver(cluster.kubeconfig, data, ...WINDOW, ...flags, ...remote);
    await archiver.waitFor('the first push', ({ event }) => event === 'pushed');
    await destroy('desk');
    const uid = await make('desk', SECOND);
    const mark = uid.slice(0, 8);
    server.createRepository(`lines/prod-desk.${mark}`);
    await firstCommit(archiver, 'desk');
    const isPushedTo = (name: string) => (line: LogLine) =>
      line.event === 'pushed' && String(line['url']).endsWith(name);
    await archiver.waitFor('the push of the new line', isPushedTo(`prod-desk.${mark}.git`));
    await archiver.stop();
    const old = server.git('lines/prod-desk', 'log', '-p', '--format=%s', 'main');
    assert.ok(old.includes(FIRST) && !old.includes(SECOND));
    assert.match(old, /^namespace desk deleted/);
    const contents = server.git(`lines/prod-desk.${mark}`, 'cat-file', '--batch-all-objects', '--batch');
    assert.ok(contents.includes(SECOND) && !contents.includes(FIRST));
    for (const name of ['desk', `desk.${mark}`]) server.git(`lines/prod-${name}`, 'fsck', '--strict', '--full');
    await assertNewLine(data, 'desk', uid, `desk.${oldUid.slice(0, 8)}`);
  }
  rmSync(data, { recursive: true });
  mkdirSync(data);
  const { report, code } = await archiveOnce(cluster.kubeconfig, data, ...flags, ...remote);
  assert.equal(code, 0, JSON.stringify(report));
  const contents = await git(data, 'desk', 'cat-file', '--batch-all-objects', '--batch');
  assert.ok(contents.includes(SECOND) && !contents.includes(FIRST));
  assert.equal((await subjects(data, 'desk')).at(-1), 'first archive of namespace desk: 3 objects');
});

test('a namespace that a restore made again goes on with its line', async () => {
  await using directory = await temporaryDirectory();
  const data = directory.path;
  const oldUid = await make('team', FIRST);
  const flags = ['--namespaces', 'team'];
  await archiveOnce(cluster.kubeconfig, data, ...flags);
  const tree = await git(data, 'team', 'rev-parse', 'main^{tree}');
  await destroy('team');
  await archiveOnce(cluster.kubeconfig, data, ...flags);
  const uid = await make('team', FIRST);
  mkdirSync(join(data, 'continues'));
  writeFileSync(join(data, 'continues/team.json'), JSON.stringify({ uid, of: oldUid }));
  await archiveOnce(cluster.kubeconfig, data, ...flags);
  assert.equal(await git(data, 'team', 'rev-parse', 'main^{tree}'), tree);
  assert.equal((await subjects(data, 'team')).length, 3);
});
