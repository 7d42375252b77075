import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually, git } from './keeper.ts';
import { applyAll, brief, deployment, live, object, openPlace, type Place, pod } from './restoring.ts';

/** A restore with somebody's rights: twenty kinds by three roles, each doing exactly what it may. */

let cluster: Cluster;
let place: Place;
let commit: string;
before(async () => {
  cluster = await startCluster();
  place = await openPlace(cluster.kubeconfig);
  await cluster.kubectl(['create', 'namespace', NAME]);
  await applyAll(cluster, ROLES);
  await applyAll(
    cluster,
    KINDS.map(({ made }) => made),
  );
  await place.archive('--namespaces', NAME);
  commit = (await git(place.data, NAME, 'rev-parse', 'main')).trim();
});
after(async () => {
  await place?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const NAME = 'rights';
const RBAC = 'rbac.authorization.k8s.io';
const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete'];

interface Kind {
  /** As a plan names it. */
  readonly resource: string;
  readonly path: string;
  readonly made: object;
  /** Rights and limits are not an editor's. */
  readonly isGoverning: boolean;
}

function kind(apiVersion: string, kindName: string, plural: string, rest: object): Kind {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const root = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
  return {
    resource: group === '' ? plural : `${plural}.${group}`,
    path: `${root}/namespaces/${NAME}/${plural}/one`,
    made: object(apiVersion, kindName, NAME, 'one', rest),
    isGoverning: group === RBAC || plural === 'resourcequotas' || plural === 'limitranges',
  };
}

const labels = { app: 'one' };
const selector = { matchLabels: labels };
const once = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'web:1' }] } };
const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];

const KINDS: readonly Kind[] = [
  kind('v1', 'ConfigMap', 'configmaps', { data: { a: '1' } }),
  kind('v1', 'Secret', 'secrets', { stringData: { a: '1' } }),
  kind('v1', 'Service', 'services', { spec: { selector: labels, ports: [{ port: 80 }] } }),
  kind('v1', 'ServiceAccount', 'serviceaccounts', {}),
  kind('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'slow', resources: { requests: { storage: '1Gi' } } },
  }),
  kind('v1', 'PodTemplate', 'podtemplates', { template: pod('one') }),
  kind('v1', 'ReplicationController', 'replicationcontrollers', {
    spec: { replicas: 0, selector: labels, template: pod('one') },
  }),
  kind('v1', 'LimitRange', 'limitranges', { spec: { limits: [{ type: 'Container', default: { memory: '64Mi' } }] } }),
  kind('v1', 'ResourceQuota', 'resourcequotas', { spec: { hard: { 'count/configmaps': '100' } } }),
  kind('apps/v1', 'Deployment', 'deployments', { spec: deployment(NAME, 'one', 'web:1', { replicas: 0 }).spec }),
  kind('apps/v1', 'StatefulSet', 'statefulsets', {
    spec: { replicas: 0, serviceName: 'one', selector, template: pod('one') },
  }),
  kind('apps/v1', 'DaemonSet', 'daemonsets', { spec: { selector, template: pod('one') } }),
  kind('batch/v1', 'Job', 'jobs', { spec: { suspend: true, template: once } }),
  kind('batch/v1', 'CronJob', 'cronjobs', {
    spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template: once } } },
  }),
  kind('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }, maxReplicas: 3 },
  }),
  kind('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', { spec: { minAvailable: 1, selector } }),
  kind('networking.k8s.io/v1', 'Ingress', 'ingresses', {
    spec: { defaultBackend: { service: { name: 'one', port: { number: 80 } } } },
  }),
  kind('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', {
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  }),
  kind(`${RBAC}/v1`, 'Role', 'roles', { rules }),
  kind(`${RBAC}/v1`, 'RoleBinding', 'rolebindings', {
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'one' },
    subjects: [{ kind: 'ServiceAccount', name: 'one', namespace: NAME }],
  }),
];

const [written, governing] = [
  KINDS.filter(({ isGoverning }) => !isGoverning),
  KINDS.filter(({ isGoverning }) => isGoverning),
];

const groupOf = ({ resource }: Kind) => resource.split('.').slice(1).join('.');
const pluralOf = ({ resource }: Kind) => resource.split('.')[0];

function role(name: string, own: readonly object[]): readonly object[] {
  const subject = { apiGroup: RBAC, kind: 'Group', name: `rights-${name}s` };
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name: `rights-${name}` }, rules: own },
    object(`${RBAC}/v1`, 'RoleBinding', NAME, `rights-${name}`, {
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: `rights-${name}` },
      subjects: [subject],
    }),
  ];
}

