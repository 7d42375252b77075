import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../../controller/core/object.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually } from './keeper.ts';
import { applyAll, deployment, live, object, openPlace } from './restoring.ts';
import { applyOwned, claim, onceOnly, RBAC, shopObjects, statefulSet, widgets } from './shop.ts';

/** A namespace restored into another one beside it: whatever names the old one names the new one, and the old one is left alone. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

const CANARY = 'kkcanary-into-4711';
const FROM = 'shop';
const INTO = 'shop-copy';
const GROUP = 'into.test';

const OBJECTS: readonly object[] = [
  ...shopObjects(FROM, GROUP, CANARY),
  object(`${RBAC}/v1`, 'RoleBinding', FROM, 'readers', {
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'reader' },
    subjects: [
      { kind: 'ServiceAccount', name: 'web', namespace: FROM },
      { kind: 'ServiceAccount', name: 'web', namespace: 'elsewhere' },
      { apiGroup: RBAC, kind: 'Group', name: `system:serviceaccounts:${FROM}` },
      { apiGroup: RBAC, kind: 'User', name: `system:serviceaccount:${FROM}:web` },
    ],
  }),
  object('v1', 'ConfigMap', FROM, 'app', { data: { url: 'http://web.shop.svc' } }),
  deployment(FROM, 'web'),
  statefulSet(FROM, { volumeClaimTemplates: [{ metadata: { name: 'data' }, ...claim }] }),
  object('batch/v1', 'Job', FROM, 'once', { spec: { template: onceOnly } }),
  object('v1', 'Service', FROM, 'fixed', {
    spec: { selector: { app: 'web' }, type: 'NodePort', ports: [{ port: 80, nodePort: 31_847 }] },
  }),
  object('networking.k8s.io/v1', 'Ingress', FROM, 'web', {
    spec: {
      tls: [{ hosts: ['shop.example.com'], secretName: 'tls' }],
      rules: [
        {
          host: 'shop.example.com',
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'automatic', port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  }),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', FROM, 'web', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 3,
    },
  }),
];

const COLLECTIONS = [
  ...['serviceaccounts', 'configmaps', 'secrets', 'services', 'persistentvolumeclaims', 'pods'].map((one) => [
    '/api/v1',
    one,
  ]),
  ...['deployments', 'statefulsets', 'replicasets', 'controllerrevisions'].map((one) => ['/apis/apps/v1', one]),
  ...['jobs', 'cronjobs'].map((one) => ['/apis/batch/v1', one]),
  ...['roles', 'rolebindings'].map((one) => [`/apis/${RBAC}/v1`, one]),
  ...['ingresses', 'networkpolicies'].map((one) => ['/apis/networking.k8s.io/v1', one]),
  ['/apis/autoscaling/v2', 'horizontalpodautoscalers'],
  ['/apis/policy/v1', 'poddisruptionbudgets'],
  ['/apis/into.test/v1', 'widgets'],
] as const;

async function all(namespace: string): Promise<ReadonlyMap<string, KubeObject>> {
  const found = new Map<string, KubeObject>();
  for (const [root, plural] of COLLECTIONS) {
    const { text } = await cluster.request('GET', `${root}/namespaces/${namespace}/${plural}`);
    for (const one of (JSON.parse(text) as { items: KubeObject[] }).items)
      found.set(`${plural}/${one.metadata.name}`, one);
  }
  return found;
}

/** An autoscaler counts no generations, and its controller writes the first status a quarter of a minute after it was made. */
const versionOf = (name: string, { metadata, ...rest }: KubeObject) =>
  name.startsWith('horizontalpodautoscalers/')
    ? JSON.stringify(rest['spec'])
    : (metadata['generation'] ?? metadata['resourceVersion']);

const uidAndVersion = (objects: ReadonlyMap<string, KubeObject>) =>
  [...objects].map(([name, one]) => `${name} ${one.metadata['uid']} ${versionOf(name, one)}`).sort();

// biome-ignore lint/suspicious/noExplicitAny: what the server answers is looked into at will
const inside = (one: KubeObject | undefined) => one as any;

