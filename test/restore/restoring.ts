import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LateWork, RestoreHeader, RestoreRecord } from '../../controller/core/restore/journal.ts';
import type { RestoreTarget } from '../../controller/core/restore/ports.ts';
import { createJournal, readRestore } from '../../controller/git/restore-journal.ts';
import { type ApplyLimits, type ApplyParts, apply, type RestoreEvent } from '../../controller/restore/apply.ts';
import { type ReadBack, readBack } from '../../controller/restore/read-back.ts';
import type { PlannedRestore } from '../../controller/restore/work.ts';
import { planByHand, type Wanted } from './hand-plan.ts';

/** Carries a plan out with a real journal, and keeps what was told. */

const CLOCK = { wall: () => Date.now(), monotonic: () => performance.now() };

function headerOf(planned: PlannedRestore, id: string): RestoreHeader {
  const { repository, commit, target, selection, hash } = planned.plan;
  const started = new Date().toISOString();
  return { version: 1, id, started, plan: hash, repository, commit, target, selection };
}

export interface Restored {
  readonly events: readonly RestoreEvent[];
  readonly record: RestoreRecord;
  /** By 'resource/name': how its step ended. */
  readonly ends: ReadonlyMap<string, Extract<RestoreEvent, { type: 'step' }>>;
  readonly done: Extract<RestoreEvent, { type: 'done' }>;
  readonly readBack: ReadBack;
}

const NOTHING: ReadBack = { equal: 0, different: [] };

export interface RestoreOptions {
  readonly signal?: AbortSignal;
  readonly limits?: Partial<ApplyLimits>;
  readonly late?: readonly LateWork[];
  readonly line?: ApplyParts['line'];
  readonly onEvent?: (event: RestoreEvent) => void;
}

export async function restore(
  target: RestoreTarget,
  wanted: readonly Wanted[] | PlannedRestore,
  options: RestoreOptions = {},
): Promise<Restored> {
  const planned = 'plan' in wanted ? wanted : await planByHand(target, wanted);
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-restore-'));
  try {
    const id = randomUUID();
    const events = await applyInto(directory, id, target, planned, options);
    const record = await readRestore(directory, id);
    const steps = events.filter((event) => event.type === 'step');
    const done = events.find((event) => event.type === 'done');
    if (record === undefined || done === undefined) throw new Error('the restore did not come to its end');
    const touched = steps.flatMap(({ step, resource }) => (resource === undefined ? [] : [{ step, resource }]));
    return {
      events,
      record,
      ends: new Map(steps.map((event) => [`${event.step.ref.resource}/${event.step.ref.name}`, event])),
      done,
      readBack:
        done.stoppedBy === undefined ? await readBack(target, planned, touched, new AbortController().signal) : NOTHING,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export async function applyInto(
  directory: string,
  id: string,
  target: RestoreTarget,
  planned: PlannedRestore,
  { signal = new AbortController().signal, limits, late, line, onEvent }: RestoreOptions,
): Promise<readonly RestoreEvent[]> {
  await using journal = await createJournal(directory, headerOf(planned, id));
  const parts = { target, journal, clock: CLOCK, ...(line === undefined ? {} : { line }) };
  const events: RestoreEvent[] = [];
  const rest = { ...(limits === undefined ? {} : { limits }), ...(late === undefined ? {} : { late }) };
  for await (const event of apply(parts, planned, { signal, ...rest })) {
    events.push(event);
    onEvent?.(event);
  }
  return events;
}
