import type { ClaimRecord } from '../core/data/record.ts';
import { lookName, RESTORE_LABELS } from '../core/data/snapshot-names.ts';
import { lookContent } from '../core/data/snapshot-objects.ts';
import type { KubeObject } from '../core/object.ts';
import type { Engine } from './engine.ts';

/**
 * Whether a snapshot got ready whose VolumeSnapshot somebody deleted. Its own content does not tell: the snapshotter asks the driver to cut
 * it once more, from a volume that may be gone too. A restore asks by the handle, and so do we.
 */

/** The content that asks; undefined when the API server does not take it. */
export async function lookThrough(
  { cluster, signal }: Engine,
  namespace: string,
  record: ClaimRecord,
  handle: string,
): Promise<KubeObject | undefined> {
  const name = lookName(record.driver, handle);
  const found = await cluster.get('contents', { name }, signal);
  if (found !== undefined) return withOwnName(found, record);
  const served = await cluster.resource('contents', signal);
  const wanted = lookContent(served, { name, namespace, labels: RESTORE_LABELS, record }, handle);
  const answer = await cluster.target.create(served, wanted, { dryRun: false, signal });
  return answer.ok ? withOwnName(answer.object, record) : undefined;
}

/** It is decided. The driver's snapshot stays. */
export async function endLook({ cluster, signal }: Engine, record: ClaimRecord): Promise<void> {
  if (record.handle === undefined) return;
  const place = { name: lookName(record.driver, record.handle) };
  const served = await cluster.resource('contents', signal);
  await cluster.target.remove(served, place, { dryRun: false, propagation: 'Background', signal });
}

/** The record names the content that the snapshot was cut with. */
function withOwnName(content: KubeObject, { content: own }: ClaimRecord): KubeObject {
  return { ...content, metadata: { ...content.metadata, name: own ?? content.metadata.name } };
}
