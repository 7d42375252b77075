import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type FaultProxy, startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { promtool } from '../telemetry/promtool.ts';
import { readSeries } from '../telemetry/scraped.ts';
import {
  type Archiver,
  archiveOnce,
  eventually,
  git,
  keeper,
  paths,
  startArchiver,
  temporaryDirectory,
} from './keeper.ts';

/** Probes, metrics and the polite end, of the real process on a real API server. */

let cluster: Cluster;
let proxy: FaultProxy;
before(async () => {
  cluster = await startCluster();
  proxy = await startFaultProxy(cluster);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

/** Where it listens, and what it answers there. */
async function monitored(archiver: Archiver) {
  const { address } = await archiver.waitFor('its address', (line) => line.event === 'listening');
  const ask = async (path: string) => {
    const answer = await fetch(`http://${address}${path}`, { signal: AbortSignal.timeout(5000) });
    return { status: answer.status, text: await answer.text() };
  };
  const scrape = async () => readSeries((await ask('/metrics')).text);
  return { ask, scrape };
}

async function makeNamespace(name: string): Promise<void> {
  await cluster.kubectl(['create', 'namespace', name]);
}

async function put(namespace: string, name: string, value: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value } });
}

test('probes and metrics say how a running archiver does, and promtool finds nothing to say against them', async () => {
  await using directory = await temporaryDirectory();
  await makeNamespace('told');
  const unreadable = proxy.add({ path: /^\/api\/v1\/configmaps$/, action: { do: 'status', code: 503 } });
  const archiver = startArchiver(proxy.kubeconfig, directory.path, '--listen', '127.0.0.1:0');
  await using _running = archiver;
  const { ask, scrape } = await monitored(archiver);

  const early = await ask('/readyz');
  assert.equal(early.status, 503);
  assert.match(early.text, /^\[-\]lists failed: the first lists are not complete$/m);
  assert.equal((await ask('/livez')).status, 200);

  await archiver.waitFor('the first lists', (line) => line.event === 'synced');
  assert.deepEqual(await ask('/readyz'), { status: 200, text: 'ok' });
  const skipped = archiver.lines.find((line) => line.event === 'skipped');
  const gap = `kubekeeper_skipped_resources{code="${skipped?.['code']}"}`;
  const first = await scrape();
  assert.equal(first.get('kubekeeper_synced'), 1);
  assert.equal(first.get('kubekeeper_leader'), 1);
  assert.equal(first.get(gap), 1);
  assert.ok((first.get('kubekeeper_watched_resources') ?? 0) > 40);
  assert.ok((first.get('kubekeeper_lists_total{cause="first"}') ?? 0) > 40);
  const retries = `kubekeeper_retries_total{code="${skipped?.['code']}"}`;
  await eventually('it to be tried again', async () => ((await scrape()).get(retries) ?? 0) >= 2);
  assert.ok((first.get('kubekeeper_listed_objects{resource="namespaces"}') ?? 0) >= 5);
  assert.ok((first.get('kubekeeper_repositories') ?? 0) >= 5);
  assert.ok((first.get('kubekeeper_data_directory_free_bytes') ?? 0) > 0);
  const sign = first.get('kubekeeper_watch_last_sign_timestamp_seconds{resource="deployments.apps"}') ?? 0;
  assert.ok(Math.abs(Date.now() / 1000 - sign) < 120, `the last sign is at ${sign}`);

  await archiver.waitFor(
    'the first archive',
    ({ event, repository }) => event === 'committed' && repository === 'told',
  );
  unreadable.remove();
  await archiver.waitFor('that it is read again', (line) => line.event === 'recovered', { timeoutMs: 90_000 });
  await put('told', 'map', 'a');
  await archiver.waitFor(
    'its commit',
    (line) => line.event === 'committed' && String(line['subject']).includes('configmaps/map'),
  );
  const { status, text } = await ask('/metrics');
  assert.equal(status, 200);
  const later = readSeries(text);
  assert.equal(later.get(gap), 0);
  const commits = archiver.lines.filter((line) => line.event === 'committed');
  assert.equal(later.get('kubekeeper_commits_total'), commits.length);
  assert.equal(later.get('kubekeeper_commit_duration_seconds_count'), commits.length);
  assert.ok((later.get('kubekeeper_last_commit_timestamp_seconds{target_namespace="told"}') ?? 0) > 0);
  assert.ok((later.get('kubekeeper_changes_total{resource="configmaps"}') ?? 0) >= 1);
  assert.deepEqual(await promtool(['check', 'metrics'], text), { code: 0, text: '' });
});

test('an address that is taken ends it in one line, before anything else is done', async () => {
  await using directory = await temporaryDirectory();
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const asked = proxy.requests.length;
  const data = join(directory.path, 'data');
  const args = ['--kubeconfig', proxy.kubeconfig, '--data-dir', data, '--listen', `127.0.0.1:${port}`];
  const ended = await keeper(['archive', ...args]);
  taken.close();
  assert.deepEqual(ended, {
    code: 2,
    stdout: '',
    stderr: `error: Cannot listen on 127.0.0.1:${port}: another process listens there; nothing was changed, choose another with --listen\n`,
  });
  assert.equal(proxy.requests.length, asked);
  await assert.rejects(access(data));
});

