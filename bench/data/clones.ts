import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { claim } from '../../test/node/objects.ts';
import { DRIVER } from '../../test/node/storage-objects.ts';
import type { TestNode } from '../../test/node/test-node.ts';
import type { BenchContext } from '../bench.ts';
import { keeperCommand } from '../measure/keeper.ts';
import { runMeasured } from '../measure/run-measured.ts';
import { createByKubectl, listObjects, SNAPSHOT_API, SOURCE, timeWhen } from './data-world.ts';

/** A namespace with its data into a new one: by `kubekeeper restore` and by a person who knows the handles and uses kubectl. In seconds. */
export interface CloneFigures {
  readonly claims: number;
  readonly bytes: number;
  /** Until every pod is ready and the command has ended. */
  readonly rounds: readonly { readonly keeper: number; readonly kubectl: number }[];
}

const CLAIM_BYTES = 256 * 2 ** 20;
const TAG = 'good/full';
const run = promisify(execFile);

export async function measureClones(
  world: TestNode,
  size: { readonly claims: readonly string[]; readonly bytes: number },
  { rounds, context }: { readonly rounds: number; readonly context: BenchContext },
): Promise<CloneFigures> {
  const bench = { world, context, claims: size.claims, data: join(context.directory, 'full') };
  const hashes = await fill(bench, size.bytes);
  const handles = await backUp(bench);
  const measured: { keeper: number; kubectl: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    const keeper = await timed(bench, `keeper-${round}`, hashes, (target) => restore(bench, target));
    const kubectl = await timed(bench, `kubectl-${round}`, hashes, (target) =>
      createByKubectl(world, cloneObjects(bench, target, handles), context),
    );
    measured.push({ keeper, kubectl });
    context.tell(`clones, round ${round}: keeper ${keeper.toFixed(2)} s, kubectl ${kubectl.toFixed(2)} s`);
  }
  return { claims: size.claims.length, bytes: size.bytes, rounds: measured };
}

interface CloneBench {
  readonly world: TestNode;
  readonly context: BenchContext;
  readonly claims: readonly string[];
  /** The data directory. */
  readonly data: string;
}

/** Makes the namespace that is archived; resolves with the hash of each claim's file. */
async function fill({ world, claims }: CloneBench, bytes: number): Promise<readonly string[]> {
  await world.createNamespace(SOURCE);
  for (const name of claims) {
    await world.createClaim(SOURCE, name, { bytes: CLAIM_BYTES });
    await world.cluster.apply(deployment(world, SOURCE, name));
  }
  return Promise.all(
    claims.map(async (name) => {
      await world.cluster.kubectl(['rollout', 'status', `deployment/${name}`, '-n', SOURCE, '--timeout=120s']);
      const write = `head -c ${bytes} /dev/urandom > /data/file; sync`;
      await world.node.exec(SOURCE, `deploy/${name}`, ['sh', '-c', write]);
      return hashOf(world, SOURCE, name);
    }),
  );
}

function hashOf(world: TestNode, namespace: string, name: string): Promise<string> {
  return world.node.exec(namespace, `deploy/${name}`, ['sha256sum', '/data/file']);
}

/** Resolves with the driver's handle of each claim, as the note has them. */
async function backUp({ world, context, data }: CloneBench): Promise<ReadonlyMap<string, string>> {
  const config = join(context.directory, 'backup.yaml');
  await writeFile(config, 'data: {}\n');
  const place = ['--kubeconfig', world.cluster.kubeconfig, '--data-dir', data, '--config', config];
  await runMeasured(keeperCommand(['backup', SOURCE, '--tag', TAG, ...place]), context);
  const note = ['notes', '--ref=data', 'show', `${TAG}^{commit}`];
  const { stdout } = await run('git', ['-C', join(data, `${SOURCE}.git`), ...note]);
  const { claims } = JSON.parse(stdout) as { claims: Readonly<Record<string, { readonly handle: string }>> };
  return new Map(Object.entries(claims).map(([name, { handle }]) => [name, handle]));
}

async function restore({ world, context, data }: CloneBench, target: string): Promise<void> {
  const to = ['--to', TAG, '--into', target, '--yes', '--kubeconfig', world.cluster.kubeconfig, '--data-dir', data];
  await runMeasured(keeperCommand(['restore', SOURCE, ...to]), context);
}

/** Seconds until `work` is done and all pods of its target are ready; then it is looked at and taken away. */
async function timed(
  { world, context, claims }: CloneBench,
  target: string,
  hashes: readonly string[],
  work: (target: string) => Promise<void>,
): Promise<number> {
  const pods = `/api/v1/namespaces/${target}/pods`;
  const areReady = async () => {
    const ready = (await listObjects(world, pods)).filter(
      ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
    );
    return ready.length === claims.length;
  };
  const started = performance.now();
  const worked = work(target).then(() => performance.now());
  const ended = Math.max(...(await Promise.all([worked, timeWhen('every pod is ready', areReady, context.signal)])));
  for (const [index, name] of claims.entries())
    if ((await hashOf(world, target, name)) !== hashes[index]) throw new Error(`${target}/${name} has other bytes`);
  await world.cluster.kubectl(['delete', 'namespace', target, '--timeout=120s']);
  return (ended - started) / 1000;
}

/** What a person writes who knows the handles. */
function cloneObjects(
  { world, claims }: CloneBench,
  namespace: string,
  handles: ReadonlyMap<string, string>,
): readonly object[] {
  const [apiVersion, kind] = [SNAPSHOT_API.slice('/apis/'.length), 'VolumeSnapshot'];
  const contents = claims.map((name) => ({
    apiVersion,
    kind: `${kind}Content`,
    metadata: { name: `${namespace}-${name}` },
    spec: {
      driver: DRIVER,
      deletionPolicy: 'Retain',
      source: { snapshotHandle: handles.get(name) },
      volumeSnapshotRef: { name, namespace },
    },
  }));
  const snapshots = claims.map((name) => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec: { source: { volumeSnapshotContentName: `${namespace}-${name}` } },
  }));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...contents,
    ...snapshots,
    ...claims.map((name) => claim(namespace, name, { bytes: CLAIM_BYTES, snapshot: name })),
    ...claims.map((name) => deployment(world, namespace, name)),
  ];
}

function deployment({ node }: TestNode, namespace: string, name: string): object {
  const labels = { app: name };
  const container = {
    name: 'main',
    image: node.busybox,
    imagePullPolicy: 'Never',
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: name } }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [container], volumes },
      },
    },
  };
}
