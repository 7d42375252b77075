import { arrayAt, type KubeObject, objectAt, stringAt } from '../../object.ts';

/** What had ended when it was archived; the status is not in the file, so the commit's Recorded trailers tell. */

export function isFinishedJob(object: KubeObject, recorded: readonly string[]): boolean {
  const conditions = arrayAt(objectAt(object, 'status'), 'conditions').map((one) => stringAt(one, 'type'));
  return [...conditions, ...valuesOf(recorded, /^\/status\/conditions\/\d+\/type$/)].some(
    (type) => type === 'Complete' || type === 'Failed',
  );
}

export function isFinishedPod(object: KubeObject, recorded: readonly string[]): boolean {
  const phases = [stringAt(objectAt(object, 'status'), 'phase'), ...valuesOf(recorded, /^\/status\/phase$/)];
  return phases.includes('Succeeded') || phases.includes('Failed');
}

/** Strings that were recorded at such pointers. */
export function valuesOf(recorded: readonly string[], pointer: RegExp): readonly string[] {
  return recorded.flatMap((line) => {
    const match = /^(\/\S*) "(.*)"$/s.exec(line);
    return match !== null && pointer.test(match[1] as string) ? [match[2] as string] : [];
  });
}
