import type { ClaimRecord } from '../core/data/record.ts';
import { archiveLabels, hasLabels, removalName } from '../core/data/snapshot-names.ts';
import { removalContent, removalGroupContent } from '../core/data/snapshot-objects.ts';
import { maskLine } from '../core/mask-line.ts';
import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import type { Refused } from '../core/restore/ports.ts';
import { KeeperError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { membersOf } from './look.ts';
import { pause } from './pause.ts';
import { isLeaving } from './read-volumes.ts';
import { setPolicy } from './retain.ts';
import type { SnapshotResource } from './snapshot-cluster.ts';

/**
 * Really deletes a snapshot: by its VolumeSnapshot where there is one, by its content where that is all that is left, and by its handle
 * where nobody in the cluster knows it any more. Only ever what a record of ours names.
 */

export interface Removal {
  readonly namespace: string;
  /** One VolumeSnapshot, or all of one group. By claim. */
  readonly records: readonly ClaimRecord[];
}

export type Remover = Pick<Engine, 'cluster' | 'signal'> & {
  readonly parts: Pick<Engine['parts'], 'archiveId'>;
  /** How long the driver may take; half a minute when left out. */
  readonly patienceMs?: number;
};

const PATIENCE_MS = 30_000;

/** Throws KeeperError when the driver has it still after that, or somebody refuses: it is to be tried again. */
export async function removeSnapshot(remover: Remover, removal: Removal): Promise<void> {
  const [first] = removal.records;
  if (first === undefined) return;
  if (first.group === undefined) await removeAlone(remover, removal.namespace, first);
  else await removeGroup(remover, removal.namespace, first.group, removal.records);
}

async function removeAlone(remover: Remover, namespace: string, record: ClaimRecord): Promise<void> {
  const place = { namespace, name: record.volumeSnapshot };
  const snapshot = await ours(remover, 'snapshots', place);
  const name = contentOf(snapshot) ?? record.content;
  const found = name === undefined ? undefined : await remover.cluster.get('contents', { name }, remover.signal);
  const content = found !== undefined && isItsOwn(found, record) ? found : undefined;
  if (content !== undefined) await release(remover, 'contents', content, snapshot === undefined);
  if (snapshot !== undefined) await remove(remover, 'snapshots', snapshot);
  else if (content !== undefined) await remove(remover, 'contents', content);
  if (snapshot === undefined && content === undefined) {
    if (record.handle !== undefined) await removeByHandle(remover, namespace, record, record.handle);
    return;
  }
  if (snapshot !== undefined) await untilGone(remover, 'snapshots', snapshot);
  if (content !== undefined) await untilGone(remover, 'contents', content);
}

/** A handle is its driver's only: another content of that name is somebody else's. */
function isItsOwn(content: KubeObject, record: ClaimRecord): boolean {
  const handle = stringAt(objectAt(content, 'status'), 'snapshotHandle');
  return record.handle === undefined || handle === undefined || handle === record.handle;
}

async function removeGroup(
  remover: Remover,
  namespace: string,
  group: string,
  records: readonly ClaimRecord[],
): Promise<void> {
  const snapshot = await ours(remover, 'groups', { namespace, name: group });
  const content = await groupContentOf(remover, snapshot, records);
  const members = await memberContents(remover, namespace, snapshot === undefined ? undefined : group, records);
  if (content !== undefined) await release(remover, 'groupContents', content, snapshot === undefined);
  // The driver deletes the members with the group; their own contents only have to go.
  for (const member of members) await release(remover, 'contents', member, snapshot === undefined);
  if (snapshot !== undefined) await remove(remover, 'groups', snapshot);
  else if (content !== undefined) await remove(remover, 'groupContents', content);
  else await removeGroupByHandle(remover, namespace, records);
  if (snapshot === undefined) for (const member of members) await remove(remover, 'contents', member);
  if (snapshot !== undefined) await untilGone(remover, 'groups', snapshot);
  if (content !== undefined) await untilGone(remover, 'groupContents', content);
  for (const member of members) await untilGone(remover, 'contents', member);
}

/** As the note names them, and as the group has them now, when it lives. */
async function memberContents(
  { cluster, signal }: Remover,
  namespace: string,
  group: string | undefined,
  records: readonly ClaimRecord[],
): Promise<readonly KubeObject[]> {
  const live = group === undefined ? [] : membersOf(await cluster.list('snapshots', { namespace }, signal), group);
  const names = new Set([...records.map(({ content }) => content), ...live.map(contentOf)]);
  const known = [...names].filter((name) => name !== undefined);
  const contents = await Promise.all(known.map((name) => cluster.get('contents', { name }, signal)));
  return contents.filter((one) => one !== undefined);
}

async function groupContentOf(
  { cluster, signal }: Remover,
  snapshot: KubeObject | undefined,
  records: readonly ClaimRecord[],
): Promise<KubeObject | undefined> {
  const name = stringAt(objectAt(snapshot, 'status'), 'boundVolumeGroupSnapshotContentName');
  if (name !== undefined) return cluster.get('groupContents', { name }, signal);
  const handle = records.find(({ groupHandle }) => groupHandle !== undefined)?.groupHandle;
  if (handle === undefined) return undefined;
  const all = await cluster.list('groupContents', {}, signal);
  return all.find(
    (one) =>
      stringAt(objectAt(one, 'status'), 'volumeGroupSnapshotHandle') === handle &&
      stringAt(objectAt(one, 'spec'), 'driver') === records[0]?.driver,
  );
}

/** The one of this name, if it is ours. */
async function ours(
  { cluster, parts, signal }: Remover,
  kind: 'snapshots' | 'groups',
  place: { readonly namespace: string; readonly name: string },
): Promise<KubeObject | undefined> {
  const found = await cluster.get(kind, place, signal);
  return found !== undefined && hasLabels(found, archiveLabels(parts.archiveId)) ? found : undefined;
}

function contentOf(snapshot: KubeObject | undefined): string | undefined {
  return stringAt(objectAt(snapshot, 'status'), 'boundVolumeSnapshotContentName');
}

/** The snapshotter deletes a content whose VolumeSnapshot is gone only when it was told that it goes. */
const BEING_DELETED = {
  contents: 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
  groupContents: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted',
} as const;

/**
 * A snapshotter whose driver failed for a while may have everything that it needs to delete, and not look at it before its next round, which
 * is a quarter of an hour: any change makes it look.
 */
const NUDGE = 'kubekeeper.dev/deletion-asked';

async function release(
  { cluster, signal }: Remover,
  kind: 'contents' | 'groupContents',
  content: KubeObject,
  isAlone: boolean,
): Promise<void> {
  const asked = Number(stringAt(objectAt(content.metadata, 'annotations'), NUDGE) ?? 0);
  const annotations = {
    ...(isAlone ? { [BEING_DELETED[kind]]: 'yes' } : {}),
    ...(isLeaving(content) ? { [NUDGE]: String(asked + 1) } : {}),
  };
  const done = await setPolicy(cluster, kind, content, { policy: 'Delete', annotations }, signal);
  if (done === 'forbidden') throw refusal(kind, content, 'it may not be changed');
  if (objectAt(done, 'spec')?.['deletionPolicy'] !== 'Delete' && !isLeaving(content)) {
    throw refusal(kind, content, 'somebody else changed it at the same time');
  }
}

async function remove({ cluster, signal }: Remover, kind: SnapshotResource, object: KubeObject): Promise<void> {
  const namespace = stringAt(object.metadata, 'namespace');
  const place = { name: object.metadata.name, ...(namespace === undefined ? {} : { namespace }) };
  const uid = stringAt(object.metadata, 'uid');
  const resource = await cluster.resource(kind, signal);
  const options = { dryRun: false, propagation: 'Background', signal, ...(uid === undefined ? {} : { uid }) } as const;
  const answer = await cluster.target.remove(resource, place, options);
  if (!answer.ok && !isGone(answer.refused)) throw refusal(kind, object, maskLine(answer.refused.message, 200));
}

function isGone({ status, reason }: Refused): boolean {
  // Another one has the name by now.
  return status === 404 || (status === 409 && reason === 'Conflict');
}

async function removeByHandle(remover: Remover, namespace: string, record: ClaimRecord, handle: string): Promise<void> {
  const { cluster, parts, signal } = remover;
  const served = await cluster.resource('contents', signal);
  const name = removalName(record.driver, handle);
  const snapshotClass = (await cluster.classes('classes', signal))?.find(
    ({ metadata }) => metadata.name === record.class,
  );
  const labels = archiveLabels(parts.archiveId);
  const wanted = removalContent(served, { name, namespace, labels, record, snapshotClass }, handle);
  await removeThrough(remover, 'contents', wanted, 'snapshotHandle');
}

async function removeGroupByHandle(
  remover: Remover,
  namespace: string,
  records: readonly ClaimRecord[],
): Promise<void> {
  const { cluster, parts, signal } = remover;
  const known = records.find(({ groupHandle }) => groupHandle !== undefined);
  const handle = known?.groupHandle;
  const members = records.flatMap((record) => record.handle ?? []);
  if (known === undefined || handle === undefined || members.length === 0) return;
  const served = await cluster.resource('groupContents', signal);
  const snapshotClass = (await cluster.classes('groupClasses', signal))?.find(
    ({ metadata }) => metadata.name === known.class,
  );
  const labels = archiveLabels(parts.archiveId);
  const name = removalName(known.driver, handle);
  const wanted = removalGroupContent(
    served,
    { name, namespace, labels, record: known, snapshotClass },
    handle,
    members,
  );
  await removeThrough(remover, 'groupContents', wanted, 'volumeGroupSnapshotHandle');
}

/** Drivers that look say so when it is gone already; what they call it is theirs. */
const ABSENT = /not\s*found|can\s*not find|cannot find|no such|does(?:n't| not) exist/i;

/** The snapshotter deletes only what it has found: it must have looked before the content goes. */
async function removeThrough(
  remover: Remover,
  kind: 'contents' | 'groupContents',
  wanted: KubeObject,
  handleField: string,
): Promise<void> {
  const { cluster, signal } = remover;
  const resource = await cluster.resource(kind, signal);
  const answer = await cluster.target.create(resource, wanted, { dryRun: false, signal });
  if (!answer.ok && answer.refused.reason !== 'AlreadyExists') {
    throw refusal(kind, wanted, maskLine(answer.refused.message, 200));
  }
  const place = { name: wanted.metadata.name };
  await until(remover, kind, wanted, async () => {
    const live = await cluster.get(kind, place, signal);
    const status = objectAt(live, 'status');
    if (live === undefined || isLeaving(live) || stringAt(status, handleField) !== undefined) return undefined;
    const error = stringAt(objectAt(status, 'error'), 'message') ?? '';
    return ABSENT.test(error) ? undefined : `the driver has not found it yet: ${maskLine(error, 200)}`;
  });
  const live = await cluster.get(kind, place, signal);
  if (live === undefined) return;
  await release(remover, kind, live, true);
  await remove(remover, kind, live);
  await untilGone(remover, kind, live);
}

async function untilGone(remover: Remover, kind: SnapshotResource, object: KubeObject): Promise<void> {
  const namespace = stringAt(object.metadata, 'namespace');
  const place = { name: object.metadata.name, ...(namespace === undefined ? {} : { namespace }) };
  await until(remover, kind, object, async () => {
    const live = await remover.cluster.get(kind, place, remover.signal);
    if (live === undefined || live.metadata['uid'] !== object.metadata['uid']) return undefined;
    const error = stringAt(objectAt(objectAt(live, 'status'), 'error'), 'message');
    return `the driver has it still${error === undefined ? '' : `: ${maskLine(error, 200)}`}`;
  });
}

/** `look` answers what holds it. */
async function until(
  { signal, patienceMs = PATIENCE_MS }: Remover,
  kind: SnapshotResource,
  object: KubeObject,
  look: () => Promise<string | undefined>,
): Promise<void> {
  let waited = 0;
  for (let ms = 100; ; ms = Math.min(ms * 1.5, 2000)) {
    const held = await look();
    if (held === undefined) return;
    signal.throwIfAborted();
    if (waited >= patienceMs) throw refusal(kind, object, held);
    await pause(ms, signal);
    waited += ms;
  }
}

function refusal(kind: SnapshotResource, { metadata }: KubeObject, why: string): KeeperError {
  const what = kind === 'snapshots' || kind === 'groups' ? 'snapshot' : 'snapshot content';
  return new KeeperError(`Cannot delete ${what} ${metadata.name}: ${why}; it is still there and is tried again`, {
    kind: 'transient',
    code: 'REQUEST_REFUSED',
  });
}
