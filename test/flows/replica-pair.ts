import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '../cluster/start-cluster.ts';
import { Churn } from './churn.ts';
import type { Guardian } from './guardian.ts';
import {
  type Archiver,
  archiveOnce,
  eventually,
  follow,
  git,
  type LogLine,
  startArchiver,
  temporaryDirectory,
} from './keeper.ts';
import { assertOneLine, fingerprintRepositories } from './one-line.ts';

/** Two real replicas with one data directory, and what must be true of what they wrote together. */

export interface World {
  readonly cluster: Cluster;
  readonly guardian: Guardian;
}

export interface Pair extends AsyncDisposable {
  readonly directory: string;
  readonly namespace: string;
  /** Changes of that namespace. */
  readonly churn: Churn;
  /** All that ever ran, the oldest first. */
  readonly replicas: readonly Archiver[];
  start(kubeconfig?: string): Archiver;
  /** The one that leads and the one that waits for it. */
  roles(): Promise<{ readonly leader: Archiver; readonly standby: Archiver }>;
  /** Two new ones instead of those that are left. */
  refill(): Promise<void>;
  acknowledged(): readonly string[];
}

/** Often enough that every window of a commit has changes in it. */
export const CHURN_MS = 80;

type Launch = (kubeconfig: string, directory: string, name: string) => Archiver;

const SHORT_LEASE = fileURLToPath(import.meta.resolve('./short-lease.ts'));

/** Of its own namespace alone, so that pairs side by side let each other come to rest. */
const launchReal: Launch = (kubeconfig, directory, name) => {
  const scope = ['--namespaces', name, '--window', '100ms', '--max-window', '300ms'];
  return startArchiver(kubeconfig, directory, ...scope, '--leader-elect', '--lease', `default/${name}`);
};

export const launchShort: Launch = (kubeconfig, directory, name) => {
  const args = [SHORT_LEASE, kubeconfig, directory, `default/${name}`];
  return follow(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
};

/** Two replicas with a Lease and a data directory of their own, and a namespace to change. */
export async function startPair(world: World, name: string, launch: Launch = launchReal): Promise<Pair> {
  const { cluster, guardian } = world;
  const directory = await temporaryDirectory();
  await cluster.kubectl(['create', 'namespace', name]);
  const churn = new Churn(cluster, name, CHURN_MS);
  const replicas: Archiver[] = [];
  const start = (kubeconfig = cluster.kubeconfig) => {
    const replica = launch(kubeconfig, directory.path, name);
    guardian.watch(replica.child.pid);
    replicas.push(replica);
    return replica;
  };
  const isAlive = ({ child }: Archiver) => child.exitCode === null && child.signalCode === null;
  start();
  start();
  return {
    directory: directory.path,
    namespace: name,
    churn,
    replicas,
    start,
    async roles() {
      const alive = replicas.filter(isAlive);
      const isLeading = (one: Archiver) => one.lines.some(({ event }) => event === 'leading');
      const leader = await eventually('a leader', async () => alive.find(isLeading), 60_000);
      const standby = alive.find((one) => one !== leader) as Archiver;
      const identity = leader.lines.find(({ event }) => event === 'leading')?.['identity'];
      await standby.waitFor('standby', (line) => line.event === 'standby' && line['leader'] === identity);
      return { leader, standby };
    },
    async refill() {
      for (const replica of replicas.filter(isAlive)) await replica.stop('SIGKILL');
      start();
      start();
    },
    acknowledged: () =>
      replicas.flatMap(({ lines }) => lines.filter(committedIn(name)).map((line) => String(line['id']))),
    async [Symbol.asyncDispose]() {
      await churn.stop();
      for (const { child } of replicas) child.kill('SIGKILL');
      await Promise.all(replicas.map((one) => one.stop('SIGKILL')));
      await directory[Symbol.asyncDispose]();
    },
  };
}

export const committedIn = (repository: string) => (line: LogLine) =>
  line.event === 'committed' && line['repository'] === repository;
export const leads = (line: LogLine) => line.event === 'leading';

/** How long after `since` a replica wrote such a line. */
export async function msUntil(
  replica: Archiver,
  since: number,
  what: string,
  fits: (line: LogLine) => boolean,
): Promise<number> {
  const line = await replica.waitFor(what, fits, { timeoutMs: 60_000 });
  return Date.parse(String(line['time'])) - since;
}

/** The last change is committed and nothing more is being written. */
export async function settle(pair: Pair): Promise<ReadonlyMap<string, string>> {
  await pair.churn.stop();
  await eventually('the last change', async () => {
    const tree = await git(pair.directory, pair.namespace, 'ls-tree', '-r', '--name-only', 'main');
    return tree.includes(`configmaps/${pair.churn.made.at(-1)}.json`);
  });
  let before = await fingerprintRepositories(pair.directory);
  return eventually('silence', async () => {
    await sleep(1000);
    const now = await fingerprintRepositories(pair.directory);
    const isSilent = isDeepStrictEqual(now, before);
    before = now;
    return isSilent && now;
  });
}

/** Ends both replicas, and judges what they wrote together. */
export async function judge(world: World, pair: Pair): Promise<void> {
  await settle(pair);
  const { leader, standby } = await pair.roles();
  assert.equal(await standby.stop(), 0);
  assert.equal(await leader.stop(), 0);
  const { made } = pair.churn;
  await assertOneLine(pair.directory, pair.namespace, { made, acknowledged: pair.acknowledged() });
  await assertEqualsLive(world, pair);
}

async function assertEqualsLive({ cluster }: World, pair: Pair): Promise<void> {
  await using fresh = await temporaryDirectory();
  await copyFile(join(pair.directory, 'fingerprint.key'), join(fresh.path, 'fingerprint.key'));
  await archiveOnce(cluster.kubeconfig, fresh.path, '--namespaces', pair.namespace);
  const tree = (directory: string) => git(directory, pair.namespace, 'rev-parse', 'main^{tree}');
  assert.equal(await tree(pair.directory), await tree(fresh.path));
}

/** Wakes a leader whom another one has followed; answers what it told after that. */
export async function assertEndsAsLost(frozen: Archiver): Promise<readonly LogLine[]> {
  const lines = frozen.lines.length;
  assert.equal(await frozen.stop('SIGCONT'), 1, frozen.output().slice(-1000));
  assert.match(frozen.output(), /^error: This replica lost the lead: .*; nothing was written after that/m);
  return frozen.lines.slice(lines);
}

/** Who froze between a commit and its line tells it when it wakes; the commit was there when the next leader began. */
export async function assertCommittedBefore(pair: Pair, told: readonly LogLine[], next: Archiver): Promise<void> {
  const first = await next.waitFor('a commit', committedIn(pair.namespace), { timeoutMs: 60_000 });
  for (const { id } of told.filter(committedIn(pair.namespace))) {
    await git(pair.directory, pair.namespace, 'merge-base', '--is-ancestor', String(id), String(first['id']));
  }
}