test('a namespace of every sort comes into another one: subjects, hosts, classes and owners follow, nothing is made twice', async () => {
  await using place = await openPlace(cluster.kubeconfig);
  await cluster.apply(widgets(GROUP).object);
  await widgets(GROUP).established(cluster);
  await cluster.kubectl(['create', 'namespace', FROM]);
  await cluster.kubectl(['label', 'namespace', FROM, 'team=blue']);
  await applyAll(cluster, OBJECTS);
  const reference = await applyOwned(cluster, FROM, GROUP, {
    finalizers: ['into.test/kept', 'nobody.invalid/kept'],
  });
  await eventually('the controllers to have made what they make', async () => {
    const now = await all(FROM);
    const names = [...now.keys()];
    return (
      ['pods/store-0', 'persistentvolumeclaims/data-store-0', 'configmaps/kube-root-ca.crt'].every((name) =>
        now.has(name),
      ) &&
      names.some((name) => name.startsWith('replicasets/web-')) &&
      names.some((name) => name.startsWith('pods/web-')) &&
      names.some((name) => name.startsWith('pods/once-')) &&
      inside(now.get('secrets/web-token')).data?.token !== undefined
    );
  });
  await place.archive('--namespaces', FROM);
  const before = await all(FROM);

  const options = ['--into', INTO, '--to', 'HEAD', '--host', 'shop.example.com=copy.example.com'];
  const mapped = [...options, '--storage-class', 'slow=fast'];
  const plan = await place.plan(FROM, ...mapped);
  assert.equal(await live(cluster, `/api/v1/namespaces/${INTO}`), undefined, 'a plan makes nothing');
  assert.deepEqual(new Set(plan.steps.map(({ ref }) => ref.namespace ?? ref.name)), new Set([INTO]));
  const { code, document, stderr } = await place.restore(FROM, ...mapped);
  assert.deepEqual(
    document?.steps.filter(({ result }) => result !== 'done'),
    [],
    stderr,
  );
  assert.deepEqual(document?.different, []);
  assert.deepEqual([code, document?.left, document?.incomplete], [0, [], []], stderr);

  await eventually('the controllers to have made what they make', async () => (await all(INTO)).size >= before.size);
  const copy = await all(INTO);
  const sort = (names: Iterable<string>) =>
    [...names].map((name) => name.replace(/^((?:pods|replicasets|controllerrevisions)\/[a-z]+)-.*$/, '$1')).sort();
  assert.deepEqual(sort(copy.keys()), sort(before.keys()), 'each child once');
  assert.deepEqual(uidAndVersion(await all(FROM)), uidAndVersion(before));

  assert.deepEqual(inside(copy.get('rolebindings/readers')).subjects, [
    { kind: 'ServiceAccount', name: 'web', namespace: INTO },
    { kind: 'ServiceAccount', name: 'web', namespace: 'elsewhere' },
    { apiGroup: RBAC, kind: 'Group', name: `system:serviceaccounts:${INTO}` },
    { apiGroup: RBAC, kind: 'User', name: `system:serviceaccount:${INTO}:web` },
  ]);
  const { tls, rules } = inside(copy.get('ingresses/web')).spec;
  assert.deepEqual([tls[0].hosts, rules[0].host], [['copy.example.com'], 'copy.example.com']);
  for (const name of ['files', 'data-store-0'])
    assert.equal(inside(copy.get(`persistentvolumeclaims/${name}`)).spec.storageClassName, 'fast');
  assert.equal(inside(copy.get('statefulsets/store')).spec.volumeClaimTemplates[0].spec.storageClassName, 'fast');
  assert.equal(Buffer.from(inside(copy.get('secrets/db')).data.password, 'base64').toString(), CANARY);
  const [token, old] = [copy, before].map((one) => inside(one.get('secrets/web-token')));
  assert.equal(
    token.metadata.annotations['kubernetes.io/service-account.uid'],
    copy.get('serviceaccounts/web')?.metadata['uid'],
  );
  assert.notEqual(token.data.token, old.data.token);
  assert.equal(inside(await live(cluster, `/api/v1/namespaces/${INTO}`)).metadata.labels.team, 'blue');

  const ports = (name: string) => [before, copy].map((one) => inside(one.get(`services/${name}`)).spec);
  assert.equal(ports('store')[1].clusterIP, 'None');
  for (const name of ['fixed', 'automatic', 'balanced']) {
    const [was, is] = ports(name);
    assert.notEqual(is.clusterIP, was.clusterIP);
    assert.notEqual(is.ports[0].nodePort, was.ports[0].nodePort);
    assert.ok(is.ports[0].nodePort >= 30_000, name);
  }
  assert.notEqual(ports('balanced')[1].healthCheckNodePort, ports('balanced')[0].healthCheckNodePort);

  const owned = copy.get('configmaps/owned');
  assert.deepEqual(owned?.metadata['ownerReferences'], [
    { ...reference, uid: copy.get('widgets/owner')?.metadata['uid'] },
  ]);
  assert.deepEqual(owned?.metadata['finalizers'], ['into.test/kept']);
  assert.ok(!place.output().includes(CANARY));
  assert.ok(!place.output().includes(Buffer.from(CANARY).toString('base64')));

  // The claim that its StatefulSet's template made was made by it, and is the same one after all.
  const again = await place.restore(FROM, ...mapped);
  assert.deepEqual([again.code, again.document?.steps, again.document?.equal], [0, [], true], again.stdout);
  assert.deepEqual(uidAndVersion(await all(INTO)), uidAndVersion(copy));
});
