import { otherOwnerOf } from '../core/data/handle-owner.ts';
import type { ClaimRecord } from '../core/data/record.ts';
import { archiveLabels, removalName } from '../core/data/snapshot-names.ts';
import { removalContent, removalGroupContent } from '../core/data/snapshot-objects.ts';
import { maskLine } from '../core/mask-line.ts';
import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import { isLeaving } from './read-volumes.ts';
import { type Remover, refusal, release, remove, until, untilContentGone } from './removal.ts';

/** Deletes what only its driver knows any more: through a content that is made for it. */

export async function removeByHandle(
  remover: Remover,
  namespace: string,
  record: ClaimRecord,
  handle: string,
): Promise<void> {
  const { cluster, parts, signal } = remover;
  const served = await cluster.resource('contents', signal);
  const name = removalName(record.driver, handle);
  const snapshotClass = (await cluster.classes('classes', signal))?.find(
    ({ metadata }) => metadata.name === record.class,
  );
  const labels = archiveLabels(parts.archiveId);
  await requireOwn(remover, namespace, [record]);
  const wanted = removalContent(served, { name, namespace, labels, record, snapshotClass }, handle);
  await removeThrough(remover, 'contents', wanted, 'snapshotHandle');
}

/** A note may name any handle: where the cluster says that it is another namespace's, nothing is deleted. Throws REQUEST_REFUSED. */
async function requireOwn(
  { cluster, signal }: Remover,
  namespace: string,
  records: readonly ClaimRecord[],
): Promise<void> {
  const contents = await cluster.list('contents', {}, signal);
  for (const { driver, handle, volumeSnapshot } of records) {
    const owner = handle === undefined ? undefined : otherOwnerOf(contents, { driver, handle }, [namespace]);
    if (owner === undefined) continue;
    throw new KeeperError(
      `Cannot delete the data of ${volumeSnapshot}: the handle in its note is of a snapshot of namespace "${owner}"; nothing was deleted, look at who wrote the note: git notes --ref=data show`,
      { kind: 'stalled', code: 'REQUEST_REFUSED', details: { namespace, owner } },
    );
  }
}

export async function removeGroupByHandle(
  remover: Remover,
  namespace: string,
  records: readonly ClaimRecord[],
): Promise<void> {
  const { cluster, parts, signal } = remover;
  const known = records.find(({ groupHandle }) => groupHandle !== undefined);
  const handle = known?.groupHandle;
  const members = records.flatMap((record) => record.handle ?? []);
  if (known === undefined || handle === undefined || members.length === 0) return;
  await requireOwn(remover, namespace, records);
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
  await untilContentGone(remover, kind, live);
}
