import { type KubeObject, type Resource, type ResourceName, renderRef, resourceName } from '../core/object.ts';
import type { Step } from '../core/restore/plan.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import type { FieldWords } from '../core/words.ts';
import type { PlannedRestore } from './work.ts';

/** What was restored, read again and compared with what it should be. */

export interface ReadBack {
  readonly equal: number;
  readonly different: readonly {
    /** 'configmaps/app'. */
    readonly object: string;
    /** Why, when it is not about fields: it is gone, or may not be read. */
    readonly reason?: string;
    /** Never with a secret's value. */
    readonly fields: readonly FieldWords[];
  }[];
}

/** A step that was done, with the resource that it was done to. */
export interface Touched {
  readonly step: Step;
  readonly resource: Resource;
}

/** One list for each resource that was touched. What the cluster gave out anew, as the notes of a step say, is not a difference. */
export async function readBack(
  target: RestoreTarget,
  planned: PlannedRestore,
  touched: readonly Touched[],
  signal: AbortSignal,
): Promise<ReadBack> {
  let equal = 0;
  const different: ReadBack['different'][number][] = [];
  for (const own of groupByResource(touched).values()) {
    const [{ step, resource }] = own as [Touched];
    const { namespace } = step.ref;
    const listed = await target.list(resource, namespace === undefined ? {} : { namespace }, signal);
    const live = listed === 'forbidden' ? listed : new Map(listed.map((object) => [object.metadata.name, object]));
    for (const one of own) {
      const found = await compareWith(planned, one.step, live === 'forbidden' ? live : live.get(one.step.ref.name));
      if (found === undefined) equal++;
      else different.push({ object: renderRef(one.step.ref), ...found });
    }
  }
  return { equal, different };
}

function groupByResource(touched: readonly Touched[]): ReadonlyMap<ResourceName, readonly Touched[]> {
  return Map.groupBy(touched, ({ step, resource }) => `${resourceName(resource)} ${step.ref.namespace ?? ''}`);
}

/** Undefined: it is as it should be. */
async function compareWith(
  planned: PlannedRestore,
  step: Step,
  live: KubeObject | 'forbidden' | undefined,
): Promise<{ readonly reason?: string; readonly fields: readonly FieldWords[] } | undefined> {
  if (live === 'forbidden') return { reason: 'it may not be read, so nobody knows', fields: [] };
  const isGoing = live?.metadata['deletionTimestamp'] !== undefined;
  if (step.action === 'delete')
    return live === undefined || isGoing ? undefined : { reason: 'it still lives', fields: [] };
  if (live === undefined) return { reason: 'it does not live any more', fields: [] };
  if (isGoing) return { reason: 'it is being deleted', fields: [] };
  const fields = await planned.difference(step, live);
  return fields.length === 0 ? undefined : { fields };
}
