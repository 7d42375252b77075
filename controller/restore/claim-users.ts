import { groupOf, type KubeObject, type Resource, type ResourceName, resourceName, stringAt } from '../core/object.ts';
import { type ControllerRef, controllerOf, podsUsing, SCALED_KINDS, unscalable } from '../core/restore/claim-users.ts';
import { managedBy } from '../core/restore/managed.ts';
import type { Selection } from '../core/restore/plan.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { scaleTargetKey, scaleTargetOf } from '../core/scale-target.ts';

/** Who must stand still while a claim that lives is replaced, and who cannot be made to. */

export interface Workload {
  readonly resource: Resource;
  readonly object: KubeObject;
}

export type Users =
  | { readonly workloads: readonly string[]; readonly found: readonly Workload[] }
  | { readonly problem: string };

export interface UsersParts {
  readonly target: RestoreTarget;
  readonly resources: ReadonlyMap<ResourceName, Resource>;
  readonly selection: Pick<Selection, 'evenIfManaged'>;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

const SCALED_OBJECTS = 'scaledobjects.keda.sh';
const PAUSED = 'autoscaling.keda.sh/paused';
const PAUSED_AT = 'autoscaling.keda.sh/paused-replicas';

/** As it is now; each workload is read once. */
export async function readUsers(parts: UsersParts): Promise<(claim: string) => Users> {
  const { target, resources, namespace, signal } = parts;
  const listed = await listAll(parts, 'pods');
  if (listed === undefined)
    return () => ({ problem: `you may not list pods in ${namespace}, so nobody knows who uses it` });
  const scaled = new Map((await listAll(parts, SCALED_OBJECTS))?.map((one) => [keyOfScaled(one), one]));
  const byController = new Map<string, Workload | { readonly problem: string }>();
  const pods = listed.filter(({ metadata }) => stringAt(metadata, 'deletionTimestamp') === undefined);
  for (const pod of pods) {
    const controller = controllerOf(pod);
    if (controller === undefined || byController.has(controller.uid)) continue;
    byController.set(controller.uid, await topOf(controller));
  }
  return (claim) => {
    const found = new Map<string, Workload>();
    for (const pod of podsUsing(claim, pods)) {
      const controller = controllerOf(pod);
      if (controller === undefined)
        return { problem: `pod ${pod.metadata.name}, which nothing makes again, uses it: delete the pod first` };
      const top = byController.get(controller.uid);
      if (top === undefined || 'problem' in top) return { problem: top?.problem ?? 'nobody knows who uses it' };
      const problem = problemOf(top);
      if (problem !== undefined) return { problem };
      found.set(nameOf(top), top);
    }
    const sorted = [...found].sort(([left], [right]) => (left < right ? -1 : 1));
    return { workloads: sorted.map(([name]) => name), found: sorted.map(([, workload]) => workload) };
  };

  /** A Deployment of its ReplicaSet, a DeploymentConfig of its ReplicationController. */
  async function topOf(controller: ControllerRef): Promise<Workload | { readonly problem: string }> {
    const { apiVersion, kind, name } = controller;
    if (!SCALED_KINDS.has(`${groupOf(apiVersion)}/${kind}`))
      return { problem: `a pod of ${kind} ${name} uses it, which cannot be scaled to 0: stop that first` };
    const resource = [...resources.values()].find((one) => one.kind === kind && one.group === groupOf(apiVersion));
    const object = resource && (await target.get(resource, { namespace, name }, signal));
    if (resource === undefined || object === undefined || object === 'forbidden')
      return { problem: `${kind} ${name}, whose pods use it, may not be read` };
    const above = controllerOf(object);
    if (above === undefined) {
      if (await target.may(resource, 'patch', { namespace, name })) return { resource, object };
      return { problem: `you may not change ${nameOf({ resource, object })}, which would be scaled to 0` };
    }
    const top = await topOf(above);
    return 'problem' in top
      ? { problem: `${kind} ${name}, whose pods use it, is made by ${above.kind} ${above.name}: stop that first` }
      : top;
  }

  function problemOf({ resource, object }: Workload): string | undefined {
    const name = nameOf({ resource, object });
    const kept = parts.selection.evenIfManaged ? undefined : managedBy(object);
    if (kept !== undefined) return `${kept} keeps ${name} as it is, and would scale it up again: suspend that first`;
    const reason = unscalable(object);
    if (reason !== undefined) return `${name} cannot be scaled to 0: ${reason}`;
    const key = scaleTargetKey({ namespace, group: resource.group, kind: object.kind, name: object.metadata.name });
    const keda = scaled.get(key);
    if (keda === undefined || isPaused(keda)) return undefined;
    return `KEDA's ScaledObject ${keda.metadata.name} would scale ${name} up again: pause it first, with annotation ${PAUSED}: "true"`;
  }
}

function nameOf({ resource, object }: Workload): string {
  return `${resourceName(resource)}/${object.metadata.name}`;
}

async function listAll(
  { target, resources, namespace, signal }: UsersParts,
  name: ResourceName,
): Promise<readonly KubeObject[] | undefined> {
  const resource = resources.get(name);
  const found = resource === undefined ? 'forbidden' : await target.list(resource, { namespace }, signal);
  return found === 'forbidden' ? undefined : found;
}

function keyOfScaled(object: KubeObject): string {
  const target = scaleTargetOf(SCALED_OBJECTS, object);
  return target === undefined ? '' : scaleTargetKey(target);
}

function isPaused({ metadata }: KubeObject): boolean {
  const annotations = metadata['annotations'] ?? {};
  const at = stringAt(annotations, PAUSED_AT);
  return stringAt(annotations, PAUSED) === 'true' || at === '0';
}
