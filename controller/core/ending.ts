import { isJsonObject, type Json } from './object.ts';

/** How a Job or a pod ended: by the condition of the one and the phase of the other. */

export type Ending = 'finished' | 'failed';

/** Of a status as it is or as differences key it, conditions by name; undefined while it goes on. */
export function endingOf(status: Json | undefined): Ending | undefined {
  if (!isJsonObject(status)) return undefined;
  const { conditions, phase } = status;
  const listed = typeof conditions === 'object' && conditions !== null ? Object.values(conditions) : [];
  const met = new Set(listed.map((one) => (isJsonObject(one) && one['status'] === 'True' ? one['type'] : undefined)));
  if (met.has('Failed') || phase === 'Failed') return 'failed';
  return met.has('Complete') || phase === 'Succeeded' ? 'finished' : undefined;
}
