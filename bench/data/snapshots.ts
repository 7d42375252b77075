import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { volumeSnapshot } from '../../test/node/objects.ts';
import type { TestNode } from '../../test/node/test-node.ts';
import type { BenchContext } from '../bench.ts';
import { Archiver } from '../measure/archiver.ts';
import { createByKubectl, listObjects, SNAPSHOT_API, SOURCE, timeWhen } from './data-world.ts';

/** Snapshots of all claims of a namespace: by kubekeeper because an object changed, and by one `kubectl create -f`. In milliseconds. */
export interface SnapshotFigures {
  readonly claims: number;
  readonly rounds: readonly SnapshotRound[];
}

interface SnapshotRound {
  /** From the window's close, which with a window of zero is the answer to the change at the latest, to the last handle. */
  readonly keeper: number;
  /** The same as kubekeeper says, from asking to the last handle that it has seen. */
  readonly noted: number;
  /** From the start of kubectl to the last handle. */
  readonly kubectl: number;
  /** From the answer to the change to the commit's line in the log, with data and without. */
  readonly commitWith: number;
  readonly commitWithout: number;
}

const SETTINGS = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: SOURCE } };
/** The least between snapshots: each round's change must get its own. */
const INTERVAL_S = 2;
const LONGEST_MS = 60_000;

export async function measureSnapshots(
  world: TestNode,
  claims: readonly string[],
  { rounds, context }: { readonly rounds: number; readonly context: BenchContext },
): Promise<SnapshotFigures> {
  const config = join(context.directory, 'data.yaml');
  await writeFile(config, `data: { minimumInterval: ${INTERVAL_S}s }\n`);
  const bench = { world, claims, context, config };
  const measured: SnapshotRound[] = [];
  for (let round = 1; round <= rounds; round++) {
    const commitWithout = await changeWithout(bench);
    const withData = await changeWith(bench);
    const figures = { ...withData, commitWithout, kubectl: await snapshotByKubectl(bench, round) };
    measured.push(figures);
    const words = Object.entries(figures).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`);
    context.tell(`snapshots, round ${round}: ${words.join(', ')}`);
  }
  return { claims: claims.length, rounds: measured };
}

interface SnapshotBench {
  readonly world: TestNode;
  readonly claims: readonly string[];
  readonly context: BenchContext;
  readonly config: string;
}

async function changeWithout(bench: SnapshotBench): Promise<number> {
  await using archiver = await startArchiver(bench, 'without');
  return (await changeSettings(bench, archiver)).committedMs;
}

async function changeWith(bench: SnapshotBench): Promise<Pick<SnapshotRound, 'keeper' | 'noted' | 'commitWith'>> {
  const { claims, context } = bench;
  await using archiver = await startArchiver(bench, 'with', '--config', bench.config);
  await awaitDecision(archiver, 0, claims.length);
  await sleep((INTERVAL_S + 0.5) * 1000, undefined, { signal: context.signal });
  const read = archiver.lines.length;
  const all = untilNewHandles(bench);
  const [{ answered, committedMs }, ended] = await Promise.all([changeSettings(bench, archiver), all]);
  const decided = await awaitDecision(archiver, read, claims.length);
  return { keeper: ended - answered, noted: Number(decided['handlesMs']), commitWith: committedMs };
}

async function snapshotByKubectl(bench: SnapshotBench, round: number): Promise<number> {
  const { world, claims, context } = bench;
  const names = claims.map((claim) => `plain-${round}-${claim}`);
  const objects = claims.map((claim, index) => volumeSnapshot(SOURCE, names[index] as string, claim, 'btrfs'));
  const all = untilNewHandles(bench);
  const started = performance.now();
  const [ended] = await Promise.all([all, createByKubectl(world, objects, context)]);
  await world.remove(SOURCE, ...names.map((name) => `volumesnapshot/${name}`));
  return ended - started;
}

/** The first archive of a round finds what the last one's rounds have changed: once that is committed it is quiet. */
async function startArchiver(
  { world, context }: SnapshotBench,
  name: string,
  ...args: readonly string[]
): Promise<Archiver> {
  // Something is new in any case.
  await touchSettings(world);
  const place = ['--kubeconfig', world.cluster.kubeconfig, '--data-dir', join(context.directory, name)];
  const scope = ['--namespaces', SOURCE, '--window', '0s', '--max-window', '0s'];
  const archiver = new Archiver(['archive', ...place, ...scope, ...args], context);
  await archiver.untilArchived([SOURCE], LONGEST_MS);
  return archiver;
}

async function changeSettings({ world }: SnapshotBench, archiver: Archiver) {
  const read = archiver.lines.length;
  await touchSettings(world);
  const answered = performance.now();
  const line = await archiver.until(
    'the commit of a change',
    (lines) => lines.slice(read).find(({ event, repository }) => event === 'committed' && repository === SOURCE),
    LONGEST_MS,
  );
  return { answered, committedMs: line.at - answered };
}

let changes = 0;

async function touchSettings({ cluster }: TestNode): Promise<void> {
  await cluster.apply({ ...SETTINGS, data: { change: String(++changes) } });
}

async function awaitDecision(archiver: Archiver, from: number, claims: number) {
  const decided = await archiver.until(
    'the decision on the snapshots',
    (lines) => lines.slice(from).find(({ event }) => event === 'snapshots-decided'),
    LONGEST_MS,
  );
  if (decided['ready'] === claims) return decided;
  throw new Error(`kubekeeper has ${String(decided['ready'])} snapshots of ${claims} claims`);
}

/** Resolves with the time when as many contents as there are claims have a handle that had none before. */
async function untilNewHandles({ world, claims, context }: SnapshotBench): Promise<number> {
  const handles = async () => {
    const contents = await listObjects(world, `${SNAPSHOT_API}/volumesnapshotcontents`);
    return contents.flatMap(({ status }) => status?.snapshotHandle ?? []);
  };
  const before = new Set(await handles());
  const areThere = async () => (await handles()).filter((handle) => !before.has(handle)).length >= claims.length;
  return timeWhen(`${claims.length} new handles`, areThere, context.signal);
}
