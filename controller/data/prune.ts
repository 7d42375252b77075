import { type DataCommit, retentionPoints } from '../core/data/points.ts';
import type { ClaimRecord, DataNote } from '../core/data/record.ts';
import { renderNote } from '../core/data/record.ts';
import { planRetention, type RetentionPlan } from '../core/data/retention.ts';
import type { RetentionPolicy } from '../core/data/retention-policy.ts';
import { RESTORE_LABELS, selectorOf } from '../core/data/snapshot-names.ts';
import { objectAt, stringAt } from '../core/object.ts';
import type { Clock } from '../core/ports.ts';
import { sideBySide } from '../core/streams.ts';
import { KeeperError } from '../errors.ts';
import type { Identity } from '../git/commit-object.ts';
import type { Repository } from '../git/repository.ts';
import { type DataParts, passing, type SnapshotTarget } from './engine.ts';
import { PruneIndex } from './prune-index.ts';
import { isUnreadable, tagsOf } from './read-history.ts';
import { removeSnapshot } from './remove-snapshot.ts';
import { SnapshotCluster } from './snapshot-cluster.ts';

/**
 * Volume data goes by the retention. The note says `pruned` before anything goes, so that no restore begins with what is about to be deleted,
 * and `removedAt` when the driver has it no more: what lies between is done again.
 */

export interface PruneParts {
  readonly target: SnapshotTarget;
  readonly retention: RetentionPolicy;
  readonly archiveId: DataParts['archiveId'];
  readonly clock: Clock;
  readonly author: Identity;
  /** Asked before each deletion; throws when this process may not write any more. */
  readonly guard: () => Promise<void>;
  readonly signal: AbortSignal;
}

export interface Pruned {
  /** VolumeSnapshots that the driver has no more. */
  readonly removed: readonly string[];
  /** Those that it has still, and why; tried again by the next prune. */
  readonly left: readonly { readonly snapshot: string; readonly reason: string; readonly code: string }[];
  /** By commit: what changed. */
  readonly notes: ReadonlyMap<string, DataNote>;
}

/** Works with an open repository; undefined when there is none (any more). */
type Within = <T>(work: (repository: Repository) => Promise<T>) => Promise<T | undefined>;

/** `pins`: what else needs the data of a commit, by its id. Pure. */
export function planPrune(
  commits: readonly DataCommit[],
  policy: RetentionPolicy,
  now: number,
  pins: ReadonlyMap<string, readonly string[]> = new Map(),
): RetentionPlan {
  return planRetention(retentionPoints(commits, pins), policy, now);
}

/** For a command that is the only writer. */
export function prune(parts: PruneParts, namespace: string, repository: Repository): Promise<Pruned> {
  return pruneWithin(parts, new SnapshotCluster(parts.target, parts.clock), namespace, (work) => work(repository));
}

const SIDE_BY_SIDE = 8;

/** Throws KeeperError when the repository or the cluster cannot be read; a snapshot that does not go is in the answer. */
export async function pruneWithin(
  parts: PruneParts,
  cluster: SnapshotCluster,
  namespace: string,
  within: Within,
  index = new PruneIndex(),
): Promise<Pruned> {
  const pruning = new Pruning(parts, cluster, namespace, within);
  await pruning.run(index);
  return pruning;
}

class Pruning implements Pruned {
  readonly removed: string[] = [];
  readonly left: { snapshot: string; reason: string; code: string }[] = [];
  readonly notes = new Map<string, DataNote>();
  readonly #parts: PruneParts;
  readonly #cluster: SnapshotCluster;
  readonly #namespace: string;
  readonly #within: Within;

  constructor(parts: PruneParts, cluster: SnapshotCluster, namespace: string, within: Within) {
    this.#parts = parts;
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#within = within;
  }

  async run(index: PruneIndex): Promise<void> {
    const commits = await this.#within((repository) => index.read(repository));
    if (commits === undefined) return;
    const mayGo = this.#going(commits, new Set());
    const going = mayGo.size === 0 ? mayGo : this.#going(commits, await this.#handlesInUse());
    for (const commit of commits) {
      const { note } = commit;
      if (note === undefined || isUnreadable(note) || this.#parts.signal.aborted) continue;
      const claims = Object.entries(note.claims ?? {});
      const next = claims.filter(([, record]) => isReady(record) && going.has(record.volumeSnapshot));
      const unfinished = claims.filter(([, record]) => isUnfinished(record));
      if (next.length + unfinished.length === 0) continue;
      if (next.length === 0) await this.#remove(commit.id, note);
      else await this.#prune(commit, commits, new Set(next.map(([, record]) => record.volumeSnapshot)));
    }
  }

  /** VolumeSnapshots that no rule, tag or restore keeps. */
  #going(commits: readonly DataCommit[], inUse: ReadonlySet<string>): ReadonlySet<string> {
    const { retention, clock } = this.#parts;
    const pins = new Map(commits.filter((commit) => holdsAny(commit, inUse)).map(({ id }) => [id, [IN_USE]]));
    return new Set(planPrune(commits, retention, clock.wall(), pins).prune);
  }