test('a polite stop under load ends well within 25 s with everything in Git that was seen', async () => {
  await using directory = await temporaryDirectory();
  const namespaces = Array.from({ length: 20 }, (_, index) => `load-${index}`);
  for (const name of namespaces) await makeNamespace(name);
  const archiver = startArchiver(
    cluster.kubeconfig,
    directory.path,
    ...['--listen', '127.0.0.1:0', '--window', '10m', '--max-window', '10m'],
  );
  await using _running = archiver;
  const { scrape } = await monitored(archiver);
  await archiver.waitFor('the first lists', (line) => line.event === 'synced');
  const before = (await scrape()).get('kubekeeper_changes_total{resource="configmaps"}') ?? 0;
  await Promise.all(
    namespaces.map(async (name) => {
      for (let index = 0; index < 10; index++) await put(name, `map-${index}`, 'seen');
    }),
  );
  const seen = await eventually('all changes to be staged', async () => {
    const series = await scrape();
    return (series.get('kubekeeper_changes_total{resource="configmaps"}') ?? 0) >= before + 200 && series;
  });
  assert.ok((seen.get('kubekeeper_open_windows') ?? 0) >= 20);
  assert.equal(seen.get('kubekeeper_commits_total'), 0);

  const churn = churnUntilStopped(namespaces);
  const started = performance.now();
  const code = await archiver.stop();
  const took = performance.now() - started;
  await churn.stop();
  assert.equal(code, 0, archiver.output().slice(-2000));
  assert.ok(took < 25_000, `it took ${took} ms`);
  const commits = archiver.lines.filter((line) => line.event === 'committed');
  assert.ok(commits.length >= 20);
  for (const { repository, id } of commits) {
    await git(directory.path, String(repository), 'merge-base', '--is-ancestor', String(id), 'main');
  }
  for (const name of namespaces) {
    const found = new Set(await paths(directory.path, name));
    for (let index = 0; index < 10; index++) assert.ok(found.has(`configmaps/map-${index}.json`), `${name} ${index}`);
    await git(directory.path, name, 'fsck', '--strict', '--full');
  }
});

/** Writes on while it stops. */
function churnUntilStopped(namespaces: readonly string[]) {
  let isStopped = false;
  const ended = (async () => {
    for (let round = 0; !isStopped; round++) await put(namespaces[round % namespaces.length] ?? '', 'late', `${round}`);
  })();
  return {
    stop: async () => {
      isStopped = true;
      await ended;
    },
  };
}

