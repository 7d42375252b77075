import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otherOwnerOf } from '../../../controller/core/data/handle-owner.ts';
import { RESTORE_LABELS } from '../../../controller/core/data/snapshot-names.ts';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';

const WANTED = { driver: 'csi.example.com', handle: 'snap-1' };

function content(namespace: string, more: { status?: JsonObject; source?: JsonObject; labels?: JsonObject } = {}) {
  const { status = { snapshotHandle: 'snap-1' }, source = { volumeHandle: 'vol-1' }, labels = {} } = more;
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'content', labels },
    spec: { driver: 'csi.example.com', source, volumeSnapshotRef: { namespace, name: 'one' } },
    status,
  } satisfies KubeObject;
}

test('a handle is of the namespaces whose contents have it', () => {
  const cases: readonly (readonly [string, readonly KubeObject[], string | undefined])[] = [
    ['nobody knows it: another cluster, or the content is gone', [], undefined],
    ['our own', [content('shop')], undefined],
    ["somebody else's", [content('payroll')], 'payroll'],
    [
      'one that was made for it by hand',
      [content('payroll', { source: { snapshotHandle: 'snap-1' }, status: {} })],
      'payroll',
    ],
    ['both have it: whoever gave it away knows why', [content('payroll'), content('shop')], undefined],
    ["a restore's own is nobody's word", [content('payroll', { labels: { ...RESTORE_LABELS } })], undefined],
    ['another handle', [content('payroll', { status: { snapshotHandle: 'snap-2' } })], undefined],
  ];
  for (const [what, contents, owner] of cases) assert.equal(otherOwnerOf(contents, WANTED, ['shop']), owner, what);
  assert.equal(otherOwnerOf([content('payroll')], { ...WANTED, driver: 'other.example.com' }, ['shop']), undefined);
  assert.equal(otherOwnerOf([content('copy')], WANTED, ['shop', 'copy']), undefined);
});