  async #handlesInUse(): Promise<ReadonlySet<string>> {
    const labelSelector = selectorOf(RESTORE_LABELS);
    const contents = await this.#cluster.list('contents', { labelSelector }, this.#parts.signal);
    const handles = contents.map((one) => stringAt(objectAt(objectAt(one, 'spec'), 'source'), 'snapshotHandle'));
    return new Set(handles.filter((handle) => handle !== undefined));
  }

  async #prune(commit: DataCommit, commits: readonly DataCommit[], snapshots: ReadonlySet<string>): Promise<void> {
    const before = commit.note as DataNote;
    const prunedAt = this.#now();
    const pruned = await this.#change(commit.id, before, (record) =>
      isReady(record) && snapshots.has(record.volumeSnapshot) ? { ...record, state: 'pruned', prunedAt } : record,
    );
    if (pruned === undefined) return;
    // Whoever tagged it, or began a restore, did so before it said that it goes.
    const inUse = await this.#handlesInUse();
    const tags = await this.#within(async (repository) => tagsOf(repository));
    if (tags === undefined) return;
    const still = this.#going(
      commits.map((one) => ({ ...one, tags: tags.get(one.id) ?? [] })),
      inUse,
    );
    if ([...snapshots].every((snapshot) => still.has(snapshot))) await this.#remove(commit.id, pruned);
    else await this.#write(commit.id, before);
  }

  /** Deletes what the note calls pruned and the driver may still have. */
  async #remove(commit: string, note: DataNote): Promise<void> {
    const bySnapshot = Map.groupBy(
      Object.values(note.claims ?? {}).filter(isUnfinished),
      ({ volumeSnapshot }) => volumeSnapshot,
    );
    const gone = new Set<string>();
    await sideBySide(bySnapshot, SIDE_BY_SIDE, async ([snapshot, records]) => {
      await this.#parts.guard();
      try {
        const remover = { parts: this.#parts, cluster: this.#cluster, signal: this.#parts.signal };
        await removeSnapshot(remover, { namespace: this.#namespace, records });
        gone.add(snapshot);
      } catch (error) {
        if (this.#parts.signal.aborted) return;
        const { message, code } = passing(error);
        this.left.push({ snapshot, reason: message, code });
      }
    });
    if (gone.size === 0) return;
    this.removed.push(...gone);
    const removedAt = this.#now();
    await this.#change(commit, note, (record) =>
      isUnfinished(record) && gone.has(record.volumeSnapshot) ? { ...record, removedAt } : record,
    );
  }

  async #change(
    commit: string,
    note: DataNote,
    change: (record: ClaimRecord) => ClaimRecord,
  ): Promise<DataNote | undefined> {
    const claims = Object.entries(note.claims ?? {}).map(([claim, record]) => [claim, change(record)] as const);
    return this.#write(commit, { ...note, claims: Object.fromEntries(claims) });
  }

  async #write(commit: string, note: DataNote): Promise<DataNote | undefined> {
    const { author, clock } = this.#parts;
    const by = { author, time: new Date(clock.wall()) };
    const written = await this.#within(async (repository) =>
      repository.store.has(commit) ? await repository.note(commit, renderNote(note), by) : undefined,
    );
    if (written === undefined) return undefined;
    this.notes.set(commit, note);
    return note;
  }

  #now(): string {
    return new Date(this.#parts.clock.wall()).toISOString();
  }
}

const IN_USE = 'a restore uses it';

function isReady({ state }: ClaimRecord): boolean {
  return state === 'ready';
}

function isUnfinished({ state, removedAt }: ClaimRecord): boolean {
  return state === 'pruned' && removedAt === undefined;
}

function holdsAny({ note }: DataCommit, handles: ReadonlySet<string>): boolean {
  return Object.values(note?.claims ?? {}).some(({ handle }) => handle !== undefined && handles.has(handle));
}

export function leftError({ left }: Pruned): KeeperError | undefined {
  const [first] = left;
  if (first === undefined) return undefined;
  const more = left.length === 1 ? '' : ` (and ${left.length - 1} more)`;
  return new KeeperError(`${first.reason}${more}`, { kind: 'transient', code: 'REQUEST_REFUSED' });
}
