import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DataSpec } from '../../../controller/api/cluster-archive.ts';
import { dataPolicyOf } from '../../../controller/core/data/policy.ts';
import { type NamespaceVolumes, planSnapshots } from '../../../controller/core/data/snapshot-plan.ts';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { object } from '../builders.ts';

const DRIVER = 'csi.example.com';

function claim(name: string, metadata: JsonObject = {}, fields: JsonObject = {}): KubeObject {
  return object('v1', 'PersistentVolumeClaim', {
    metadata: { name, ...metadata },
    spec: { volumeName: `pv-${name}` },
    status: { phase: 'Bound' },
    ...fields,
  });
}

function volume(name: string, source: JsonObject = { csi: { driver: DRIVER, volumeHandle: 'v' } }): KubeObject {
  return object('v1', 'PersistentVolume', { metadata: { name }, spec: source });
}

function snapshotClass(name: string, driver = DRIVER, isDefault = false, kind = 'VolumeSnapshotClass'): KubeObject {
  const prefix = kind === 'VolumeSnapshotClass' ? 'snapshot' : 'groupsnapshot';
  const annotations = isDefault ? { [`${prefix}.storage.kubernetes.io/is-default-class`]: 'true' } : {};
  return object('snapshot.storage.k8s.io/v1', kind, {
    metadata: { name, annotations },
    driver,
    deletionPolicy: 'Delete',
  });
}

function pod(name: string, annotations: JsonObject, volumes: Readonly<Record<string, string>>): KubeObject {
  const mounted = Object.entries(volumes).map(([key, claimName]) => ({
    name: key,
    persistentVolumeClaim: { claimName },
  }));
  return object('v1', 'Pod', {
    metadata: { name, annotations },
    spec: { volumes: [{ name: 'tmp', emptyDir: {} }, ...mounted] },
  });
}

function plan(claims: readonly KubeObject[], more: Partial<NamespaceVolumes> = {}, data: DataSpec = {}) {
  const policy = dataPolicyOf({ data });
  assert.ok(policy);
  const namespace: NamespaceVolumes = {
    claims,
    pods: [],
    volumes: new Map(claims.map(({ metadata: { name } }) => [`pv-${name}`, volume(`pv-${name}`)])),
    snapshotClasses: [snapshotClass('only')],
    groupSnapshotClasses: undefined,
    ...more,
  };
  const { alone, groups, skipped } = planSnapshots(namespace, policy);
  return {
    alone: alone.map((one) => `${one.claim.metadata.name} ${one.className} (${one.reason})`),
    groups: groups.map(({ claims: names, selector, className }) => ({ names, selector, className })),
    skipped: skipped.map(({ name, kind, why }) => `${name} ${kind}: ${why}`),
  };
}

test('all bound claims are taken, and what is not is named with its reason', () => {
  const { alone, skipped } = plan([
    claim('data'),
    claim('waiting', {}, { status: { phase: 'Pending' } }),
    claim('lost', {}, { status: { phase: 'Lost' } }),
    claim('going', { deletionTimestamp: '2026-11-21T00:00:00Z' }),
    claim('web-scratch', { ownerReferences: [{ kind: 'Pod', name: 'web' }] }),
  ]);
  assert.deepEqual(alone, ['data only (bound)']);
  assert.deepEqual(skipped, [
    'going excluded: being deleted',
    'lost impossible: its volume is lost',
    'waiting excluded: not bound yet (Pending)',
    'web-scratch excluded: goes with its pod web',
  ]);
});

