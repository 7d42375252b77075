import { boundContentOf, boundGroupContentOf, snapshotOf } from '../core/data/binding.ts';
import type { ClaimRecord } from '../core/data/record.ts';
import { archiveLabels, hasLabels } from '../core/data/snapshot-names.ts';
import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { membersOf } from './look.ts';
import { type Remover, release, remove, untilContentGone, untilGone } from './removal.ts';
import { removeByHandle, removeGroupByHandle } from './remove-by-handle.ts';

/**
 * Really deletes a snapshot: by its VolumeSnapshot where there is one, by its content where that is all that is left, and by its handle
 * where nobody in the cluster knows it any more. Only ever what a record of ours names.
 */

export interface Removal {
  readonly namespace: string;
  /** One VolumeSnapshot, or all of one group. By claim. */
  readonly records: readonly ClaimRecord[];
}

/** Throws KeeperError when the driver has it still after that, or somebody refuses: it is to be tried again. */
export async function removeSnapshot(remover: Remover, removal: Removal): Promise<void> {
  const [first] = removal.records;
  if (first === undefined) return;
  if (first.group === undefined) await removeAlone(remover, removal.namespace, first);
  else await removeGroup(remover, removal.namespace, first.group, removal.records);
}

interface Place {
  readonly namespace: string;
  readonly name: string;
}

async function removeAlone(remover: Remover, namespace: string, record: ClaimRecord): Promise<void> {
  const place = { namespace, name: record.volumeSnapshot };
  const snapshot = await boundOrGone(remover, 'snapshots', await ours(remover, 'snapshots', place), record.content);
  const found = await contentFor(remover, 'contents', place, boundContentOf(snapshot) ?? record.content);
  const content = found !== undefined && isItsOwn(found, record) ? found : undefined;
  if (content !== undefined) await release(remover, 'contents', content, snapshot === undefined);
  if (snapshot !== undefined) await remove(remover, 'snapshots', snapshot);
  else if (content !== undefined) await remove(remover, 'contents', content);
  if (snapshot === undefined && content === undefined) {
    if (record.handle !== undefined) await removeByHandle(remover, namespace, record, record.handle);
    return;
  }
  await Promise.all([
    ...(snapshot === undefined ? [] : [untilGone(remover, 'snapshots', snapshot)]),
    ...(content === undefined ? [] : [untilContentGone(remover, 'contents', content)]),
  ]);
}

/**
 * What names no content yet is deleted before that content is looked for: the snapshot controller makes none for what is gone, and one that
 * it made before is known by what it belongs to. A driver that is cutting it meanwhile may keep it unless its content is seen to.
 */
async function boundOrGone(
  remover: Remover,
  kind: 'snapshots' | 'groups',
  snapshot: KubeObject | undefined,
  known: string | undefined,
): Promise<KubeObject | undefined> {
  const isBound = (live: KubeObject) => (boundContentOf(live) ?? boundGroupContentOf(live)) !== undefined;
  if (snapshot === undefined || known !== undefined || isBound(snapshot)) return snapshot;
  await remove(remover, kind, snapshot);
  return await untilGone(remover, kind, snapshot, async (live) => isBound(live));
}

/** The one of this name; without a name the one that is its. Never one that belongs to another namespace. */
async function contentFor(
  { cluster, signal }: Remover,
  kind: 'contents' | 'groupContents',
  { namespace, name: snapshot }: Place,
  name: string | undefined,
  isIts = (content: KubeObject) => snapshotOf(content).name === snapshot,
): Promise<KubeObject | undefined> {
  if (name === undefined) {
    const all = await cluster.list(kind, {}, signal);
    return all.find((one) => isOf(one, namespace) && isIts(one));
  }
  const found = await cluster.get(kind, { name }, signal);
  return found !== undefined && isOf(found, namespace) ? found : undefined;
}

/** Whoever may write in a namespace may name any content there, and a note any handle. */
function isItsOwn(content: KubeObject, record: ClaimRecord): boolean {
  const handle = stringAt(objectAt(content, 'status'), 'snapshotHandle');
  return record.handle === undefined || handle === undefined || handle === record.handle;
}

/** Contents belong to no namespace, but to something in one. */
function isOf(content: KubeObject, namespace: string): boolean {
  return snapshotOf(content).namespace === namespace;
}

async function removeGroup(
  remover: Remover,
  namespace: string,
  group: string,
  records: readonly ClaimRecord[],
): Promise<void> {
  const place = { namespace, name: group };
  const snapshot = await boundOrGone(remover, 'groups', await ours(remover, 'groups', place), undefined);
  const content = await groupContentFor(remover, place, boundGroupContentOf(snapshot), records);
  const members = await memberContents(remover, namespace, snapshot === undefined ? undefined : group, records);
  if (content !== undefined) await release(remover, 'groupContents', content, snapshot === undefined);
  // The driver deletes the members with the group; their own contents only have to go.
  for (const member of members) await release(remover, 'contents', member, snapshot === undefined);
  if (snapshot !== undefined) await remove(remover, 'groups', snapshot);
  else if (content !== undefined) await remove(remover, 'groupContents', content);
  else await removeGroupByHandle(remover, namespace, records);
  if (snapshot === undefined) for (const member of members) await remove(remover, 'contents', member);
  if (snapshot !== undefined) await untilGone(remover, 'groups', snapshot);
  if (content !== undefined) await untilContentGone(remover, 'groupContents', content);
  for (const member of members) await untilContentGone(remover, 'contents', member);
}

/** As the note names them, and as the group has them now, when it lives. */
async function memberContents(
  { cluster, signal }: Remover,
  namespace: string,
  group: string | undefined,
  records: readonly ClaimRecord[],
): Promise<readonly KubeObject[]> {
  const live = group === undefined ? [] : membersOf(await cluster.list('snapshots', { namespace }, signal), group);
  const names = new Set([...records.map(({ content }) => content), ...live.map(boundContentOf)]);
  const known = [...names].filter((name) => name !== undefined);
  const contents = await Promise.all(known.map((name) => cluster.get('contents', { name }, signal)));
  return contents.filter((one) => one !== undefined).filter((one) => isOf(one, namespace));
}

function groupContentFor(
  remover: Remover,
  place: Place,
  name: string | undefined,
  records: readonly ClaimRecord[],
): Promise<KubeObject | undefined> {
  const known = records.find(({ groupHandle }) => groupHandle !== undefined);
  if (known === undefined) return contentFor(remover, 'groupContents', place, name);
  return contentFor(
    remover,
    'groupContents',
    place,
    name,
    (one) =>
      stringAt(objectAt(one, 'status'), 'volumeGroupSnapshotHandle') === known.groupHandle &&
      stringAt(objectAt(one, 'spec'), 'driver') === known.driver,
  );
}

/** The one of this name, if it is ours. */
async function ours(
  { cluster, parts, signal }: Remover,
  kind: 'snapshots' | 'groups',
  place: Place,
): Promise<KubeObject | undefined> {
  const found = await cluster.get(kind, place, signal);
  return found !== undefined && hasLabels(found, archiveLabels(parts.archiveId)) ? found : undefined;
}
