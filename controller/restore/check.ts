import type { KubeObject } from '../core/object.ts';
import { setAt } from '../core/pointer.ts';
import { immutableFields, replacementPolicy } from '../core/restore/immutable.ts';
import type { Selection, Step } from '../core/restore/plan.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { copy } from '../core/sanitise-held.ts';
import type { Draft, Sending } from './draft.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Fallback, Propagation } from './work.ts';

/** The server's own word on a draft, by a dry run: everything but storing it. */

export interface Checked {
  readonly step: Step;
  readonly propagation: Propagation | undefined;
}

export interface CheckParts {
  readonly target: RestoreTarget;
  readonly selection: Selection;
  /** What must be there before the server can be asked about the object. */
  readonly needs: string | undefined;
  readonly signal: AbortSignal;
}

/** Undefined: the server would change nothing. */
export async function check(
  parts: CheckParts,
  { step, sending }: Extract<Draft, { is: 'open' }>,
): Promise<Checked | undefined> {
  if (sending.live === undefined) return { step: await checkCreate(parts, step, sending), propagation: undefined };
  return await checkUpdate(parts, step, sending, sending.live);
}

async function checkCreate({ target, needs, signal }: CheckParts, step: Step, sending: Sending): Promise<Step> {
  const { resource, object, fallbacks, isSecret } = sending;
  const how = { dryRun: true, signal, isSecret };
  const isWaiting = step.liveVersion !== undefined;
  if (isWaiting) return step;
  // Of a namespace that comes with the same plan, the plan says it once.
  if (needs === 'the namespace') return step;
  if (needs !== undefined) return withNotes(step, [`what the server says to it shows once ${needs} is there`]);
  const answer = await target.create(resource, object, how);
  if (answer.ok) return step;
  if (fallbacks.length > 0) {
    const again = await target.create(resource, without(object, fallbacks), how);
    if (again.ok)
      return withNotes(
        step,
        fallbacks.map(({ note }) => note),
      );
  }
  const { refused } = answer;
  if (refused.reason === 'AlreadyExists') return skipped(step, 'it was made while this was planned: plan again');
  return skipped(step, wordsOfRefusal(refused, 'create', step.ref));
}

async function checkUpdate(
  { target, selection, signal }: CheckParts,
  step: Step,
  { resource, operations, isSecret, finished }: Sending,
  live: KubeObject,
): Promise<Checked | undefined> {
  const { name, namespace } = step.ref;
  const place = namespace === undefined ? { name } : { name, namespace };
  const answer = await target.patch(resource, place, operations, { dryRun: true, signal, isSecret });
  if (answer.ok) return { step, propagation: undefined };
  const { refused } = answer;
  const immutable = immutableFields(step.ref.resource, refused, operations);
  if (immutable.length === 0 || refused.status === 403)
    return { step: skipped(step, wordsOfRefusal(refused, 'change', step.ref)), propagation: undefined };
  const cannot = `${immutable.join(', ')} cannot be changed`;
  if (finished !== undefined)
    return { step: { ...step, action: 'keep', reason: `${cannot}; ${finished}` }, propagation: undefined };
  const policy = replacementPolicy(step.ref.resource, immutable, { live });
  if (!policy.allowed) return { step: skipped(step, `${cannot}; ${policy.why}`), propagation: undefined };
  if (selection.existing !== 'replace')
    return {
      step: skipped(step, `${cannot}; --existing replace deletes it and makes it again`),
      propagation: undefined,
    };
  const { propagation } = policy;
  const removal = await target.remove(resource, place, { dryRun: true, propagation, signal });
  if (!removal.ok)
    return { step: skipped(step, wordsOfRefusal(removal.refused, 'delete', step.ref)), propagation: undefined };
  return { step: { ...step, action: 'replace', reason: `${cannot}; ${policy.why}` }, propagation };
}

export function without(object: KubeObject, fallbacks: readonly Fallback[]): KubeObject {
  const made = copy(object);
  for (const { pointers } of fallbacks) for (const pointer of pointers) setAt(made, pointer, undefined);
  return made;
}

export function skipped(step: Step, reason: string): Step {
  return { ...step, action: 'skip', reason };
}

export function withNotes(step: Step, notes: readonly string[]): Step {
  return { ...step, notes: [...step.notes, ...notes] };
}
