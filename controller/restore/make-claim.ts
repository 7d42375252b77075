import type { ResourceName } from '../core/object.ts';
import { setAt, valueAt } from '../core/pointer.ts';
import type { Step } from '../core/restore/plan.ts';
import { parseQuantity, renderQuantity } from '../core/restore/quantity.ts';
import { copy } from '../core/sanitise-held.ts';
import type { StepEnd } from './events.ts';
import { make } from './make.ts';
import type { Run } from './run.ts';
import type { Work } from './work.ts';

/** Makes a claim, with its data where the plan says so: what it is filled from is ready before it is there. */

export const CLAIMS: ResourceName = 'persistentvolumeclaims';

type Making = Extract<Work, { do: 'create' | 'replace' }>;

const REQUEST = '/spec/resources/requests/storage';

export async function makeClaim(run: Run, step: Step, work: Making): Promise<StepEnd | 'again'> {
  const volume = run.planned.plan.volumes?.find(({ claim, action }) => claim === step.ref.name && action === 'restore');
  if (volume === undefined) return await make(run, step, work);
  const source = await run.sources.of(volume);
  if (!('is' in source)) return source;
  return await make(run, step, { ...work, object: largeEnough(work.object, source.bytes) });
}

/** The driver may have said a larger size by now than was noted. */
export function largeEnough(object: Making['object'], bytes: bigint | undefined): Making['object'] {
  const asked = parseQuantity(valueAt(object, REQUEST));
  if (bytes === undefined || asked === undefined || asked >= bytes) return object;
  const larger = copy(object);
  setAt(larger, REQUEST, renderQuantity(bytes));
  return larger;
}
