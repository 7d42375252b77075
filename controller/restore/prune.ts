import { manifestPath } from '../core/manifest.ts';
import { type KubeObject, objectAt, type Resource, resourceName, stringAt } from '../core/object.ts';
import { digestOf } from '../core/restore/digest.ts';
import { managedBy } from '../core/restore/managed.ts';
import type { Step } from '../core/restore/plan.ts';
import { protectionOf } from '../core/restore/protect.ts';
import { waveOf } from '../core/restore/waves.ts';
import { isLeftOut, sanitise } from '../core/sanitise.ts';
import { copy } from '../core/sanitise-held.ts';
import { isCustom } from './draft.ts';
import type { Planner, PlanOptions, PlanParts } from './plan.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Propagation } from './work.ts';
import { isTerminating, type World } from './world.ts';

/** What lives, would be archived, and is not in the restore point: with `--prune` it goes, unless it is protected. */

export interface Pruned {
  readonly step: Step;
  readonly resource: Resource;
  readonly propagation: Propagation;
  readonly uid: string | undefined;
}

const propagation: Propagation = 'Background';

export async function planPrune(
  { point, target, rules }: PlanParts,
  options: PlanOptions,
  world: World,
  includes: Planner['includes'],
): Promise<readonly Pruned[]> {
  const { selection, to, signal } = options;
  const kept = new Set(point.entries.map(({ path }) => path));
  const isNamespaced = to.namespace !== '';
  const pruned: Pruned[] = [];
  if (!world.isThere) return pruned;
  for (const resource of world.resources.values()) {
    const name = resourceName(resource);
    if (
      resource.namespaced !== isNamespaced ||
      rules.neverArchives(name) !== undefined ||
      !resource.verbs.includes('list')
    )
      continue;
    const live = await world.live(resource);
    if (live === 'forbidden') continue;
    for (const object of live.values()) {
      const path = manifestPath({ resource: name, name: object.metadata.name });
      if (kept.has(path) || isTerminating(object) || options.undo?.made(path) === false) continue;
      if (
        name === 'namespaces' ||
        !includes({ resource: name, kind: resource.kind, name: object.metadata.name, labels: labelsOf(object) })
      )
        continue;
      if (isLeftOut(sanitise(copy(object), name, rules, { includeOwned: options.includeOwned }))) continue;
      const step = stepOf(name, object, to.namespace);
      const protection = protectionOf({
        resource: name,
        object,
        unprotect: selection.unprotect,
        evenIfManaged: selection.evenIfManaged,
        ...(options.ownNamespace === undefined ? {} : { ownNamespace: options.ownNamespace }),
      });
      const settled =
        protection === undefined ? await ask(step) : { ...step, action: 'keep' as const, reason: protection };
      pruned.push({ step: settled, resource, propagation, uid: stringAt(object.metadata, 'uid') });
    }
    world.forget(name);
  }
  return pruned;

  async function ask(step: Step): Promise<Step> {
    const { name, namespace } = step.ref;
    const resource = world.resources.get(step.ref.resource) as Resource;
    const place = namespace === undefined ? { name } : { name, namespace };
    const answer = await target.remove(resource, place, { dryRun: true, propagation, signal });
    return answer.ok ? step : { ...step, action: 'skip', reason: wordsOfRefusal(answer.refused, 'delete', step.ref) };
  }
}

function stepOf(resource: string, object: KubeObject, namespace: string): Step {
  const { name } = object.metadata;
  const version = object.metadata['resourceVersion'];
  return {
    action: 'delete',
    ref: namespace === '' ? { resource, name } : { resource, namespace, name },
    path: undefined,
    wave: waveOf(resource, isCustom(resource)),
    reason: 'it is not in the restore point',
    fields: [],
    notes: [],
    managedBy: managedBy(object),
    liveVersion: typeof version === 'string' ? version : undefined,
    digest: digestOf(['delete', resource, namespace, name, String(object.metadata['uid'] ?? '')]),
  };
}

function labelsOf(object: KubeObject): Readonly<Record<string, string>> {
  return (objectAt(object.metadata, 'labels') ?? {}) as Readonly<Record<string, string>>;
}
