import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually, file, git, paths, startArchiver, temporaryDirectory } from './keeper.ts';
import { type SmallDisk, smallDisk } from './small-disk.ts';

/** The disk of the repositories is full for a while: nothing torn, nothing lost, nothing to do for a person but to make room. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

/** Asks the real git about a copy: it cannot work below /proc, where the disk is seen from here. */
async function look<Answer>(
  disk: SmallDisk,
  repository: string,
  ask: (directory: string) => Promise<Answer>,
): Promise<Answer> {
  await using copy = await temporaryDirectory();
  await cp(join(disk.path, `${repository}.git`), join(copy.path, `${repository}.git`), { recursive: true });
  return await ask(copy.path);
}

const askGit = (disk: SmallDisk, repository: string, ...args: readonly string[]) =>
  look(disk, repository, (directory) => git(directory, repository, ...args));
const FSCK = ['fsck', '--strict', '--no-dangling'] as const;

test('a full disk delays commits, and within a minute of room they are all there', async (t) => {
  await using disk = await smallDisk(96);
  await cluster.kubectl(['create', 'namespace', 'full']);
  await using archiver = startArchiver(cluster.kubeconfig, disk.path, '--namespaces', 'full,fresh');
  await archiver.waitFor('the first commit', ({ event }) => event === 'committed');
  const head = await askGit(disk, 'full', 'rev-parse', 'main');

  await disk.fill();
  await putConfigMap('full', 'while-full', { a: '1' });
  const failed = await archiver.waitFor('a failure that is said', ({ event }) => event === 'storage-failed');
  assert.match(String(failed['reason']), /ENOSPC; what was committed before is safe, make room/);
  assert.equal(await askGit(disk, 'full', 'rev-parse', 'main'), head);
  assert.equal(await askGit(disk, 'full', ...FSCK), '');
  await putConfigMap('full', 'while-full', { a: '2' });
  await cluster.kubectl(['create', 'namespace', 'fresh']);
  await putConfigMap('fresh', 'first', { a: '1' });

  const from = archiver.lines.length;
  const freed = Date.now();
  await disk.free();
  const isCommit = (repository: string) => (line: { event: string; [fact: string]: unknown }) =>
    line.event === 'committed' && line['repository'] === repository;
  await archiver.waitFor('the commit', isCommit('full'), { timeoutMs: 60_000, from });
  await archiver.waitFor('the new repository', isCommit('fresh'), { timeoutMs: 60_000, from });
  t.diagnostic(`all committed ${Date.now() - freed} ms after there was room`);
  await archiver.waitFor('the recovery', ({ event }) => event === 'storage-recovered', { from });
  assert.match(await look(disk, 'full', (at) => file(at, 'full', 'configmaps/while-full.json')), /"a": "2"/);
  await eventually('the new object', async () =>
    (await look(disk, 'fresh', (at) => paths(at, 'fresh'))).includes('configmaps/first.json'),
  );
  for (const repository of ['full', 'fresh']) {
    assert.equal(await askGit(disk, repository, ...FSCK), '');
  }
  assert.equal(await archiver.stop(), 0);
});

test('while the disk is full, changes of many times what may wait in memory do not pile up there', async (t) => {
  await using disk = await smallDisk(160);
  await cluster.kubectl(['create', 'namespace', 'many']);
  await using archiver = startArchiver(cluster.kubeconfig, disk.path, '--namespaces', 'many');
  await archiver.waitFor('the first commit', ({ event }) => event === 'committed');
  await disk.fill();
  const names = Array.from({ length: 80 }, (_, index) => `large-${index}`);
  for (let first = 0; first < names.length; first += 10) {
    const items = names.slice(first, first + 10).map((name) => largeConfigMap('many', name));
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await cluster.kubectl(['create', '-f', '-'], { input: list });
  }
  await archiver.waitFor('a failure that is said', ({ event }) => event === 'storage-failed');
  const rss = await peakMegabytes(archiver.child.pid as number);
  t.diagnostic(`peak RSS ${rss} MiB with 80 changes of 800 KB`);
  assert.ok(rss < 300, `${rss} MiB`);

  const from = archiver.lines.length;
  await disk.free();
  const has = async () =>
    (await look(disk, 'many', (at) => paths(at, 'many'))).filter((path) => path.includes('large-')).length;
  await archiver.waitFor('a commit', ({ event }) => event === 'committed', { timeoutMs: 60_000, from });
  const deadline = Date.now() + 60_000;
  while ((await has()) < names.length && Date.now() < deadline) {
    await archiver.waitFor('a commit', ({ event }) => event === 'committed', { timeoutMs: 60_000, from });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.equal(await has(), names.length);
  assert.equal(await archiver.stop(), 0);
});

function largeConfigMap(namespace: string, name: string) {
  const data = { data: randomBytes(600_000).toString('base64') };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

async function putConfigMap(namespace: string, name: string, data: Record<string, string>): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: JSON.stringify(object) });
}

async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
}
