import { endingOf } from '../../ending.ts';
import { type KubeObject, objectAt } from '../../object.ts';
import type { PrepareContext } from './draft.ts';

/** What had ended when it was archived: the file tells. Files of the first rules do not; then the commit's Recorded trailers do. */

/** Why what had ended must not be made, also when it is asked for by name: only a person knows if it may do twice what it does. */
export function finishedReason(object: KubeObject, { resource, recorded }: PrepareContext): string | undefined {
  if (resource === 'jobs.batch' && isFinishedJob(object, recorded)) return `the Job had finished ${AGAIN}`;
  if (resource === 'pods' && isFinishedPod(object, recorded)) return `the pod had finished ${AGAIN}`;
  return undefined;
}

const AGAIN = 'and would run again; to run it all the same, kubectl apply what kubekeeper show prints';

function isFinishedJob(object: KubeObject, recorded: readonly string[]): boolean {
  const types = valuesOf(recorded, /^\/status\/conditions\/\d+\/type$/);
  return hasEnded(object) || types.some((type) => type === 'Complete' || type === 'Failed');
}

function isFinishedPod(object: KubeObject, recorded: readonly string[]): boolean {
  const phases = valuesOf(recorded, /^\/status\/phase$/);
  return hasEnded(object) || phases.some((phase) => phase === 'Succeeded' || phase === 'Failed');
}

function hasEnded(object: KubeObject): boolean {
  return endingOf(objectAt(object, 'status')) !== undefined;
}

/** Strings that were recorded at such pointers. */
export function valuesOf(recorded: readonly string[], pointer: RegExp): readonly string[] {
  return recorded.flatMap((line) => {
    const match = /^(\/\S*) "(.*)"$/s.exec(line);
    return match !== null && pointer.test(match[1] as string) ? [match[2] as string] : [];
  });
}
