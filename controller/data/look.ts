import { boundContentOf, boundGroupContentOf } from '../core/data/binding.ts';
import { archiveLabels, RUN_LABEL, selectorOf } from '../core/data/snapshot-names.ts';
import { arrayAt, type KubeObject, objectAt, stringAt } from '../core/object.ts';
import type { Engine } from './engine.ts';
import { lookThrough } from './look-through.ts';
import { isLeaving } from './read-volumes.ts';
import { policyOf, setPolicy } from './retain.ts';
import type { Run } from './run.ts';

/** One look at the snapshots of a run. Where the driver has named one, it is kept from then on. */

export interface Seen {
  /** The member of a group, or the group while it has none. */
  readonly snapshot: KubeObject | undefined;
  readonly content: KubeObject | undefined;
  readonly member: string | undefined;
  readonly groupHandle: string | undefined;
  /** Only its handle is left. */
  readonly isLost: boolean;
}

/** By claim, what is pending and was asked for. Throws KeeperError. */
export async function look(engine: Engine, run: Run): Promise<ReadonlyMap<string, Seen>> {
  const wanted = run.pending.filter(([claim]) => !run.unasked.has(claim));
  const isGrouped = wanted.some(([, { group }]) => group !== undefined);
  const world = isGrouped ? await readGroups(engine, run) : await readAlone(engine, run);
  const seen = await Promise.all(
    wanted.map(async ([claim, record]) => {
      const group = record.group === undefined ? undefined : world.groups.get(record.group);
      const member = record.group === undefined ? undefined : memberOf(world.snapshots, record.group, claim);
      const own = record.group === undefined ? world.byName.get(record.volumeSnapshot) : member;
      const name = boundContentOf(own) ?? record.content;
      // What is named and kept has only to get ready, which its VolumeSnapshot tells.
      const isKept = own !== undefined && record.handle !== undefined && run.retained.has(claim);
      const bound = name === undefined || isKept ? undefined : await keepContent(engine, run, claim, name);
      const lost = own === undefined && run.retained.has(claim) ? record.handle : undefined;
      const content = lost === undefined ? bound : await lookThrough(engine, run.repository, record, lost);
      const found = {
        snapshot: content === 'lost' ? undefined : (own ?? group?.snapshot),
        content: content === 'lost' ? undefined : content,
        member: member?.metadata.name ?? record.member,
        groupHandle: group?.handle,
        isLost: lost !== undefined,
      };
      return [claim, found] as const;
    }),
  );
  return new Map(seen);
}

interface World {
  readonly snapshots: readonly KubeObject[];
  readonly byName: ReadonlyMap<string, KubeObject>;
  readonly groups: ReadonlyMap<string, { readonly snapshot: KubeObject; readonly handle: string | undefined }>;
}

const byName = (snapshots: readonly KubeObject[]) => new Map(snapshots.map((one) => [one.metadata.name, one]));

async function readAlone({ parts, cluster, signal }: Engine, run: Run): Promise<World> {
  const labelSelector = selectorOf({ ...archiveLabels(parts.archiveId), [RUN_LABEL]: run.id });
  const snapshots = await cluster.list('snapshots', { namespace: run.repository, labelSelector }, signal);
  return { snapshots, byName: byName(snapshots), groups: new Map() };
}

/** Members of a group have no labels of ours. */
async function readGroups(engine: Engine, run: Run): Promise<World> {
  const { parts, cluster, signal } = engine;
  const labelSelector = selectorOf({ ...archiveLabels(parts.archiveId), [RUN_LABEL]: run.id });
  const found = await cluster.list('groups', { namespace: run.repository, labelSelector }, signal);
  const groups = await Promise.all(
    found.map(async (snapshot) => {
      const name = boundGroupContentOf(snapshot);
      const handle = name === undefined ? undefined : await keepGroup(engine, run, name);
      return [snapshot.metadata.name, { snapshot, handle }] as const;
    }),
  );
  const snapshots = await cluster.list('snapshots', { namespace: run.repository }, signal);
  return { snapshots, byName: byName(snapshots), groups: new Map(groups) };
}

/** The group's own VolumeSnapshot of a claim. */
function memberOf(snapshots: readonly KubeObject[], group: string, claim: string): KubeObject | undefined {
  return membersOf(snapshots, group).find(
    (one) => stringAt(objectAt(objectAt(one, 'spec'), 'source'), 'persistentVolumeClaimName') === claim,
  );
}

export function membersOf(snapshots: readonly KubeObject[], group: string): readonly KubeObject[] {
  return snapshots.filter((one) =>
    arrayAt(one.metadata, 'ownerReferences').some(
      (owner) => stringAt(owner, 'kind') === 'VolumeGroupSnapshot' && stringAt(owner, 'name') === group,
    ),
  );
}

async function keepGroup(engine: Engine, run: Run, name: string): Promise<string | undefined> {
  const content = await engine.cluster.get('groupContents', { name }, engine.signal);
  const handle = stringAt(objectAt(content, 'status'), 'volumeGroupSnapshotHandle');
  if (content === undefined || handle === undefined) return undefined;
  await keep(engine, run, 'groupContents', content);
  return handle;
}

/** Undefined when it is gone; 'lost' when it goes and takes the snapshot along, which the driver may be deleting by now. */
async function keepContent(
  engine: Engine,
  run: Run,
  claim: string,
  name: string,
): Promise<KubeObject | 'lost' | undefined> {
  const content = await engine.cluster.get('contents', { name }, engine.signal);
  if (content === undefined) return undefined;
  if (isLeaving(content) && policyOf(content) !== 'Retain') return 'lost';
  if (stringAt(objectAt(content, 'status'), 'snapshotHandle') === undefined) return content;
  const kept = await keep(engine, run, 'contents', content);
  if (policyOf(kept) === 'Retain') run.retained.add(claim);
  return kept;
}

async function keep(
  { parts, cluster, signal }: Engine,
  run: Run,
  kind: 'contents' | 'groupContents',
  content: KubeObject,
): Promise<KubeObject> {
  const kept = await setPolicy(
    cluster,
    kind,
    content,
    { policy: 'Retain', labels: { ...archiveLabels(parts.archiveId), [RUN_LABEL]: run.id } },
    signal,
  );
  if (kept !== 'forbidden') return kept;
  run.tell(
    `${kind === 'contents' ? 'volumesnapshotcontents' : 'volumegroupsnapshotcontents'} may not be changed: whoever deletes the VolumeSnapshot deletes the data`,
  );
  return { ...content, spec: { ...objectAt(content, 'spec'), deletionPolicy: 'Retain' } };
}
