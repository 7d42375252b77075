import { stepKey } from '../core/restore/journal.ts';
import type { Step } from '../core/restore/plan.ts';
import type { Refused } from '../core/restore/ports.ts';
import { ended, type StepEnd } from './events.ts';
import { make } from './make.ts';
import { CLAIMS, makeClaim } from './make-claim.ts';
import { persist } from './persist.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Run } from './run.ts';
import { holdersOf, unestablished, untilGone, waitFor } from './waits.ts';
import type { Work } from './work.ts';

/** One step, from what it wants to how it ended. Live is read anew each time, and only what was planned for is touched. */

/** Controllers write statuses all the time, and each makes a new version: then live is looked at again. */
const MOST_TRIES = 8;

/** A replacement that has deleted its object goes on so long after the restore was stopped. */
const GRACE_MS = 15_000;

const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

export async function runStep(run: Run, step: Step): Promise<StepEnd> {
  if (run.isStopped) return ended('not-begun');
  const missing = run.missingFor(step);
  if (missing !== undefined) return ended('blocked', missing);
  try {
    const begun = {
      type: 'begun',
      step: stepKey(step),
      action: step.action,
      ...(step.path === undefined ? {} : { path: step.path }),
    } as const;
    await run.journal.append(begun, step.action === 'replace');
    const end = await carryOut(run, step);
    if (end.result === 'moved') await forgetLate(run, step);
    await run.journal.append({ type: 'ended', step: stepKey(step), result: end.result }, step.action === 'replace');
    return end;
  } catch (error) {
    return run.failureOf(error);
  }
}

async function carryOut(run: Run, step: Step): Promise<StepEnd> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const work = await askFor(run, step, tries > 1 && run.mayAdopt(step));
    if (work === undefined) return ended('not-begun');
    const end = await carryOutOnce(run, step, work);
    if (end === 'again') continue;
    return end.result === 'done' && step.ref.resource === DEFINITIONS ? await establish(run, step, end) : end;
  }
  return ended('moved', 'it is changed by somebody else faster than it can be restored');
}

/** It is somebody else's object by now: nothing is added to it, also when the restore is gone on with. */
async function forgetLate(run: Run, step: Step): Promise<void> {
  if (run.late.delete(stepKey(step))) await run.journal.append({ type: 'late-ended', step: stepKey(step) });
}

/** Undefined when the restore was stopped while it was looked up; nothing was sent then. */
async function askFor(run: Run, step: Step, adopt: boolean): Promise<Work | undefined> {
  try {
    return await run.planned.work(step, { adopt });
  } catch (error) {
    if (run.isAbort(error)) return undefined;
    throw error;
  }
}

async function carryOutOnce(run: Run, step: Step, work: Work): Promise<StepEnd | 'again'> {
  switch (work.do) {
    case 'moved':
      return ended('moved', work.why);
    case 'create':
      if (step.ref.resource === 'namespaces') await run.line?.making();
      return step.ref.resource === CLAIMS ? makeClaim(run, step, work) : make(run, step, work);
    case 'update':
      return update(run, step, work);
    case 'replace':
      return replace(run, step, work);
    case 'delete':
      return remove(run, step, work);
    default:
      return work satisfies never;
  }
}

async function update(run: Run, step: Step, work: Extract<Work, { do: 'update' }>): Promise<StepEnd | 'again'> {
  const { place, operations, isSecret } = work;
  const resource = await run.served(work.resource);
  if (operations.length === 0) return { result: 'done', notes: [], resource };
  const options = { dryRun: false, ...(isSecret === undefined ? {} : { isSecret }) };
  const answer = await persist(run, step, () => run.target.patch(resource, place, operations, options));
  if (answer.ok === 'ended') return answer.end;
  if (answer.ok) return { result: 'done', notes: answer.warnings ?? [], resource };
  const { refused } = answer;
  if (isStale(refused)) return 'again';
  if (refused.reason === 'NotFound') return ended('moved', 'it was deleted after this was planned');
  return ended('failed', wordsOfRefusal(refused, 'change', step.ref));
}

/** The journal names it durably before this begins: between the deletion and the creation only it and Git know of the object. */
async function replace(run: Run, step: Step, work: Extract<Work, { do: 'replace' }>): Promise<StepEnd | 'again'> {
  const { resource, place, uid, resourceVersion, propagation } = work;
  const options = { dryRun: false, uid, resourceVersion, propagation };
  const removal = await persist(run, step, () => run.target.remove(resource, place, options));
  if (removal.ok === 'ended') return removal.end;
  if (!removal.ok) {
    if (removal.refused.reason === 'Conflict') return 'again';
    if (removal.refused.reason !== 'NotFound')
      return ended('failed', wordsOfRefusal(removal.refused, 'delete', step.ref));
  }
  const gone = await untilGone(run, resource, place, uid, { graceMs: GRACE_MS });
  const manifest = `its manifest is ${step.path ?? 'in the restore point'} of ${run.planned.plan.commit.slice(0, 12)}`;
  if (gone.is !== 'there')
    return ended('timed-out', `it was deleted to be made again, and waits for ${gone.held}; ${manifest}`);
  const end = await make(run, step, work);
  if (end === 'again' || end.result === 'moved') return ended('moved', 'somebody else made it again first');
  return end.result === 'done'
    ? end
    : { ...end, reason: `it was deleted and could not be made again: ${end.reason ?? ''}; ${manifest}` };
}

async function remove(run: Run, step: Step, work: Extract<Work, { do: 'delete' }>): Promise<StepEnd | 'again'> {
  const { resource, place, uid, resourceVersion, propagation } = work;
  const options = { dryRun: false, uid, resourceVersion, propagation };
  const answer = await persist(run, step, () => run.target.remove(resource, place, options));
  if (answer.ok === 'ended') return answer.end;
  if (answer.ok) {
    const isHeld = answer.object.metadata['deletionTimestamp'] !== undefined && propagation === 'Background';
    const notes = isHeld ? [`it is being deleted, held by ${holdersOf(answer.object)}`] : [];
    return { result: 'done', notes, resource };
  }
  if (answer.refused.reason === 'NotFound') return { result: 'done', notes: ['it was gone already'], resource };
  return answer.refused.reason === 'Conflict'
    ? 'again'
    : ended('failed', wordsOfRefusal(answer.refused, 'delete', step.ref));
}

/** Custom resources can be made only then. */
async function establish(run: Run, step: Step, end: StepEnd): Promise<StepEnd> {
  const { resource } = end;
  if (resource === undefined) return end;
  const waited = await waitFor(run, run.limits.definitionMs, async () => {
    const live = await run.target.get(resource, { name: step.ref.name });
    if (live === 'forbidden') return { value: undefined };
    if (live === undefined) return `${step.ref.name} to be there`;
    return unestablished(live) ?? { value: live };
  });
  if (waited.is !== 'there') return ended('timed-out', `it waited for ${waited.held}`, end.notes);
  if (waited.value !== undefined) run.noteDefined(waited.value);
  return end;
}

/** The version in the patch's test is not live's any more; a patch that is wrong in itself names fields. */
function isStale({ status, reason, causes, message }: Refused): boolean {
  if (status === 409 && reason === 'Conflict') return true;
  return (
    status === 422 &&
    causes.length === 0 &&
    /rejected our request due to an error in our request|test(?:ing)? .*failed/i.test(message)
  );
}
