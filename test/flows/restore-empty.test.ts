import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { difference } from '../../controller/core/diff.ts';
import type { Json } from '../../controller/core/object.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually, git, keeper } from './keeper.ts';
import { applyAll, deployment, live, object, openPlace, pod, type RestoreDocument, treeOf } from './restoring.ts';
import { applyOwned, RBAC, shopObjects, statefulSet, widgets } from './shop.ts';

/** The cluster is lost. A bare clone that the real git made, and a kubeconfig, bring the namespace into an empty one. */

let lost: Cluster;
let empty: Cluster;
before(async () => {
  [lost, empty] = await Promise.all([startCluster(), startCluster()]);
});
after(async () => {
  await Promise.all([lost?.[Symbol.asyncDispose](), empty?.[Symbol.asyncDispose]()]);
});

const CANARY = 'kkcanary-empty-4711';
const NAME = 'shop';
const GROUP = 'empty.test';

const GLOBAL: readonly object[] = [
  widgets(GROUP).object,
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'slow' }, provisioner: 'none.test' },
  { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'shop-first' }, value: 1000 },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'shop-reader' },
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'shop-readers' },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'shop-reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: NAME }],
  },
];

const OBJECTS: readonly object[] = [
  ...shopObjects(NAME, GROUP, CANARY),
  object(`${RBAC}/v1`, 'RoleBinding', NAME, 'readers', {
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: NAME }],
  }),
  object('v1', 'ResourceQuota', NAME, 'limit', { spec: { hard: { 'count/configmaps': '100' } } }),
  object('v1', 'LimitRange', NAME, 'limit', { spec: { limits: [{ type: 'Container', default: { memory: '64Mi' } }] } }),
  object('v1', 'ConfigMap', NAME, 'app', { data: { banner: 'hello' } }),
  deployment(NAME, 'web', 'web:1', { template: pod('web', 'web:1', { priorityClassName: 'shop-first' }) }),
  statefulSet(NAME),
  object('v1', 'Service', NAME, 'inside', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }),
  object('v1', 'Service', NAME, 'asked', {
    spec: { selector: { app: 'web' }, type: 'NodePort', ports: [{ port: 80, nodePort: 31_911 }] },
  }),
];

const GIVEN = 'addresses and ports that nobody asked for are given out anew by the other cluster';
const SEALED = 'the same values, sealed with another key and another nonce';
const PLACE = 'says which cluster and which namespace the archive is of';

/** All that may differ: which fields of which file, and why. */
const EXPECTED: ReadonlyMap<string, { readonly fields: RegExp; readonly why: string }> = new Map([
  ['.kubekeeper/archive.json', { fields: /^\/(clusterId|namespace\/uid)$/, why: PLACE }],
  ['services/inside.json', { fields: /^\/spec\/clusterIP/, why: GIVEN }],
  ['services/asked.json', { fields: /^\/spec\/clusterIP/, why: GIVEN }],
  ['services/automatic.json', { fields: /^\/spec\/(clusterIP|ports\/.*\/nodePort$)/, why: GIVEN }],
  ['services/balanced.json', { fields: /^\/spec\/(clusterIP|ports\/.*\/nodePort$|healthCheckNodePort$)/, why: GIVEN }],
  ['secrets/db.json', { fields: /^\/(data\/password|sops\/)/, why: SEALED }],
  ['secrets/web-token.json', { fields: /^\/(data\/|sops\/)/, why: SEALED }],
]);

test("a bare clone and a kubeconfig bring the cluster's objects and the namespace into an empty cluster", async () => {
  await using place = await openPlace(lost.kubeconfig);
  await applyAll(lost, GLOBAL);
  await widgets(GROUP).established(lost);
  await lost.kubectl(['create', 'namespace', NAME]);
  await applyAll(lost, OBJECTS);
  await applyOwned(lost, NAME, GROUP);
  await eventually('the controllers to have done their part', async () => {
    const token = await live(lost, `/api/v1/namespaces/${NAME}/secrets/web-token`);
    return token?.['data'] !== undefined;
  });
  await place.archive();
  await place.archive();
  const then = await place.tree(NAME);

  const clones = join(place.path, 'clones');
  for (const name of ['_cluster', NAME])
    await promisify(execFile)('git', [
      'clone',
      '--quiet',
      '--bare',
      join(place.data, `${name}.git`),
      join(clones, `${name}.git`),
    ]);
  const other = join(place.path, 'other');
  const printed: string[] = [];
  const bring = async (name: string, ...options: readonly string[]) => {
    const from = ['--from', join(clones, `${name}.git`), '--to', 'HEAD', '--data-dir', other];
    const where = ['--kubeconfig', empty.kubeconfig, '--yes', '-o', 'json'];
    const { code, stdout, stderr } = await keeper(['restore', name, ...from, ...where, ...options]);
    printed.push(stdout, stderr);
    const document = stdout === '' ? undefined : (JSON.parse(stdout) as RestoreDocument);
    assert.deepEqual([code, document?.left, document?.incomplete, document?.different], [0, [], [], []], stderr);
    assert.deepEqual(
      document?.steps.filter(({ result }) => result !== 'done'),
      [],
      stderr,
    );
    return document;
  };
  const first = await bring('_cluster');
  assert.ok(first?.steps.some(({ ref }) => ref.name === 'widgets.empty.test'));
  const second = await bring(NAME, '--identity', place.identityFile);
  assert.ok((second?.steps.length ?? 0) >= OBJECTS.length);

  const widget = await live(empty, `/apis/empty.test/v1/namespaces/${NAME}/widgets/owner`);
  const owned = await live(empty, `/api/v1/namespaces/${NAME}/configmaps/owned`);
  const [reference] = (owned?.metadata['ownerReferences'] ?? []) as { uid: string }[];
  assert.equal(reference?.uid, widget?.metadata['uid']);
  assert.equal(
    Buffer.from(
      String((await live(empty, `/api/v1/namespaces/${NAME}/secrets/db`))?.['data']?.['password' as never]),
      'base64',
    ).toString(),
    CANARY,
  );
  assert.ok(existsSync(other));
  assert.ok(!`${place.output()}${printed.join()}`.includes(CANARY));

  await eventually('the controllers to have done their part', async () => {
    const token = await live(empty, `/api/v1/namespaces/${NAME}/secrets/web-token`);
    return token?.['data'] !== undefined;
  });
  const later = join(place.path, 'later');
  await place.archive('--kubeconfig', empty.kubeconfig, '--data-dir', later);
  const now = await treeOf(later, NAME);
  const paths = new Set([...then.keys(), ...now.keys()]);
  const differing = [...paths].filter((path) => then.get(path) !== now.get(path));
  assert.deepEqual(
    differing.filter((path) => !EXPECTED.has(path)),
    [],
  );
  for (const path of differing.filter((one) => one.endsWith('.json'))) {
    const [was, is] = await Promise.all(
      [place.data, later].map(async (data) => JSON.parse(await git(data, NAME, 'show', `main:${path}`)) as Json),
    );
    const changed = difference(was as Json, is as Json).map(({ pointer }) => pointer);
    assert.deepEqual(
      changed.filter((pointer) => !EXPECTED.get(path)?.fields.test(pointer)),
      [],
      path,
    );
  }
});
