import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../flows/keeper.ts';
import { DRIVER } from '../node/storage-objects.ts';
import type { TestNode } from '../node/test-node.ts';

/** A restore point with volume data, written by hand: the real git makes the commit and its note. */

export interface SavedClaim {
  readonly handle?: string;
  readonly [field: string]: unknown;
}

export interface SavedPoint {
  /** By claim; each becomes a trailer unless `unnamed` has it. */
  readonly claims: Readonly<Record<string, SavedClaim>>;
  readonly skipped?: Readonly<Record<string, { readonly kind: string; readonly why: string }>>;
  /** How long before the commit everything was cut. */
  readonly ageMs?: number;
  /** False: the commit names the snapshots, and no note says what became of them. */
  readonly note?: boolean;
}

/** Commits on top of main, with the same tree; resolves with the commit's id. */
export async function savePoint(data: string, repository: string, point: SavedPoint): Promise<string> {
  const { claims, skipped = {}, ageMs = 0, note = true } = point;
  const names = Object.keys(claims).sort();
  const trailers = names.map((name) => `Snapshot: ${name}=saved-${name}`);
  const message = [`volumes of ${repository}: ${names.length} snapshots`, '', ...trailers, ''].join('\n');
  const commit = await commitOnMain(data, repository, message);
  if (!note) return commit;
  const at = new Date(Date.now() - ageMs).toISOString();
  const records = Object.entries(claims).map(([name, fields]) => [name, { ...recordOf(name, at), ...fields }]);
  await writeNote(data, repository, commit, { version: 1, askedAt: at, claims: Object.fromEntries(records), skipped });
  return commit;
}

/** A commit that came within the interval: its data is that of `asked`. */
export async function savePointCoveredBy(data: string, repository: string, asked: string, claims: readonly string[]) {
  const trailers = claims.map((name) => `Snapshot: ${name}=saved-${name}`);
  const message = ['configmaps: 1 changed', '', ...trailers, `Covered-By: ${asked}`, ''].join('\n');
  return await commitOnMain(data, repository, message);
}

async function commitOnMain(data: string, repository: string, message: string): Promise<string> {
  const made = await git(data, repository, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', message);
  const commit = made.trim();
  await git(data, repository, 'update-ref', 'refs/heads/main', commit);
  return commit;
}

export async function writeNote(data: string, repository: string, commit: string, note: object | string) {
  const file = join(data, `note-${commit}.json`);
  await writeFile(file, typeof note === 'string' ? note : JSON.stringify(note));
  try {
    await git(data, repository, 'notes', '--ref=data', 'add', '-f', '-F', file, commit);
  } finally {
    await rm(file);
  }
}

function recordOf(name: string, at: string) {
  return {
    uid: `uid-of-${name}`,
    volumeSnapshot: `saved-${name}`,
    driver: DRIVER,
    class: 'btrfs',
    state: 'ready',
    askedAt: at,
    creationTime: at,
    readyAt: at,
    restoreSize: 64 * 2 ** 20,
    volumeMode: 'Filesystem',
  };
}

/** Writes random bytes to a file of a pod; resolves with their hash. */
export async function writeRandom(world: TestNode, namespace: string, pod: string, path: string): Promise<string> {
  const script = `head -c 3000000 /dev/urandom > ${path} && sync && sha256sum < ${path}`;
  return (await world.node.exec(namespace, pod, ['sh', '-c', script])).trim();
}

export async function hashOf(world: TestNode, namespace: string, pod: string, path: string): Promise<string> {
  return (await world.node.exec(namespace, pod, ['sh', '-c', `head -c 3000000 ${path} | sha256sum`])).trim();
}

/** What a restore into a namespace made beside its claims, and has to take away. */
export async function leftOver(world: TestNode, namespace: string): Promise<readonly string[]> {
  const kinds = 'volumesnapshots,volumesnapshotcontents';
  const listed = await world.cluster.kubectl([
    'get',
    kinds,
    '-A',
    '-l',
    'kubekeeper.dev/purpose=restore',
    '-o',
    'json',
  ]);
  const { items } = JSON.parse(listed) as { items: Made[] };
  const own = items.filter(
    ({ metadata, spec }) => (metadata.namespace ?? spec.volumeSnapshotRef?.namespace) === namespace,
  );
  return own.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

interface Made {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: { readonly volumeSnapshotRef?: { readonly namespace: string } };
}
