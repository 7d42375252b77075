import { type KubeObject, objectAt, type ResourceName, stringAt } from '../core/object.ts';
import { chooseVolume, type VolumeFacts } from '../core/restore/choose-volume.ts';
import { SNAPSHOT_GROUP } from '../core/restore/fill-objects.ts';
import type { Step } from '../core/restore/plan.ts';
import { requireKnownVolumes } from '../core/restore/volume-names.ts';
import type { VolumePlan } from '../core/restore/volume-plan.ts';
import { readUsers, type Users } from './claim-users.ts';
import type { ManifestEntry } from './hostile.ts';
import { CLAIMS } from './make-claim.ts';
import type { Planned, PlanOptions, PlanParts } from './plan.ts';
import { isTerminating, type World } from './world.ts';

/** What happens to the data of each claim: decided before the claims themselves are looked at, and once more when all steps are known. */

const CONTENTS: ResourceName = `volumesnapshotcontents.${SNAPSHOT_GROUP}`;
const SNAPSHOTS: ResourceName = `volumesnapshots.${SNAPSHOT_GROUP}`;

/** `claims`: those of the restore point that are asked for. */
export async function planVolumes(
  { point, target }: PlanParts,
  { selection, to, mappings, signal }: PlanOptions,
  world: World,
  claims: readonly { readonly entry: ManifestEntry; readonly manifest: KubeObject }[],
): Promise<ReadonlyMap<string, VolumePlan>> {
  const planned = new Map<string, VolumePlan>();
  if (to.namespace === '' || selection.fields.length > 0) return planned;
  requireKnownVolumes(
    selection,
    claims.map(({ manifest }) => manifest.metadata.name),
  );
  if (claims.length === 0) return planned;
  const resource = world.resources.get(CLAIMS);
  const live = resource === undefined ? 'forbidden' : await world.live(resource);
  if (live === 'forbidden') return planned;
  const livingOf = (name: string) => {
    const found = live.get(name);
    return found === undefined || isTerminating(found) ? undefined : found;
  };
  const data = selection.volumes === 'none' ? undefined : await point.data();
  const isPromised = data !== undefined && claims.some(({ manifest }) => data.claims.has(manifest.metadata.name));
  const isReplacing = isPromised && selection.existingData === 'replace';
  const [classes, volumes, obstacle] = await Promise.all([
    isPromised ? named(world, 'storageclasses.storage.k8s.io') : undefined,
    named(world, 'persistentvolumes'),
    isPromised ? obstacleTo(target, world, to.namespace) : undefined,
  ]);
  const facts: VolumeFacts = {
    selection,
    namespace: to.namespace,
    data,
    obstacle,
    provisioners: classes && new Map([...classes].map(([name, one]) => [name, stringAt(one, 'provisioner') ?? ''])),
    classOf: (manifest) => {
      const name = stringAt(objectAt(manifest, 'spec'), 'storageClassName');
      return name === undefined ? undefined : (mappings.storageClasses.get(name) ?? name);
    },
    reboundTo: (manifest) => {
      const volume = stringAt(objectAt(manifest, 'spec'), 'volumeName') ?? '';
      return to.namespace === point.file.namespace?.name && volumes?.has(volume) === true ? volume : undefined;
    },
    keepsVolumes: !isReplacing || (await mayKeepVolumes(target, world)),
    usersOf: isReplacing ? await usersFor() : () => ({ workloads: [] }),
  };
  for (const { manifest } of claims) {
    const chosen = chooseVolume(facts, { manifest, live: livingOf(manifest.metadata.name) });
    if (chosen !== undefined) planned.set(chosen.claim, chosen);
  }
  return planned;

  async function usersFor(): Promise<(claim: string) => Users> {
    const { namespace } = to;
    if (resource !== undefined && !(await target.may(resource, 'delete', { namespace })))
      return () => ({ problem: `you may not delete ${CLAIMS} in ${namespace}` });
    return await readUsers({ target, resources: world.resources, selection, namespace, signal });
  }
}

async function named(world: World, name: ResourceName): Promise<ReadonlyMap<string, KubeObject> | undefined> {
  const resource = world.resources.get(name);
  const live = resource === undefined ? 'forbidden' : await world.live(resource);
  return live === 'forbidden' ? undefined : live;
}

async function mayKeepVolumes(target: PlanParts['target'], world: World): Promise<boolean> {
  const volumes = world.resources.get('persistentvolumes');
  return volumes !== undefined && (await target.may(volumes, 'patch', {}));
}

/** Why this asker can fill no claim here. */
async function obstacleTo(target: PlanParts['target'], world: World, namespace: string): Promise<string | undefined> {
  const [contents, snapshots] = [world.resources.get(CONTENTS), world.resources.get(SNAPSHOTS)];
  if (contents === undefined || snapshots === undefined)
    return `${SNAPSHOT_GROUP} is not served here: no storage of this cluster brings snapshots back`;
  const verbs = ['create', 'get', 'delete'];
  const asked = [
    ...verbs.map((verb) => ({ verb, resource: contents, what: CONTENTS, place: {} })),
    ...verbs.map((verb) => ({ verb, resource: snapshots, what: `${SNAPSHOTS} in ${namespace}`, place: { namespace } })),
  ];
  const allowed = await Promise.all(asked.map(({ resource, verb, place }) => target.may(resource, verb, place)));
  const refused = asked.find((_, index) => allowed[index] === false);
  return refused && `you may not ${refused.verb} ${refused.what}, through which snapshots come back`;
}

/** A claim that is not made after all gets no data; one whose data cannot be had is not made. */
export function settleVolumes(
  volumes: ReadonlyMap<string, VolumePlan>,
  planned: readonly Planned[],
  selection: PlanOptions['selection'],
): readonly VolumePlan[] {
  const steps = new Map<string, Step>(
    planned.flatMap(({ step }) => (step.ref.resource === CLAIMS ? [[step.ref.name, step] as const] : [])),
  );
  const settled = [...volumes.values()].flatMap((volume): readonly VolumePlan[] => {
    const step = steps.get(volume.claim);
    if (volume.action === 'restore' && step?.action !== 'create')
      return [
        { ...volume, action: 'refuse', reason: `the claim is not made: ${step?.reason ?? 'it is not asked for'}` },
      ];
    if (volume.action === 'empty' && (step?.action !== 'create' || selection.volumes === 'only')) return [];
    return [volume];
  });
  return settled.sort((left, right) => (left.claim < right.claim ? -1 : 1));
}
