import { maskLine } from '../core/mask-line.ts';
import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { pause } from '../core/pause.ts';
import type { ObjectPlace, Refused } from '../core/restore/ports.ts';
import { KeeperError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { isLeaving } from './read-volumes.ts';
import { setPolicy } from './retain.ts';
import type { SnapshotResource } from './snapshot-cluster.ts';

/** The steps that every deletion of a snapshot is made of. */

export type Remover = Pick<Engine, 'cluster' | 'signal'> & {
  readonly parts: Pick<Engine['parts'], 'archiveId'>;
  /** How long the driver may take; half a minute when left out. */
  readonly patienceMs?: number;
};

const PATIENCE_MS = 30_000;

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

export async function release(
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

export async function remove({ cluster, signal }: Remover, kind: SnapshotResource, object: KubeObject): Promise<void> {
  const place = placeOf(object);
  const uid = stringAt(object.metadata, 'uid');
  const resource = await cluster.resource(kind, signal);
  const options = { dryRun: false, propagation: 'Background', signal, ...(uid === undefined ? {} : { uid }) } as const;
  const answer = await cluster.target.remove(resource, place, options);
  if (!answer.ok && !isGone(answer.refused)) throw refusal(kind, object, maskLine(answer.refused.message, 200));
}

function placeOf({ metadata }: KubeObject): ObjectPlace {
  const namespace = stringAt(metadata, 'namespace');
  return { name: metadata.name, ...(namespace === undefined ? {} : { namespace }) };
}

function isGone({ status, reason }: Refused): boolean {
  // Another one has the name by now.
  return status === 404 || (status === 409 && reason === 'Conflict');
}

/** `isEnough`: nor does it have to be gone when this holds. Answers what it is then. */
export async function untilGone(
  remover: Remover,
  kind: SnapshotResource,
  object: KubeObject,
  isEnough: (live: KubeObject) => Promise<boolean> = async () => false,
): Promise<KubeObject | undefined> {
  const place = placeOf(object);
  let live: KubeObject | undefined;
  await until(remover, kind, object, async () => {
    live = await remover.cluster.get(kind, place, remover.signal);
    if (live?.metadata['uid'] !== object.metadata['uid']) live = undefined;
    if (live === undefined || (await isEnough(live))) return undefined;
    const error = stringAt(objectAt(objectAt(live, 'status'), 'error'), 'message');
    return `the driver has it still${error === undefined ? '' : `: ${maskLine(error, 200)}`}`;
  });
  return live;
}

const [FIRST_PUSH_MS, NEXT_PUSH] = [2000, 2];

/**
 * A content goes by itself with its VolumeSnapshot where the snapshot controller has heard in time that it may. Where it has not, or the
 * snapshotter looks elsewhere, it is pushed: deleted by us, and changed so that it is looked at.
 */
export async function untilContentGone(
  remover: Remover,
  kind: 'contents' | 'groupContents',
  object: KubeObject,
): Promise<void> {
  const began = performance.now();
  let pushAt = FIRST_PUSH_MS;
  await untilGone(remover, kind, object, async (live) => {
    if (performance.now() - began < pushAt) return false;
    pushAt *= NEXT_PUSH;
    await release(remover, kind, live, true);
    if (!isLeaving(live)) await remove(remover, kind, live);
    return false;
  });
}

/** `look` answers what holds it. */
export async function until(
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

export function refusal(kind: SnapshotResource, { metadata }: KubeObject, why: string): KeeperError {
  const what = kind === 'snapshots' || kind === 'groups' ? 'snapshot' : 'snapshot content';
  return new KeeperError(`Cannot delete ${what} ${metadata.name}: ${why}; it is still there and is tried again`, {
    kind: 'transient',
    code: 'REQUEST_REFUSED',
  });
}
