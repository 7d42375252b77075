import { ARCHIVE_FILE, type ArchiveFile, renderArchiveFile } from '../core/archive-file.ts';
import type { CommitData, VolumeData } from '../core/data/volume-data.ts';
import { type ObjectChange, type Occasion, renderMessage } from '../core/message.ts';
import { CLUSTER_REPOSITORY, type ResourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import { commitSpace } from './commit-space.ts';
import type { PendingChange, Space } from './space.ts';
import { guardSweep, type HeldLedger, release } from './sweep-guard.ts';

/** The end of a window: guard the deletions, part what must be a commit of its own, write, and say what was written. */

export interface Closing {
  readonly clusterId: string;
  readonly rulesVersion: string;
  readonly secretsPolicy: string;
  readonly clock: Clock;
  readonly ledger: HeldLedger;
  readonly report: (outcome: Outcome) => void;
  /** Undefined where volumes are nobody's business. */
  readonly volumes: VolumeData | undefined;
  /** False while the window must not be committed: its namespace may be another one by now. */
  readonly admits: (space: Space) => Promise<boolean>;
  /** Why objects of this resource went, where it is known: its definition is being deleted. */
  readonly causeOfDeletion: (resource: ResourceName) => Promise<string | undefined>;
}

interface Group {
  readonly headline?: string;
  readonly changes: ReadonlyMap<string, PendingChange>;
}

/** When writing fails, what is not committed is in the window still, and the window open. */
export async function closeWindow(closing: Closing, space: Space): Promise<void> {
  const window = space.window;
  try {
    if (!(await closing.admits(space))) return;
    await explainDeletions(closing, space);
    const guarded = await guardSweep(space, closing.ledger, closing.clock.monotonic());
    if (guarded !== undefined) closing.report(guarded);
    // Somebody may have come meanwhile.
    if (!(await closing.admits(space))) return;
    space.window = undefined;
    for (const group of partChanges(closing, space)) {
      const committed = await commitGroup(closing, space, group);
      if (committed !== undefined) closing.report(committed);
    }
    await commitVolumes(closing, space);
    if (guarded?.type === 'allowed') await release(space, closing.ledger);
  } catch (error) {
    space.window ??= window;
    throw error;
  }
}

/** One question per resource whose objects went, and only where nothing else explains it. */
async function explainDeletions(closing: Closing, space: Space): Promise<void> {
  const deleted = [...space.pending].filter(([, change]) => change.what === 'deleted' && change.cause === undefined);
  const namespaceGone = deleted.some(([, change]) => change.ref.resource === 'namespaces');
  const causes = new Map<ResourceName, string | undefined>();
  for (const resource of new Set(deleted.map(([, change]) => change.ref.resource))) {
    causes.set(resource, namespaceGone ? `namespace ${space.name} deleted` : await closing.causeOfDeletion(resource));
  }
  for (const [path, change] of deleted) {
    const cause = causes.get(change.ref.resource);
    if (cause !== undefined && space.pending.get(path) === change) space.pending.set(path, { ...change, cause });
  }
}

/** A rewrite that the cluster did not cause (other version, other policy for secrets) never mixes with what it did. */
function partChanges(closing: Closing, space: Space): readonly Group[] {
  for (const path of [...space.pending.keys()]) {
    if (space.repository.stagedId(path) === undefined) space.pending.delete(path);
  }
  const rest = new Map(space.pending);
  const { file } = space;
  if (file === undefined) return [{ headline: firstHeadline(space), changes: rest }];
  const groups: Group[] = [];
  for (const [resource, version] of changedVersions(file, rest)) {
    const changes = take(rest, (change) => change.ref.resource === resource && change.what === 'changed');
    groups.push({
      headline: `${resource}: archived as ${version} from now on, was ${file.resources.get(resource)}`,
      changes,
    });
  }
  if (file.secrets !== closing.secretsPolicy) {
    const changes = take(rest, (change) => change.sealed === true && change.what === 'changed');
    groups.push({ headline: `secrets: ${file.secrets} -> ${closing.secretsPolicy}`, changes });
  }
  return [...groups, { changes: rest }];
}

function firstHeadline(space: Space): string {
  return space.name === CLUSTER_REPOSITORY
    ? 'first archive of the cluster-scoped objects'
    : `first archive of namespace ${space.name}`;
}

function changedVersions(
  file: ArchiveFile,
  changes: ReadonlyMap<string, PendingChange>,
): ReadonlyMap<ResourceName, string> {
  const changed = new Map<ResourceName, string>();
  for (const { ref, version } of changes.values()) {
    const pinned = file.resources.get(ref.resource);
    if (version !== undefined && pinned !== undefined && pinned !== version) changed.set(ref.resource, version);
  }
  return changed;
}

function take(
  changes: Map<string, PendingChange>,
  wanted: (change: PendingChange) => boolean,
): ReadonlyMap<string, PendingChange> {
  const taken = new Map([...changes].filter(([, change]) => wanted(change)));
  for (const path of taken.keys()) changes.delete(path);
  return taken;
}

async function commitGroup(closing: Closing, space: Space, group: Group): Promise<Outcome | undefined> {
  if (group.changes.size === 0) return undefined;
  const file = describeSpace(closing, space, group);
  space.repository.stage(ARCHIVE_FILE, renderArchiveFile(file));
  const changes = [...group.changes.values()].sort(byRef);
  const paths = new Set([...group.changes.keys(), ARCHIVE_FILE]);
  const committed = await commitWithVolumes(closing, space, {
    messageOf: (volumes) => renderMessage(changes, { ...occasionOf(closing, group), trailers: volumes.trailers }),
    objects: changes.length,
    paths,
  });
  // What came to the same path meanwhile belongs to the next window.
  for (const [path, change] of group.changes) if (space.pending.get(path) === change) space.pending.delete(path);
  if (committed !== undefined) space.file = file;
  return committed;
}

/** Snapshots that are due although no object changed have a commit of their own, with the tree of the one before. */
async function commitVolumes(closing: Closing, space: Space): Promise<void> {
  if (space.snapshots === 'as-usual' || space.repository.head === undefined) return;
  const committed = await commitWithVolumes(closing, space, {
    messageOf: ({ asked, trailers }) => {
      const headline = `volumes of ${space.name}: ${asked} ${asked === 1 ? 'snapshot' : 'snapshots'}`;
      return renderMessage([], { ...occasionOf(closing, { headline, changes: new Map() }), trailers });
    },
    objects: 0,
    paths: new Set(),
  });
  if (committed !== undefined) closing.report(committed);
}

const NO_VOLUMES: Pick<CommitData, 'asked' | 'trailers'> = { asked: 0, trailers: [] };

/** Asks for the snapshots, then commits, then says what became of them; a commit that is not made takes them back. */
async function commitWithVolumes(
  { volumes, clock }: Closing,
  space: Space,
  {
    messageOf,
    objects,
    paths,
  }: {
    readonly messageOf: (volumes: Pick<CommitData, 'asked' | 'trailers'>) => string;
    readonly objects: number;
    readonly paths: ReadonlySet<string>;
  },
): Promise<Extract<Outcome, { type: 'committed' }> | undefined> {
  const isForced = space.snapshots === 'forced';
  space.snapshots = 'as-usual';
  const hasVolumes = volumes !== undefined && space.name !== CLUSTER_REPOSITORY;
  const data = hasVolumes ? await volumes.beforeCommit(space.name, { isForced }) : undefined;
  const told = data ?? NO_VOLUMES;
  let id: string | undefined;
  try {
    if (objects === 0 && told.asked === 0) return undefined;
    const commit = { message: messageOf(told), objects, paths, sameTree: objects === 0 };
    const committed = await commitSpace(space, commit, clock);
    id = committed?.id;
    return committed;
  } catch (error) {
    if (isForced) space.snapshots = 'forced';
    throw error;
  } finally {
    await (id === undefined ? data?.abandoned() : data?.committed(id));
  }
}

function occasionOf(closing: Closing, group: Group): Occasion {
  const headline = group.headline === undefined ? {} : { headline: group.headline };
  return { clusterId: closing.clusterId === '' ? 'unknown' : closing.clusterId, ...headline };
}

/** The archive file of the next commit: pins stay, new resources join. */
function describeSpace(closing: Closing, space: Space, group: Group): ArchiveFile {
  const resources = new Map(space.file?.resources);
  for (const { ref, version } of group.changes.values()) {
    if (version !== undefined) resources.set(ref.resource, version);
  }
  return {
    clusterId: closing.clusterId,
    ...(space.name === CLUSTER_REPOSITORY ? {} : { namespace: describeNamespace(space) }),
    resources: new Map([...resources].sort()),
    rules: closing.rulesVersion,
    secrets: closing.secretsPolicy,
  };
}

/** A line keeps its uid and its mark, whoever has the name of its namespace. */
function describeNamespace({ name, line, namespaceUid }: Space): NonNullable<ArchiveFile['namespace']> {
  const uid = line.uid === '' ? (namespaceUid ?? '') : line.uid;
  return line.mark === undefined ? { name, uid } : { name, uid, line: line.mark };
}

function byRef(left: ObjectChange, right: ObjectChange): number {
  const [one, other] = [`${left.ref.resource}/${left.ref.name}`, `${right.ref.resource}/${right.ref.name}`];
  return one < other ? -1 : one > other ? 1 : 0;
}
