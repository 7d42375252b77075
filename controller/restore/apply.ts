import { type LateWork, stepKey, type VolumeWork } from '../core/restore/journal.ts';
import type { VolumeEntry } from '../core/restore/open-volume-work.ts';
import type { Step } from '../core/restore/plan.ts';
import { WAVES } from '../core/restore/waves.ts';
import { sideBySide } from '../core/streams.ts';
import type { RestoreEvent } from './events.ts';
import { finishFillings } from './filled.ts';
import { completeObjects } from './late.ts';
import { CLAIMS } from './make-claim.ts';
import { letVolumesGo } from './old-volumes.ts';
import { replaceData } from './replace-data.ts';
import { type ApplyLimits, type ApplyParts, LIMITS, Run } from './run.ts';
import { runStep } from './step-run.ts';
import { runWave, SIDE_BY_SIDE } from './wave-run.ts';
import type { PlannedRestore } from './work.ts';

export type { RestoreEvent } from './events.ts';
export type { ApplyLimits, ApplyParts } from './run.ts';

export interface ApplyOptions {
  /** What runs is finished, nothing more begins. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<ApplyLimits>;
  /** What the restore that is gone on with could not do any more. */
  readonly late?: readonly LateWork[];
  readonly volumes?: VolumeWork | undefined;
}

/**
 * Carries out exactly a plan: wave after wave, then the deletions, the waves backwards, then owners and finalizers. Every step that would
 * change something gets one event, whatever happens; a restore that is stopped, also by a journal that cannot be written, ends with `done` as
 * well, and says by what. Throws defects only.
 */
export async function* apply(
  parts: ApplyParts,
  planned: PlannedRestore,
  { signal, limits, late = [], volumes }: ApplyOptions,
): AsyncGenerator<RestoreEvent> {
  const left = new AbortController();
  const run = new Run(parts, planned, { ...LIMITS, ...limits }, AbortSignal.any([signal, left.signal]));
  for (const work of late) run.late.set(stepKey(work), work);
  const running = carryOut(run, volumes).then(
    () => run.events.end(),
    (error: unknown) => run.events.end({ error }),
  );
  try {
    yield* run.events;
  } finally {
    left.abort();
    await running;
  }
}

async function carryOut(run: Run, begun: VolumeWork | undefined): Promise<void> {
  await takeOver(run, begun);
  const steps = run.planned.plan.steps.filter(({ action }) => action !== 'keep' && action !== 'skip');
  for (const wave of WAVES) {
    const own = steps.filter((step) => step.wave === wave && step.action !== 'delete');
    if (WAVES.indexOf(wave) === WAVES.indexOf('namespaces') + 1 && canFill(run)) run.sources.begin();
    if (own.length === 0) continue;
    if (!run.isStopped) {
      await run.note({ type: 'wave', wave });
      run.emit({ type: 'wave', wave, steps: own.length });
    }
    await runWave(run, own);
  }
  await run.sources.settle();
  await runDeletions(run, steps);
  await replaceData(run);
  await completeObjects(run);
  await finishFillings(run);
  await finishVolumes(run);
  const { counts, incomplete } = run;
  await run.note({ type: 'closed', as: run.isStopped ? 'stopped' : 'finished' });
  run.emit({ type: 'done', counts: { ...counts }, incomplete, stoppedBy: run.stoppedBy });
}

function canFill(run: Run): boolean {
  const { namespace } = run.planned.plan.target;
  return !run.isStopped && run.missingFor({ ref: { resource: CLAIMS, namespace, name: '' } }) === undefined;
}

/** What the restore that is gone on with has in the cluster is ours to take away: also when this one is stopped. */
async function takeOver(run: Run, begun: VolumeWork | undefined): Promise<void> {
  for (const filling of begun?.fillings ?? []) await noteOrStop(run, { type: 'filling', ...filling });
  for (const scaled of begun?.scaled ?? []) await noteOrStop(run, { type: 'scaled', ...scaled });
  for (const kept of begun?.kept ?? []) await noteOrStop(run, { type: 'volume-kept', ...kept });
}

async function finishVolumes(run: Run): Promise<void> {
  try {
    if (!run.isStopped) await letVolumesGo(run);
  } catch (error) {
    run.failureOf(error);
  }
}

async function noteOrStop(run: Run, entry: VolumeEntry): Promise<void> {
  try {
    await run.noteVolume(entry);
  } catch (error) {
    run.failureOf(error);
  }
}

/** What is there again is there before something goes; what others were made of goes last. */
async function runDeletions(run: Run, steps: readonly Step[]): Promise<void> {
  const deletions = steps.filter(({ action }) => action === 'delete');
  if (deletions.length > 0 && !run.isStopped) {
    await run.note({ type: 'wave', wave: 'deletions' });
    run.emit({ type: 'wave', wave: 'deletions', steps: deletions.length });
  }
  for (const wave of [...WAVES].reverse()) {
    await sideBySide(
      deletions.filter((step) => step.wave === wave),
      SIDE_BY_SIDE,
      async (step) => {
        run.end(step, await runStep(run, step));
      },
    );
  }
}
