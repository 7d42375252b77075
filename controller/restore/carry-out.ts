import type { Clock } from '../core/ports.ts';
import type { LateWork, RestoreJournal, VolumeWork } from '../core/restore/journal.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { type ApplyParts, apply, type RestoreEvent } from './apply.ts';
import { type ReadBack, readBack, type Touched } from './read-back.ts';
import type { PlannedRestore } from './work.ts';

/** A plan that was agreed to -> apply -> read back. What went before (the safety commit, the journal) is the caller's. */

export interface CarryOutParts {
  readonly target: RestoreTarget;
  readonly journal: RestoreJournal;
  readonly clock: Clock;
  readonly line: ApplyParts['line'];
}

export type CarryOutEvent =
  | RestoreEvent
  /** The last one. `undefined`: it was stopped, so there was nothing to compare. */
  | { readonly type: 'read-back'; readonly result: ReadBack | undefined };

export async function* carryOut(
  { target, line, ...parts }: CarryOutParts,
  planned: PlannedRestore,
  {
    signal,
    late,
    volumes,
  }: { readonly signal: AbortSignal; readonly late: readonly LateWork[]; readonly volumes?: VolumeWork | undefined },
): AsyncGenerator<CarryOutEvent> {
  const touched: Touched[] = [];
  let isStopped = false;
  const events = apply({ target, ...parts, ...(line === undefined ? {} : { line }) }, planned, {
    signal,
    late,
    volumes,
  });
  for await (const event of events) {
    if (event.type === 'step' && event.result === 'done' && event.resource !== undefined)
      touched.push({ step: event.step, resource: event.resource });
    if (event.type === 'done') isStopped = event.stoppedBy !== undefined;
    yield event;
  }
  yield { type: 'read-back', result: isStopped ? undefined : await readBack(target, planned, touched, signal) };
}
