import type { Json } from '../object.ts';
import { digestOf } from './digest.ts';
import type { Plan, Step } from './plan.ts';
import { volumeEffects } from './volume-plan.ts';

/** Hex of SHA-256: two plans with the same hash do the same, whoever does it. What somebody may not do is no step of his plan. */
export function planHash(plan: Omit<Plan, 'hash'>): string {
  const { version, repository, commit, selection, equal } = plan;
  const { asUser: _asUser, ...target } = plan.target;
  const volumes = volumeEffects(plan.volumes ?? []);
  const effect = {
    ...{ version, repository, commit, target, selection, steps: plan.steps.map(effectOf), equal },
    ...(volumes.length === 0 ? {} : { volumes }),
  };
  return digestOf(withoutUndefined(effect));
}

/** Words may be said better by a later version, and a live version that moved without a difference changes nothing. */
function effectOf({ action, ref, path, wave, managedBy, digest }: Step) {
  return { action, ref, path, wave, managedBy, digest };
}

function withoutUndefined(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
