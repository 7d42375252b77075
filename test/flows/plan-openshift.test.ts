import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Plan, Step } from '../../controller/core/restore/plan.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, keeper, temporaryDirectory } from './keeper.ts';
import { serveOpenShift } from './openshift-stand-in.ts';

/** OpenShift's kinds, recorded and served by a stand-in of its APIs: what a plan says of each, in place and in another namespace. */

let cluster: Cluster;
let data: Awaited<ReturnType<typeof temporaryDirectory>>;
let place: readonly string[];
before(async () => {
  cluster = await startCluster();
  data = await temporaryDirectory();
  place = ['--kubeconfig', cluster.kubeconfig, '--data-dir', data.path, '--to', 'HEAD'];
  await serveOpenShift(cluster);
  await cluster.kubectl(['create', 'namespace', 'shop']);
  for (const object of recorded) await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  await archiveOnce(cluster.kubeconfig, data.path, '--namespaces', 'shop,_cluster');
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  await data[Symbol.asyncDispose]();
});

const REGISTRY = 'image-registry.openshift-image-registry.svc:5000';

function shop(apiVersion: string, kind: string, name: string, body: object, annotations: object = {}): object {
  return { apiVersion, kind, metadata: { name, namespace: 'shop', annotations }, ...body };
}

const from = { kind: 'ImageStreamTag', name: 'web:1', namespace: 'shop' };
const recorded: readonly object[] = [
  shop('apps.openshift.io/v1', 'DeploymentConfig', 'web', {
    spec: {
      replicas: 1,
      triggers: [{ type: 'ImageChange', imageChangeParams: { containerNames: ['web'], from } }],
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: `${REGISTRY}/shop/web@sha256:1` }] },
      },
    },
  }),
  shop(
    'route.openshift.io/v1',
    'Route',
    'generated',
    { spec: { host: 'generated-shop.apps.example.com', to: { kind: 'Service', name: 'web' } } },
    {
      'openshift.io/host.generated': 'true',
    },
  ),
  shop('route.openshift.io/v1', 'Route', 'chosen', {
    spec: { host: 'shop.example.com', to: { kind: 'Service', name: 'web' } },
  }),
  shop('image.openshift.io/v1', 'ImageStream', 'web', {
    spec: { lookupPolicy: { local: false }, tags: [{ name: '1', from: { kind: 'DockerImage', name: 'web:1' } }] },
    status: { tags: [{ tag: '1', items: [{ image: 'sha256:abc' }] }] },
  }),
  shop('build.openshift.io/v1', 'BuildConfig', 'web', {
    spec: {
      output: { to: { kind: 'ImageStreamTag', name: 'web:1' }, pushSecret: { name: 'builder-dockercfg-x7k2p' } },
      strategy: {
        type: 'Source',
        sourceStrategy: { from: { kind: 'ImageStreamTag', name: 'node:24', namespace: 'shop' } },
      },
    },
  }),
  shop(
    'build.openshift.io/v1',
    'Build',
    'web-1',
    { spec: {}, status: { phase: 'Complete' } },
    { 'openshift.io/build-config.name': 'web' },
  ),
  shop('template.openshift.io/v1', 'Template', 'starter', {
    objects: [],
    parameters: [{ name: 'NAME', value: 'shop' }],
  }),
  shop('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps.openshift.io/v1', kind: 'DeploymentConfig', name: 'web' },
      minReplicas: 1,
      maxReplicas: 3,
    },
  }),
  shop('rbac.authorization.k8s.io/v1', 'RoleBinding', 'deployers', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [
      { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
      { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:serviceaccounts:shop' },
    ],
  }),
  {
    apiVersion: 'security.openshift.io/v1',
    kind: 'SecurityContextConstraints',
    metadata: { name: 'shop' },
    allowPrivilegedContainer: false,
    users: ['system:serviceaccount:shop:web'],
    groups: [],
  },
];

async function plan(repository: string, ...args: readonly string[]): Promise<ReadonlyMap<string, Step>> {
  const { code, stdout, stderr } = await keeper(['plan', repository, ...place, '-o', 'json', ...args]);
  assert.equal(code, 0, stderr);
  const { steps } = JSON.parse(stdout) as Plan;
  return new Map(steps.map((step) => [`${step.ref.resource}/${step.ref.name}`, step]));
}

test('in place nothing of it differs', async () => {
  const steps = await plan('shop');
  assert.deepEqual([...steps.keys()], []);
});

test('in another namespace references follow, what OpenShift makes itself is left to it, and each note says why', async () => {
  const steps = await plan('shop', '--into', 'copy');
  const notes = (name: string) => steps.get(name)?.notes.join('; ') ?? `no step ${[...steps.keys()].join()}`;
  assert.equal(steps.get('deploymentconfigs.apps.openshift.io/web')?.action, 'create');
  assert.match(notes('deploymentconfigs.apps.openshift.io/web'), /namespace copy instead of shop|image/);
  assert.match(notes('routes.route.openshift.io/generated'), /host.*anew/);
  assert.doesNotMatch(notes('routes.route.openshift.io/chosen'), /anew/);
  assert.match(notes('imagestreams.image.openshift.io/web'), /1 was sha256:abc/);
  assert.match(notes('buildconfigs.build.openshift.io/web'), /builder-dockercfg-x7k2p is left out/);
  assert.notEqual(steps.get('builds.build.openshift.io/web-1')?.action, 'create');
  assert.equal(steps.get('templates.template.openshift.io/starter')?.action, 'create');
  assert.match(notes('rolebindings.rbac.authorization.k8s.io/deployers'), /copy/);
  assert.equal(steps.get('horizontalpodautoscalers.autoscaling/web')?.action, 'create');
});

test('a host is mapped where it is asked for', async () => {
  const steps = await plan('shop', '--into', 'copy', '--host', 'shop.example.com=copy.example.com');
  assert.match(steps.get('routes.route.openshift.io/chosen')?.notes.join() ?? '', /copy\.example\.com/);
});

test('constraints of the cluster are restored with the accounts that they name', async () => {
  await cluster.kubectl(['delete', 'securitycontextconstraints', 'shop']);
  const steps = await plan('_cluster', '--kinds', 'securitycontextconstraints');
  assert.equal(steps.get('securitycontextconstraints.security.openshift.io/shop')?.action, 'create');
  assert.equal(steps.get('securitycontextconstraints.security.openshift.io/shop')?.wave, 'rights');
});