/** A Git server that takes connections and never answers. */
async function startHangingRemote(): Promise<AsyncDisposable & { readonly url: string; readonly asked: () => number }> {
  let asked = 0;
  const server = createServer(() => asked++).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/ops/{namespace}.git`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a remote that hangs is told by the age of what waits, and holds up a polite stop for less than 25 s', async () => {
  await using directory = await temporaryDirectory();
  await using remote = await startHangingRemote();
  for (const name of ['apart', 'aside']) await makeNamespace(name);
  const scope = ['--namespaces', 'apart,aside'];
  // With a history it does not wait long for what the remote may know.
  await archiveOnce(cluster.kubeconfig, directory.path, ...scope);
  const args = ['--listen', '127.0.0.1:0', ...scope, '--remote', remote.url, '--forge', 'none'];
  const archiver = startArchiver(cluster.kubeconfig, directory.path, ...args);
  await using _running = archiver;
  const { ask, scrape } = await monitored(archiver);
  await archiver.waitFor('the first lists', (line) => line.event === 'synced', { timeoutMs: 60_000 });
  assert.ok(remote.asked() > 0);
  const waiting = await eventually('both to wait', async () => {
    const series = await scrape();
    return series.get('kubekeeper_unpushed_repositories') === 2 && series;
  });
  assert.ok((waiting.get('kubekeeper_oldest_unpushed_change_age_seconds') ?? 0) > 0);
  assert.ok((waiting.get('kubekeeper_unpushed_change_age_seconds{target_namespace="apart"}') ?? 0) > 0);
  assert.deepEqual(await ask('/readyz'), { status: 200, text: 'ok' });
  assert.deepEqual(await ask('/livez'), { status: 200, text: 'ok' });

  await put('apart', 'last', 'seen');
  await eventually('the change to be staged', async () => (await scrape()).get('kubekeeper_open_windows') !== 0);
  const started = performance.now();
  const code = await archiver.stop();
  const took = performance.now() - started;
  assert.equal(code, 0, archiver.output().slice(-2000));
  assert.ok(took < 25_000, `it took ${took} ms`);
  for (const { repository, id } of archiver.lines.filter((line) => line.event === 'committed')) {
    await git(directory.path, String(repository), 'merge-base', '--is-ancestor', String(id), 'main');
  }
  assert.ok((await paths(directory.path, 'apart')).includes('configmaps/last.json'));
});

test('a replica that waits is ready and does not lead; once it leads, its lists and its epoch are told', async () => {
  await using directory = await temporaryDirectory();
  const args = ['--listen', '127.0.0.1:0', '--leader-elect', '--lease', 'default/served'];
  const first = startArchiver(cluster.kubeconfig, directory.path, ...args);
  await using _first = first;
  await first.waitFor('that it leads', (line) => line.event === 'leading');
  const second = startArchiver(cluster.kubeconfig, directory.path, ...args);
  await using _second = second;
  await second.waitFor('that it waits', (line) => line.event === 'standby');
  const { ask, scrape } = await monitored(second);
  assert.deepEqual(await ask('/readyz'), { status: 200, text: 'ok' });
  const waiting = await scrape();
  assert.equal(waiting.get('kubekeeper_leader'), 0);
  assert.equal(waiting.get('kubekeeper_leader_epoch'), 0);
  assert.equal((await (await monitored(first)).scrape()).get('kubekeeper_leader'), 1);

  assert.equal(await first.stop(), 0, first.output().slice(-2000));
  const { epoch } = await second.waitFor('that it leads', (line) => line.event === 'leading');
  await second.waitFor('the first lists', (line) => line.event === 'synced');
  const leading = await scrape();
  assert.equal(leading.get('kubekeeper_leader'), 1);
  assert.equal(leading.get('kubekeeper_leader_epoch'), epoch);
  assert.equal(leading.get('kubekeeper_synced'), 1);
});

/** An archiver that is asked to stop while a commit's message waits for an API server that hangs. */
async function stopWhileClusterHangs(directory: string, name: string) {
  await makeNamespace(name);
  const metadata = { name: 'web', namespace: name };
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
  const spec = { replicas: 0, selector: { matchLabels: { app: 'web' } }, template };
  await cluster.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec });
  const archiver = startArchiver(
    proxy.kubeconfig,
    directory,
    ...['--listen', '127.0.0.1:0', '--window', '200ms', '--max-window', '10m', '--namespaces', name],
  );
  const monitor = await monitored(archiver);
  await archiver.waitFor('its archive', (line) => line.event === 'committed');
  const hang = proxy.add({ path: /\/customresourcedefinitions\/deployments\.apps$/, action: { do: 'stall' } });
  const deleted = await cluster.request('DELETE', `/apis/apps/v1/namespaces/${name}/deployments/web`);
  assert.ok(deleted.status < 300, deleted.text);
  await eventually('the question that hangs', async () => hang.hits > 0);
  archiver.child.kill('SIGTERM');
  await eventually('that it is not ready', async () => (await monitor.ask('/readyz')).status === 503);
  return { archiver, monitor, hang };
}

test('a cluster that hangs does not hold up a polite stop: not ready at once, alive, and what was seen is in Git', async () => {
  await using directory = await temporaryDirectory();
  const started = performance.now();
  const { archiver, monitor, hang } = await stopWhileClusterHangs(directory.path, 'hanging');
  await using _running = archiver;
  const stopping = performance.now();
  assert.match((await monitor.ask('/readyz')).text, /^\[-\]shutdown failed: it was asked to stop$/m);
  assert.equal((await monitor.ask('/livez')).status, 200);
  assert.equal(await archiver.stop('SIGCONT'), 0, archiver.output().slice(-2000));
  const took = performance.now() - stopping;
  hang.remove();
  assert.ok(took > 1000, `it hung only for ${took} ms of ${performance.now() - started} ms`);
  assert.ok(took < 25_000, `it took ${took} ms`);
  assert.ok(!(await paths(directory.path, 'hanging')).includes('deployments.apps/web.json'));
});

test('a remote that hangs does not hold up a stop before the first lists either', async () => {
  await using directory = await temporaryDirectory();
  await using remote = await startHangingRemote();
  const args = ['--listen', '127.0.0.1:0', '--remote', remote.url, '--forge', 'none'];
  const archiver = startArchiver(cluster.kubeconfig, directory.path, ...args);
  await using _running = archiver;
  await eventually('the remote to be asked', async () => remote.asked() > 0);
  const started = performance.now();
  assert.equal(await archiver.stop(), 0, archiver.output().slice(-2000));
  const took = performance.now() - started;
  assert.ok(took < 5000, `it took ${took} ms`);
});

test('a second signal ends it at once', async () => {
  await using directory = await temporaryDirectory();
  const { archiver, hang } = await stopWhileClusterHangs(directory.path, 'impatient');
  await using _running = archiver;
  const started = performance.now();
  assert.equal(await archiver.stop('SIGTERM'), 130);
  const took = performance.now() - started;
  hang.remove();
  assert.ok(took < 1000, `it took ${took} ms`);
  await git(directory.path, 'impatient', 'fsck', '--strict', '--full');
});