const everything = { apiGroups: ['*'], resources: ['*'] };
const ROLES: readonly object[] = [
  ...role('viewer', [{ ...everything, verbs: READ }]),
  ...role('editor', [
    { ...everything, verbs: READ },
    ...written.map((one) => ({ apiGroups: [groupOf(one)], resources: [pluralOf(one)], verbs: WRITE })),
  ]),
  ...role('admin', [{ ...everything, verbs: ['*'] }]),
];

const mayNot = ({ resource }: Kind) => `${resource}/one: you may not create ${resource} in ${NAME}`;

async function deleteAll(): Promise<void> {
  const all = KINDS.map(({ resource }) => `${resource}/one`);
  await cluster.kubectl(['-n', NAME, 'delete', ...all, '--ignore-not-found', '--wait']);
}

async function living(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { resource, path } of KINDS) if ((await live(cluster, path)) !== undefined) found.push(resource);
  return found;
}

const MATRIX = [
  { name: 'viewer', may: [], mayNotMake: KINDS, exit: 3 },
  { name: 'editor', may: written, mayNotMake: governing, exit: 3 },
  { name: 'admin', may: KINDS, mayNotMake: [], exit: 0 },
] as const;

for (const { name, may, mayNotMake, exit } of MATRIX) {
  test(`of twenty kinds that are gone, the ${name} brings back exactly the ${may.length} that this role may make`, async () => {
    assert.equal(KINDS.length, 20);
    await deleteAll();
    await using proxy = await startFaultProxy(cluster);
    const asker = ['--to', commit, '--as', `a ${name}`, '--as-group', `rights-${name}s`];
    const plan = await place.plan(NAME, ...asker);
    const sorted = (names: readonly string[]) => [...names].sort();
    assert.deepEqual(
      sorted(brief(plan)),
      sorted([
        ...may.map(({ resource }) => `create ${resource}/one`),
        ...mayNotMake.map(({ resource }) => `skip ${resource}/one`),
      ]),
    );
    const reasons = (
      steps: readonly { readonly ref: { readonly resource: string; readonly name: string }; readonly reason: string }[],
    ) => sorted(steps.map(({ ref, reason }) => `${ref.resource}/${ref.name}: ${reason}`));
    assert.deepEqual(reasons(plan.steps.filter(({ action }) => action === 'skip')), sorted(mayNotMake.map(mayNot)));
    assert.deepEqual(await living(), []);

    const { code, document, stderr } = await place.restore(NAME, ...asker, '--kubeconfig', proxy.kubeconfig);
    assert.equal(code, exit, stderr);
    assert.deepEqual(sorted(await living()), sorted(may.map(({ resource }) => resource)));
    assert.deepEqual(reasons(document?.left ?? []), sorted(mayNotMake.map(mayNot)));
    assert.deepEqual(document?.different, []);
    const isWrite = ({
      method,
      path,
      query,
    }: {
      readonly method: string;
      readonly path: string;
      readonly query: string;
    }) => method !== 'GET' && !query.includes('dryRun=All') && !path.includes('selfsubjectaccessreviews');
    const writes = proxy.requests.filter(isWrite).map(({ method, path }) => `${method} ${path}/one`);
    assert.deepEqual(sorted(writes), sorted(may.map(({ path }) => `POST ${path}`)));
  });
}

test('gone on with, a restore has the rights that it began with, those of groups too', async () => {
  await deleteAll();
  await using proxy = await startFaultProxy(cluster);
  const real = /^(?!.*dryRun)/;
  const fault = proxy.add({ path: /\/configmaps$/, method: 'POST', query: real, action: { do: 'stall' } });
  const asker = ['--to', commit, '--as', 'an editor', '--as-group', 'rights-editors'];
  const running = place.begin(NAME, ...asker, '--kubeconfig', proxy.kubeconfig);
  await eventually('a write', async () => fault.hits > 0, 60_000);
  await running.kill();
  const { code, stderr } = await place.restore(NAME, '--resume');
  assert.equal(code, 3, stderr);
  assert.deepEqual((await living()).toSorted(), written.map(({ resource }) => resource).toSorted());
});

test('who may not impersonate is told so in one line, with exit code 4', async () => {
  const user = await cluster.createUser('reader', [{ ...everything, verbs: READ }]);
  for (const verb of ['plan', 'restore']) {
    const yes = verb === 'restore' ? ['--yes'] : [];
    const asker = ['--to', commit, '--as', 'jane', '--kubeconfig', user.kubeconfig];
    const began = performance.now();
    const { code, stdout, stderr } = await place.run(verb, NAME, ...asker, ...yes);
    assert.deepEqual([code, stdout], [4, '']);
    assert.equal(stderr.trim().split('\n').length, 1);
    assert.match(stderr, /^error: You may not act as "jane" \(403: .*\); nothing was changed/);
    assert.ok(performance.now() - began < 30_000, 'nothing is waited for');
  }
});
