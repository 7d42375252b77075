import type { KubeObject, Resource, ResourceName } from '../core/object.ts';
import { quotaProblems } from '../core/restore/quota.ts';
import { type KnownNames, missingOf } from '../core/restore/requirements.ts';
import { WAVES } from '../core/restore/waves.ts';
import { skipped, withNotes } from './check.ts';
import type { Planned, PlanOptions, PlanParts } from './plan.ts';
import type { World } from './world.ts';

/** What only the whole tells: whether the quotas have room for all of it, and whether what objects name will be there. */

export async function weighAgainstTarget(
  { point }: PlanParts,
  { to }: PlanOptions,
  world: World,
  planned: readonly Planned[],
): Promise<readonly Planned[]> {
  const made = [...planned]
    .filter(({ step }) => step.action === 'create')
    .sort((left, right) => waveOf(left) - waveOf(right));
  if (made.length === 0) return planned;
  const tooMuch = quotaProblems(
    await liveOf(world, 'resourcequotas'),
    made.flatMap((one) =>
      one.made === undefined ? [] : [{ resource: one.step.ref.resource, object: one.made.object }],
    ),
  );
  const fitting = planned.map((one) => {
    const problem =
      one.step.action === 'create' ? tooMuch.get(`${one.step.ref.resource}/${one.step.ref.name}`) : undefined;
    return problem === undefined ? one : { ...one, step: skipped(one.step, problem), made: undefined };
  });
  const known = await knownNames(world, fitting, to.namespace, point.entries.length > 0);
  return fitting.map((one) => {
    const missing = one.made === undefined ? [] : missingOf(one.made.object, known);
    return missing.length === 0 ? one : { ...one, step: withNotes(one.step, missing) };
  });
}

function waveOf({ step }: Planned): number {
  return WAVES.indexOf(step.wave);
}

async function liveOf(world: World, name: ResourceName): Promise<readonly KubeObject[]> {
  const resource: Resource | undefined = world.resources.get(name);
  const live = resource === undefined ? 'forbidden' : await world.live(resource);
  return live === 'forbidden' ? [] : [...live.values()];
}

const CLASSES = {
  storageClasses: 'storageclasses.storage.k8s.io',
  ingressClasses: 'ingressclasses.networking.k8s.io',
  priorityClasses: 'priorityclasses.scheduling.k8s.io',
  runtimeClasses: 'runtimeclasses.node.k8s.io',
  gatewayClasses: 'gatewayclasses.gateway.networking.k8s.io',
} as const;

const IN_THE_NAMESPACE = { secrets: 'secrets', configMaps: 'configmaps', serviceAccounts: 'serviceaccounts' } as const;

async function knownNames(
  world: World,
  planned: readonly Planned[],
  namespace: string,
  isRestored: boolean,
): Promise<KnownNames> {
  const names = async (resource: ResourceName): Promise<ReadonlySet<string> | undefined> => {
    const served = world.resources.get(resource);
    if (served === undefined) return undefined;
    const live = await world.live(served);
    world.forget(resource);
    if (live === 'forbidden') return undefined;
    const skippedOnes = new Set(
      planned.flatMap(({ step }) => (step.action === 'skip' && step.ref.resource === resource ? [step.ref.name] : [])),
    );
    const coming = planned.flatMap(({ step }) =>
      step.action === 'create' && step.ref.resource === resource ? [step.ref.name] : [],
    );
    return new Set([...live.keys(), ...coming].filter((name) => live.has(name) || !skippedOnes.has(name)));
  };
  const known: Record<string, ReadonlySet<string> | undefined> = {};
  await Promise.all(
    Object.entries(CLASSES).map(async ([key, resource]) => {
      known[key] = await names(resource);
    }),
  );
  // In a namespace that is not there yet the controllers will make some of these.
  for (const [key, resource] of Object.entries(IN_THE_NAMESPACE))
    known[key] = namespace === '' || !isRestored ? undefined : await names(resource);
  return known as unknown as KnownNames;
}
