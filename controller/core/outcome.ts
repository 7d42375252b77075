import type { Grade } from './data/grade.ts';
import type { ResourceName } from './object.ts';

/** What the archive flow tells as it goes; telemetry turns it into log lines, the command line into its report. */
export type Outcome =
  | {
      readonly type: 'catalogue';
      readonly resources: number;
      readonly unavailable: number;
      /** What the rules never archive, so that it is not even listed. */
      readonly never: readonly { readonly resource: ResourceName; readonly reason: string }[];
    }
  | { readonly type: 'listed'; readonly resource: ResourceName; readonly namespace?: string; readonly objects: number }
  /** Every resource was listed once or skipped: from here on windows close. */
  | { readonly type: 'synced'; readonly resources: number; readonly objects: number; readonly skipped: number }
  | {
      readonly type: 'skipped';
      readonly resource: ResourceName;
      readonly namespace?: string;
      readonly reason: string;
      readonly code: string;
    }
  | { readonly type: 'recovered'; readonly resource: ResourceName; readonly namespace?: string }
  | {
      readonly type: 'committed';
      readonly repository: string;
      readonly id: string;
      readonly subject: string;
      readonly objects: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  /** A list found more than half of a repository gone: kept until a person agrees or the objects come back. */
  | { readonly type: 'held'; readonly repository: string; readonly deletions: number; readonly files: number }
  /** Packs were merged, by itself, so that the repository stays small and quick. */
  | { readonly type: 'consolidated'; readonly repository: string; readonly packs: number; readonly bytes: number }
  /** Nothing is lost: the packs stay as they were, and it is tried again after the next commit. */
  | { readonly type: 'consolidation-failed'; readonly repository: string; readonly reason: string }
  /** The remote has everything that is committed. */
  | {
      readonly type: 'pushed';
      readonly repository: string;
      readonly url: string;
      readonly id: string;
      readonly commits: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  /** The first failure of a row, and each one for another reason; it is tried again after `afterMs`. */
  | {
      readonly type: 'push-failed';
      readonly repository: string;
      readonly code: string;
      readonly reason: string;
      readonly afterMs: number;
    }
  /** While anything waits for its push: how old the oldest commit is that no remote has. */
  | {
      readonly type: 'unpushed';
      readonly repositories: number;
      readonly oldestMs: number;
      readonly oldestRepository: string;
    }
  /** A person must decide; `reason` is CamelCase and stable, `message` says what is safe and what to do. */
  | { readonly type: 'stalled'; readonly repository: string; readonly reason: StalledReason; readonly message: string }
  /** What it was stalled for is gone. */
  | { readonly type: 'resumed'; readonly repository: string; readonly reason: StalledReason }
  | {
      readonly type: 'remote-created';
      readonly repository: string;
      readonly url: string;
      readonly isProtected: boolean;
    }
  /** The remote's history was taken over where ours had none, or was behind. */
  | { readonly type: 'adopted'; readonly repository: string; readonly id: string; readonly commits: number }
  /** What became of a restore that was proposed as a pull request and merged; what failed is tried again. */
  | {
      readonly type: 'merged';
      readonly repository: string;
      readonly url: string;
      readonly result: 'applied' | 'refused' | 'failed';
      readonly message: string;
    }
  /** A damaged repository was set aside; `savedCommits` of it live on in the new one. */
  | {
      readonly type: 'quarantined';
      readonly repository: string;
      readonly reason: string;
      readonly movedTo: string;
      readonly savedCommits: number;
      readonly from: 'remote' | 'salvage' | 'nothing';
    }
  /** Held deletions were allowed by a person. */
  | { readonly type: 'allowed'; readonly repository: string; readonly deletions: number }
  /** The namespace was made again with another uid: a new line of history begins, the old one was moved. */
  | {
      readonly type: 'new-line';
      readonly repository: string;
      readonly uid: string;
      readonly oldUid: string;
      readonly oldLine: string;
    }
  /** Writing fails (no space, read-only): what was read waits in memory, reading pauses when that is full. */
  | { readonly type: 'storage-failed'; readonly repository: string; readonly reason: string; readonly afterMs: number }
  /** A command beside the archiver asked for a tag (of a commit, or of what lived then), and what came of it. */
  | {
      readonly type: 'requested';
      readonly what: 'tag' | 'point' | 'backup';
      readonly repository: string;
      readonly tag?: string;
      /** As the tag names who made it. */
      readonly by: string;
      readonly result: 'done' | 'refused';
      /** That was tagged. */
      readonly commit?: string;
      readonly reason?: string;
    }
  | { readonly type: 'storage-recovered'; readonly repository: string }
  /** Snapshots of a namespace's volumes were asked for, together with this commit. */
  | {
      readonly type: 'snapshots-asked';
      readonly repository: string;
      readonly commit: string;
      readonly claims: number;
      /** Claims that nothing can be asked for. */
      readonly impossible: number;
    }
  /** All of them are decided: the grade says how far they fit together. */
  | {
      readonly type: 'snapshots-decided';
      readonly repository: string;
      readonly commit: string;
      readonly grade: Grade;
      /** 'partial: 2 of 3 claims (logs: not ready after 10 min)'. */
      readonly words: string;
      readonly ready: number;
      readonly failed: number;
      readonly impossible: number;
      /** Since they were asked for. */
      readonly durationMs: number;
      /** Until the last handle was known; undefined where one never was. */
      readonly handlesMs?: number;
    }
  /** Claims cannot be snapshotted at all: told when it begins, and when it changes. 'logs: no VolumeSnapshotClass for driver x; ...' */
  | {
      readonly type: 'snapshots-impossible';
      readonly repository: string;
      readonly claims: number;
      readonly reasons: string;
    }
  /** Asking, following or deleting did not come off this time; it is tried again after `afterMs`. */
  | {
      readonly type: 'snapshots-failed';
      readonly repository: string;
      readonly doing: 'ask' | 'follow' | 'prune' | 'recall';
      readonly code: string;
      readonly reason: string;
      readonly afterMs: number;
    }
  /** What became of a pod that a process which was killed had held still: 'pod shop/db-0: its post hooks have run'. */
  | { readonly type: 'hooks-recalled'; readonly told: string }
  /** Volume data went by the retention policy, or was left over from a process that was killed. */
  | {
      readonly type: 'snapshots-removed';
      readonly repository: string;
      readonly why: 'pruned' | 'orphaned';
      readonly count: number;
      /** Names, as many as fit. */
      readonly snapshots: string;
    }
  | { readonly type: 'standby'; readonly leader: string }
  | { readonly type: 'leading'; readonly identity: string; readonly epoch: number };

/** Why a repository waits for a person. */
export type StalledReason =
  | 'RemoteDiverged'
  | 'RemoteGone'
  | 'RemoteRefused'
  | 'CredentialsRefused'
  | 'RemoteUntrusted';
