import type { Resource } from '../core/object.ts';
import type { StepResult } from '../core/restore/journal.ts';
import type { Step } from '../core/restore/plan.ts';
import type { WaveName } from '../core/restore/waves.ts';
import type { KeeperError } from '../errors.ts';

/** What carrying out a plan tells, as it happens. */

export type RestoreEvent =
  /** `deletions` come after everything else, the waves backwards. */
  | { readonly type: 'wave'; readonly wave: WaveName | 'deletions'; readonly steps: number }
  | ({ readonly type: 'step'; readonly step: Step } & StepEnd)
  /** Told when it begins and every few seconds. */
  | { readonly type: 'waiting'; readonly for: string; readonly ms: number; readonly deadlineMs: number }
  /** `filled`: bound, with its data · `waiting`: made, and filled once a pod uses it. What failed is told as `incomplete`. */
  | { readonly type: 'volume'; readonly claim: string; readonly result: 'filled' | 'waiting'; readonly words: string }
  /** The object is there; an owner or a finalizer of it is not, and why. */
  | { readonly type: 'incomplete'; readonly object: string; readonly reason: string }
  | {
      readonly type: 'done';
      readonly counts: Readonly<Record<StepResult, number>>;
      readonly incomplete: number;
      /** `abort`: the signal; an error: the cluster could not be spoken to any more. */
      readonly stoppedBy: 'abort' | KeeperError | undefined;
    };

export interface StepEnd {
  readonly result: StepResult;
  /** Of all but `done`; one line, never with a secret's value. */
  readonly reason?: string;
  /** What came out otherwise than the manifest says: 'clusterIP is given out anew'. */
  readonly notes: readonly string[];
  /** As it was written; undefined where nothing was. */
  readonly resource?: Resource;
}

export function ended(result: StepResult, reason?: string, notes: readonly string[] = []): StepEnd {
  return { result, notes, ...(reason === undefined ? {} : { reason }) };
}
