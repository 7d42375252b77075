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
  | { readonly type: 'consolidation-failed'; readonly repository: string; readonly reason: string };