test('marks on claims and pods are understood, ours before those of others', () => {
  const cases: [string, KubeObject, KubeObject[], string][] = [
    [
      'ours',
      claim('c', { annotations: { 'kubekeeper.dev/snapshot': 'false' } }),
      [],
      'excluded by annotation kubekeeper.dev/snapshot',
    ],
    [
      'ours as a label',
      claim('c', { labels: { 'kubekeeper.dev/snapshot': 'false' } }),
      [],
      'excluded by label kubekeeper.dev/snapshot',
    ],
    [
      "Velero's label",
      claim('c', { labels: { 'velero.io/exclude-from-backup': 'true' } }),
      [],
      'excluded by label velero.io/exclude-from-backup',
    ],
    ["k8up's", claim('c', { annotations: { 'k8up.io/backup': 'false' } }), [], 'excluded by annotation k8up.io/backup'],
    [
      "Velero's on a pod",
      claim('c'),
      [pod('web', { 'backup.velero.io/backup-volumes-excludes': 'cache, www' }, { www: 'c' })],
      'excluded by annotation backup.velero.io/backup-volumes-excludes of pod web',
    ],
  ];
  for (const [what, one, pods, why] of cases) {
    assert.deepEqual(plan([one], { pods }).skipped, [`c excluded: ${why}`], what);
  }
  const both = {
    annotations: { 'kubekeeper.dev/snapshot': 'true' },
    labels: { 'velero.io/exclude-from-backup': 'true' },
  };
  assert.deepEqual(plan([claim('c', both)]).alone, ['c only (asked for by annotation kubekeeper.dev/snapshot)']);
});

test('where the default is None, what asks for it is taken', () => {
  const none: DataSpec = { volumes: { default: 'None' } };
  const pods = [
    pod('web', { 'backup.velero.io/backup-volumes': 'www' }, { www: 'files' }),
    pod('other', { 'backup.velero.io/backup-volumes-excludes': 'x' }, { x: 'files' }),
  ];
  const { alone, skipped } = plan(
    [claim('data'), claim('files'), claim('db', { annotations: { 'k8up.io/backup': 'true' } })],
    { pods },
    none,
  );
  assert.deepEqual(alone, [
    'db only (asked for by annotation k8up.io/backup)',
    'files only (asked for by annotation backup.velero.io/backup-volumes of pod web)',
  ]);
  assert.deepEqual(skipped, ['data excluded: volumes.default is None and nothing asks for it']);
});

test('a selector narrows the default, and a mark is stronger', () => {
  const data: DataSpec = {
    volumes: { labelSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }] } },
  };
  const claims = [
    claim('a', { labels: { tier: 'gold' } }),
    claim('b'),
    claim('c', { annotations: { 'kubekeeper.dev/snapshot': 'true' } }),
  ];
  const { alone, skipped } = plan(claims, {}, data);
  assert.deepEqual(
    alone.map((line) => line[0]),
    ['a', 'c'],
  );
  assert.deepEqual(skipped, ['b excluded: its labels are not those of volumes.labelSelector']);
});

test('the class is the one that is named, else the default of the driver, else its only one', () => {
  const two = [snapshotClass('fast'), snapshotClass('slow', DRIVER, true), snapshotClass('other', 'x.example.com')];
  const classOf = (classes: readonly KubeObject[], data: DataSpec = {}, metadata: JsonObject = {}) =>
    plan([claim('c', metadata)], { snapshotClasses: classes }, data).alone[0]?.split(' ')[1];
  assert.equal(classOf(two), 'slow');
  assert.equal(classOf([snapshotClass('fast'), snapshotClass('other', 'x.example.com')]), 'fast');
  assert.equal(classOf(two, { volumeSnapshotClassName: 'fast' }), 'fast');
  assert.equal(classOf(two, { volumeSnapshotClassName: 'other' }), 'slow', 'one of another driver is not meant');
  assert.equal(classOf(two, { volumeSnapshotClassNames: { [DRIVER]: 'fast' } }), 'fast');
  assert.equal(classOf(two, {}, { annotations: { 'velero.io/csi-volumesnapshot-class': 'fast' } }), 'fast');
});

