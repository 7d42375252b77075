import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, git, keeper, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

/** After a restart, a kill or a long absence the tree equals what a fresh archive of the live state would be. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
  for (const name of ['shop', 'office']) await cluster.kubectl(['create', 'namespace', name]);
});
after(() => cluster[Symbol.asyncDispose]());

async function put(namespace: string, name: string, value: string): Promise<void> {
  const metadata = { name, namespace };
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

async function remove(namespace: string, name: string): Promise<void> {
  const answer = await cluster.request('DELETE', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
  assert.ok(answer.status < 300, answer.text);
}

/** The tree ids of every repository. */
async function trees(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of (await readdir(directory)).filter((name) => name.endsWith('.git')).sort()) {
    const name = entry.slice(0, -4);
    await git(directory, name, 'fsck', '--strict', '--full');
    // A kill before the first commit leaves a repository without one.
    if ((await git(directory, name, 'for-each-ref', 'refs/heads')) === '') continue;
    found[name] = (await git(directory, name, 'rev-parse', 'main^{tree}')).trim();
  }
  return found;
}

async function assertEqualsLive(directory: string): Promise<void> {
  await using fresh = await temporaryDirectory();
  await mkdir(fresh.path, { recursive: true });
  await copyFile(join(directory, 'fingerprint.key'), join(fresh.path, 'fingerprint.key'));
  await archiveOnce(cluster.kubeconfig, fresh.path);
  assert.deepEqual(await trees(directory), await trees(fresh.path));
}

test('kills at random while changes come lose nothing, and a start without changes makes no commit', async () => {
  await using directory = await temporaryDirectory();
  const stop = new AbortController();
  const churn = (async () => {
    for (let round = 0; !stop.signal.aborted; round++) {
      await put('shop', `map-${round % 20}`, String(round));
      if (round % 7 === 3) await remove('shop', `map-${(round - 3) % 20}`).catch(() => undefined);
      await put('office', `map-${round % 5}`, String(round));
      // Several changes in each window; as many as the API server can take would starve the archiver on a small machine.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  for (let kill = 0; kill < 8; kill++) {
    const archiver = startArchiver(cluster.kubeconfig, directory.path, '--window', '100ms', '--max-window', '300ms');
    await using _running = archiver;
    const seen = kill % 2 === 0 ? 'synced' : 'committed';
    await archiver.waitFor(seen, (line) => line.event === seen);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 600));
    const acknowledged = archiver.lines.filter((line) => line.event === 'committed');
    assert.equal(await archiver.stop('SIGKILL'), 137);
    for (const { repository, id } of acknowledged) {
      await git(directory.path, String(repository), 'merge-base', '--is-ancestor', String(id), 'main');
    }
  }
  stop.abort();
  await churn;
  await archiveOnce(cluster.kubeconfig, directory.path);
  await assertEqualsLive(directory.path);
  const { report } = await archiveOnce(cluster.kubeconfig, directory.path);
  assert.deepEqual(report.commits, []);
});

test('after a week away the tree equals the live state, deleted objects and namespaces included', async () => {
  await using directory = await temporaryDirectory();
  for (let index = 0; index < 30; index++) await put('shop', `week-${index}`, 'before');
  const archiver = startArchiver(cluster.kubeconfig, directory.path);
  await using _running = archiver;
  await archiver.waitFor('the first lists', (line) => line.event === 'synced');
  await archiver.stop();
  for (let index = 0; index < 30; index++) {
    if (index % 3 === 0) await remove('shop', `week-${index}`);
    else if (index % 3 === 1) await put('shop', `week-${index}`, 'after');
  }
  await cluster.kubectl(['create', 'namespace', 'new-one']);
  await cluster.kubectl(['delete', 'namespace', 'office', '--timeout=60s']);
  await cluster.restartApiServer();
  const again = startArchiver(cluster.kubeconfig, directory.path);
  await using _again = again;
  await again.waitFor('the lists', (line) => line.event === 'synced');
  await again.stop();
  assert.match((await subjects(directory.path, 'office'))[0] ?? '', /^namespace office deleted/);
  await git(directory.path, 'office', 'fsck', '--strict', '--full');
  // A fresh archive knows nothing of a namespace that is gone; all others are equal.
  await rm(join(directory.path, 'office.git'), { recursive: true });
  await assertEqualsLive(directory.path);
});

test('a watch that outlives its API server goes on, and what changed meanwhile is there', async () => {
  await using directory = await temporaryDirectory();
  const archiver = startArchiver(cluster.kubeconfig, directory.path);
  await using _running = archiver;
  await archiver.waitFor('the first archive', (line) => line.event === 'committed' && line['repository'] === 'shop');
  await put('shop', 'restart', 'before');
  await archiver.waitFor(
    'a commit',
    (line) => line.event === 'committed' && String(line['subject']).includes('configmaps/restart'),
  );
  await cluster.stopApiServer();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await cluster.startApiServer();
  const from = archiver.lines.length;
  await put('shop', 'restart', 'after');
  const told = (line: { event: string; subject?: unknown }) =>
    line.event === 'committed' && String(line.subject).includes('configmaps/restart');
  await archiver.waitFor('the change after the restart', told, { from, timeoutMs: 60_000 });
  await archiver.stop();
  await assertEqualsLive(directory.path);
});

test('two archivers never write one data directory', async () => {
  await using directory = await temporaryDirectory();
  const archiver = startArchiver(cluster.kubeconfig, directory.path);
  await using _running = archiver;
  await archiver.waitFor('the first lists', (line) => line.event === 'synced');
  const other = await keeper(['archive', '--once', '--kubeconfig', cluster.kubeconfig, '--data-dir', directory.path]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, new RegExp(`^error: Cannot write .*process ${archiver.child.pid}.*--data-dir.*\n$`));
  await archiver.stop('SIGKILL');
  assert.equal((await archiveOnce(cluster.kubeconfig, directory.path)).code, 0);
});
