import type { Outcome } from '../outcome.ts';

/**
 * Where the archive flow and the volume data meet: the archive asks before each commit what its message says of volumes, and is asked for a
 * commit when snapshots are due although no object changed (docs/decisions/2026-11-21-what-a-snapshot-covers.md).
 */
export interface VolumeData extends AsyncDisposable {
  /** The first lists are complete: what an earlier process left is taken up, timers are armed. */
  start(repositories: readonly string[]): void;
  /**
   * What the commit that is about to be made says. Answers within a second and never throws for what the cluster does: then the commit says
   * nothing, and the snapshots are due in a commit of their own. Nothing for repositories without claims.
   */
  beforeCommit(repository: string, occasion: CommitOccasion): Promise<CommitData>;
  /** Waits until every snapshot that was asked for is decided; for the end of a run that does not go on. */
  settle(signal: AbortSignal): Promise<void>;
}

export interface CommitOccasion {
  /** Ask for snapshots whatever the interval says. */
  readonly isForced: boolean;
}

export interface CommitData {
  /** For the message. */
  readonly trailers: readonly (readonly [string, string])[];
  /** Snapshots that were asked for with this commit. With 0 and no object changed no commit is made. */
  readonly asked: number;
  /** The commit is on the disk: its note is written and the snapshots are followed. */
  committed(id: string): Promise<void>;
  /** There is no commit: what was asked for it is taken back. */
  abandoned(): Promise<void>;
}

/** What the volume data needs of the archive. */
export interface DataAccess<Repository> {
  /** Works with an open repository, which is not closed meanwhile; undefined when it is not archived (any more). */
  within<T>(repository: string, work: (repository: Repository) => Promise<T>): Promise<T | undefined>;
  /** Snapshots are due: close its window now, or make a commit of its own. */
  due(repository: string): void;
  readonly report: (outcome: Outcome) => void;
  /** Nothing can go on: a defect, or the disk. */
  readonly fail: (error: unknown) => void;
  /** Asked before anything in the cluster is changed; throws when this process may not write any more. */
  readonly guard: () => Promise<void>;
  readonly signal: AbortSignal;
}