test('a claim that cannot be snapshotted is never silent', () => {
  const why = (more: Partial<NamespaceVolumes>, data: DataSpec = {}, metadata: JsonObject = {}) =>
    plan([claim('c', metadata)], more, data).skipped[0];
  assert.equal(
    why({ snapshotClasses: undefined }),
    'c impossible: VolumeSnapshots are not served or may not be read in this cluster',
  );
  assert.equal(why({ snapshotClasses: [] }), `c impossible: no VolumeSnapshotClass for driver ${DRIVER}`);
  assert.equal(
    why({ snapshotClasses: [snapshotClass('a', DRIVER, true), snapshotClass('b', DRIVER, true), snapshotClass('c')] }),
    `c impossible: driver ${DRIVER} has 2 VolumeSnapshotClasses, marked as its default: a, b; name one of them`,
  );
  assert.equal(
    why({ snapshotClasses: [snapshotClass('a'), snapshotClass('b')] }),
    `c impossible: driver ${DRIVER} has 2 VolumeSnapshotClasses, none of them marked as its default: a, b; name one of them`,
  );
  assert.equal(
    why({}, { volumeSnapshotClassName: 'gone' }),
    'c impossible: VolumeSnapshotClass gone, named by volumeSnapshotClassName, is not there',
  );
  assert.equal(
    why(
      { snapshotClasses: [snapshotClass('x', 'x.example.com')] },
      {},
      { annotations: { 'kubekeeper.dev/volume-snapshot-class': 'x' } },
    ),
    `c impossible: VolumeSnapshotClass x, named by annotation kubekeeper.dev/volume-snapshot-class, is of driver x.example.com and the claim of ${DRIVER}`,
  );
  assert.equal(
    why({ volumes: new Map([['pv-c', volume('pv-c', { nfs: { server: 's', path: '/' } })]]) }),
    'c impossible: its volume is not of a CSI driver, which alone can snapshot',
  );
  assert.equal(
    why({ volumes: new Map() }),
    'c impossible: its driver is not known: its PersistentVolume cannot be read',
  );
});

const groupClasses = [snapshotClass('together', DRIVER, false, 'VolumeGroupSnapshotClass')];

test('claims of a driver that serves groups go together when a label tells them apart', () => {
  const labels = (app: string) => ({ labels: { app } });
  const claims = [
    claim('db-0', labels('db')),
    claim('db-1', labels('db')),
    claim('web', labels('web')),
    claim('plain'),
  ];
  const { alone, groups } = plan(claims, { groupSnapshotClasses: groupClasses });
  const selector = { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'web'] }] };
  assert.deepEqual(groups, [{ names: ['db-0', 'db-1', 'web'], selector, className: 'together' }]);
  assert.deepEqual(alone, ['plain only (bound)']);
});

test('a group never takes a claim along that nobody wants, and says nothing where labels cannot tell', () => {
  const labels = { app: 'db' };
  const out = { labels, annotations: { 'kubekeeper.dev/snapshot': 'false' } };
  const claims = [claim('a', { labels }), claim('b', { labels }), claim('c', out)];
  const { alone, groups } = plan(claims, { groupSnapshotClasses: groupClasses });
  assert.deepEqual(groups, []);
  assert.equal(alone.length, 2);
});

test('groups that somebody made by label stay as they are', () => {
  const mark = (group: string) => ({ labels: { app: 'db', 'velero.io/volume-group': group } });
  const claims = [claim('a', mark('one')), claim('b', mark('one')), claim('c', mark('two')), claim('d', mark('two'))];
  const { groups } = plan(claims, { groupSnapshotClasses: groupClasses });
  assert.deepEqual(
    groups.map(({ names }) => names),
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  );
});

test('no groups where none are served, none are wanted, or drivers differ', () => {
  const labels = { app: 'db' };
  const claims = [claim('a', { labels }), claim('b', { labels })];
  assert.deepEqual(plan(claims).groups, []);
  assert.deepEqual(plan(claims, { groupSnapshotClasses: groupClasses }, { groupSnapshots: 'never' }).groups, []);
  const volumes = new Map([
    ['pv-a', volume('pv-a')],
    ['pv-b', volume('pv-b', { csi: { driver: 'x.example.com' } })],
  ]);
  const snapshotClasses = [snapshotClass('only'), snapshotClass('x', 'x.example.com')];
  assert.deepEqual(plan(claims, { volumes, snapshotClasses, groupSnapshotClasses: groupClasses }).groups, []);
});
