import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type GitServer, startGitServer } from '../remote/git-server.ts';
import {
  type Archiver,
  archiveOnce,
  eventually,
  git,
  type LogLine,
  startArchiver,
  temporaryDirectory,
} from './keeper.ts';

/** kubekeeper as a user runs it, a real API server, a real Git server behind TLS: what is applied is on the remote within seconds. */

const CANARY = 'kkcanary4711-0815token';

let cluster: Cluster;
let server: GitServer;
before(async () => {
  cluster = await startCluster();
  for (const name of ['shop', 'cart']) await cluster.kubectl(['create', 'namespace', name]);
  server = await startGitServer({ tls: true, auth: { token: CANARY } });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function put(name: string, value: string, namespace = 'shop'): Promise<void> {
  const metadata = { name, namespace };
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

/** Flags for a remote of its own per test; the credentials lie in a file beside the data. */
async function remoteFlags(directory: string, group: string): Promise<readonly string[]> {
  for (const name of ['shop', 'cart']) server.createRepository(`${group}/prod-${name}`);
  await mkdir(join(directory, 'data'), { recursive: true });
  writeFileSync(join(directory, 'token'), `${CANARY}\n`, { mode: 0o600 });
  writeFileSync(join(directory, 'ca.pem'), server.authority);
  return [
    ...['--namespaces', 'shop,cart', '--cluster-name', 'prod', '--forge', 'none'],
    ...['--remote', `${server.url}/${group}/{cluster}-{namespace}.git`],
    ...['--remote-credentials', join(directory, 'token'), '--remote-ca', join(directory, 'ca.pem')],
  ];
}

function isPushed(id: string) {
  return (line: LogLine) => line.event === 'pushed' && line['id'] === id;
}

async function applied(archiver: Archiver, name: string, value: string): Promise<{ id: string; ms: number }> {
  const from = archiver.lines.length;
  const began = performance.now();
  await put(name, value);
  const isCommitted = (line: LogLine) =>
    line.event === 'committed' && String(line['subject']).includes(`configmaps/${name}`);
  const committed = await archiver.waitFor('the commit', isCommitted, { from });
  await archiver.waitFor('the push', isPushed(String(committed['id'])), { from });
  return { id: String(committed['id']), ms: performance.now() - began };
}

test('kubectl apply is a commit and on the remote within seconds, and the token is nowhere but in its header', async (context) => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const flags = await remoteFlags(directory.path, 'apply');
  await using archiver = startArchiver(cluster.kubeconfig, data, ...flags);
  await archiver.waitFor('the first push', ({ event, repository }) => event === 'pushed' && repository === 'shop');
  const { id, ms } = await applied(archiver, 'app', 'one');
  context.diagnostic(`applied to pushed: ${Math.round(ms)} ms, the window of 300 ms included`);
  assert.ok(ms < 10_000);
  assert.equal(server.git('apply/prod-shop', 'rev-parse', 'main').trim(), id);
  assert.match(server.git('apply/prod-shop', 'show', 'main:configmaps/app.json'), /"value": "one"/);
  // A refusal makes errors, and errors must not tell either.
  server.auth = { token: 'another' };
  await put('app', 'two');
  await archiver.waitFor('the stall', ({ event }) => event === 'stalled');
  const commandLine = readFileSync(`/proc/${archiver.child.pid}/cmdline`, 'utf8');
  await archiver.stop();
  server.auth = { token: CANARY };
  assert.ok(
    server.requests.some(({ hasAuthorization }) => hasAuthorization),
    'the canary was in use',
  );
  assert.ok(!commandLine.includes(CANARY));
  assert.ok(!archiver.output().includes(CANARY));
  for (const pattern of [CANARY, Buffer.from(CANARY).toString('base64').slice(2, -4)]) {
    assert.equal(grepObjects(data, pattern), '', 'in the objects');
    assert.equal(grepFiles(data, pattern), '', 'in the files');
    assert.equal(grepFiles(server.directory, pattern), '', 'at the remote');
    assert.ok(!archiver.output().includes(pattern));
  }
});

/** Every object of every repository, inflated. */
function grepObjects(data: string, pattern: string): string {
  const script = `for repository in "${data}"/*.git; do git -C "$repository" cat-file --batch-all-objects --batch; done | grep -a -c -- "${pattern}" || true`;
  const count = execFileSync('sh', ['-c', script], { encoding: 'utf8', maxBuffer: 2 ** 28 }).trim();
  return count === '0' ? '' : count;
}

function grepFiles(directory: string, pattern: string): string {
  return execFileSync('sh', ['-c', `grep -r -a -l -- "${pattern}" "${directory}" || true`], {
    encoding: 'utf8',
  }).trim();
}

test('a polite stop commits the open window and pushes it before the process ends', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const flags = await remoteFlags(directory.path, 'stop');
  await using archiver = startArchiver(cluster.kubeconfig, data, ...flags, '--window', '1h', '--max-window', '1h');
  await archiver.waitFor('the lists', ({ event }) => event === 'synced');
  const began = performance.now();
  assert.equal(await archiver.stop(), 0);
  assert.ok(performance.now() - began < 25_000);
  const head = (await git(data, 'shop', 'rev-parse', 'main')).trim();
  assert.equal(server.git('stop/prod-shop', 'rev-parse', 'main').trim(), head);
});

test('a polite stop while the remote hangs ends within 25 s, and the next start pushes what was left', async (context) => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const flags = await remoteFlags(directory.path, 'hang');
  const fault = server.add({ do: 'hang' }, { path: /hang\/prod-shop/ });
  const archiver = startArchiver(cluster.kubeconfig, data, ...flags);
  await using _archiver = archiver;
  // The start itself gives the one that hangs ten seconds.
  const isOther = ({ event, repository }: LogLine) => event === 'pushed' && repository === 'cart';
  await archiver.waitFor('another push', isOther, { timeoutMs: 60_000 });
  await archiver.waitFor('the commit', ({ event, repository }) => event === 'committed' && repository === 'shop');
  const began = performance.now();
  assert.equal(await archiver.stop(), 0);
  const seconds = (performance.now() - began) / 1000;
  context.diagnostic(`${Math.round(seconds * 10) / 10} s`);
  assert.ok(seconds < 25, `${seconds} s`);
  fault.remove();
  const head = (await git(data, 'shop', 'rev-parse', 'main')).trim();
  await using next = startArchiver(cluster.kubeconfig, data, ...flags);
  await next.waitFor('what was left', isPushed(head));
  assert.equal(server.git('hang/prod-shop', 'rev-parse', 'main').trim(), head);
});

test('a lost disk: the archive goes on from the remote with its next commit', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const flags = await remoteFlags(directory.path, 'lost');
  await put('app', 'four');
  const first = await archiveOnce(cluster.kubeconfig, data, ...flags);
  assert.equal(first.code, 0, first.stderr);
  await rm(data, { recursive: true });
  await put('while-away', 'x');
  await cluster.kubectl(['delete', 'configmap', '-n', 'shop', 'app', '--ignore-not-found']);
  const second = await archiveOnce(cluster.kubeconfig, data, ...flags);
  assert.equal(second.code, 0, second.stderr);
  const subjects = server.git('lost/prod-shop', 'log', '--format=%s', 'main').trim().split('\n');
  assert.match(subjects.at(-1) ?? '', /^first archive of namespace shop/);
  assert.equal(subjects.length, 2, subjects.join('\n'));
  assert.match(subjects[0] ?? '', /while-away created/);
  assert.match(subjects[0] ?? '', /app deleted/);
  const { adopted } = second.report as unknown as { adopted: readonly { repository: string }[] };
  assert.deepEqual(adopted.map(({ repository }) => repository).sort(), ['cart', 'shop']);
  server.git('lost/prod-shop', 'fsck', '--strict');
});

test('a single run reports what it pushed, and with a remote that refuses ends with 3 and says that nothing is lost', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const flags = await remoteFlags(directory.path, 'once');
  server.removeRepository('once/prod-cart');
  const first = await archiveOnce(cluster.kubeconfig, data, ...flags);
  assert.equal(first.code, 3, first.stderr);
  type Pushes = {
    pushes: { repository: string; url: string }[];
    stalled: { repository: string; reason: string }[];
    unpushed?: { repositories: number };
  };
  const report = first.report as unknown as Pushes;
  assert.deepEqual(
    report.pushes.map(({ repository, url }) => [repository, url]),
    [['shop', `${server.url}/once/prod-shop.git`]],
  );
  assert.deepEqual(
    report.stalled.map(({ repository, reason }) => [repository, reason]),
    [['cart', 'RemoteGone']],
  );
  assert.equal(report.unpushed?.repositories, 1);
  server.createRepository('once/prod-cart');
  const second = await archiveOnce(cluster.kubeconfig, data, ...flags);
  assert.equal(second.code, 0, second.stderr);
  const head = (await git(data, 'cart', 'rev-parse', 'main')).trim();
  assert.equal(server.git('once/prod-cart', 'rev-parse', 'main').trim(), head);
});

test('credentials in a Secret of the cluster are read by name, and a renewed one is found within a minute', async () => {
  await using directory = await temporaryDirectory();
  const data = join(directory.path, 'data');
  const flags = (await remoteFlags(directory.path, 'secret')).filter(
    (flag, index, all) => flag !== '--remote-credentials' && all[index - 1] !== '--remote-credentials',
  );
  const secret = (token: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'remote', namespace: 'default' },
    data: { token: Buffer.from(token).toString('base64') },
  });
  await cluster.apply(secret(CANARY));
  await using archiver = startArchiver(cluster.kubeconfig, data, ...flags, '--remote-secret', 'default/remote');
  await archiver.waitFor('the first push', ({ event, repository }) => event === 'pushed' && repository === 'shop');
  server.auth = { token: 'renewed-token' };
  try {
    await put('app', 'three');
    await archiver.waitFor('the stall', ({ event }) => event === 'stalled');
    await cluster.apply(secret('renewed-token'));
    await archiver.waitFor('it to go on', ({ event }) => event === 'resumed', { timeoutMs: 75_000 });
    const head = (await git(data, 'shop', 'rev-parse', 'main')).trim();
    await eventually('the push', async () => server.git('secret/prod-shop', 'rev-parse', 'main').trim() === head);
  } finally {
    server.auth = { token: CANARY };
  }
  await archiver.stop();
});
