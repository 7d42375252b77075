import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, sent, skipped } from './prepared.ts';

/** Kinds of OpenShift, as its API servers give them. */

const registry = 'image-registry.openshift-image-registry.svc:5000';

test('a DeploymentConfig comes whole: its image and its trigger follow the namespace', () => {
  const object = archived('apps.openshift.io/v1', 'DeploymentConfig', {
    spec: {
      replicas: 2,
      triggers: [
        {
          type: 'ImageChange',
          imageChangeParams: {
            containerNames: ['web'],
            from: { kind: 'ImageStreamTag', name: 'web:1', namespace: 'shop' },
          },
        },
        {
          type: 'ImageChange',
          imageChangeParams: { from: { kind: 'ImageStreamTag', name: 'cli:latest', namespace: 'openshift' } },
        },
      ],
      template: { spec: { containers: [{ name: 'web', image: `${registry}/shop/web@sha256:1` }] } },
    },
  });
  assert.deepEqual(sent(object, 'deploymentconfigs.apps.openshift.io').object, object);
  const { object: moved } = sent(object, 'deploymentconfigs.apps.openshift.io', OTHER_NAMESPACE);
  assert.deepEqual(moved['spec'], {
    replicas: 2,
    triggers: [
      {
        type: 'ImageChange',
        imageChangeParams: {
          containerNames: ['web'],
          from: { kind: 'ImageStreamTag', name: 'web:1', namespace: 'drill' },
        },
      },
      {
        type: 'ImageChange',
        imageChangeParams: { from: { kind: 'ImageStreamTag', name: 'cli:latest', namespace: 'openshift' } },
      },
    ],
    template: { spec: { containers: [{ name: 'web', image: `${registry}/drill/web@sha256:1` }] } },
  });
});

const build = archived('build.openshift.io/v1', 'BuildConfig', {
  spec: {
    output: { to: { kind: 'ImageStreamTag', name: 'web:1' }, pushSecret: { name: 'builder-dockercfg-x7k2p' } },
    strategy: {
      type: 'Source',
      sourceStrategy: {
        from: { kind: 'ImageStreamTag', name: 'node:24', namespace: 'shop' },
        pullSecret: { name: 'own' },
      },
    },
    triggers: [{ type: 'ConfigChange' }, { type: 'ImageChange', imageChange: {} }],
  },
});

test('a BuildConfig comes without the generated pull secret, and says that it builds at once', () => {
  const prepared = sent(build, 'buildconfigs.build.openshift.io', OTHER_NAMESPACE);
  assert.deepEqual(prepared.object['spec'], {
    output: { to: { kind: 'ImageStreamTag', name: 'web:1' } },
    strategy: {
      type: 'Source',
      sourceStrategy: {
        from: { kind: 'ImageStreamTag', name: 'node:24', namespace: 'drill' },
        pullSecret: { name: 'own' },
      },
    },
    triggers: [{ type: 'ConfigChange' }, { type: 'ImageChange', imageChange: {} }],
  });
  assert.deepEqual(prepared.notes, [
    'builder-dockercfg-x7k2p is left out: the builder account gets another pull secret',
    'its ConfigChange trigger starts a build when it is made',
    'names namespace drill instead of shop',
  ]);
  assert.deepEqual(sent(build, 'buildconfigs.build.openshift.io', { isPlanned: () => true }).object, build);
});

test('a generated host of a Route is given out anew elsewhere; a chosen one stays, is mapped or answers to nobody', () => {
  const routes = 'routes.route.openshift.io';
  const annotations = { 'openshift.io/host.generated': 'true' };
  const generated = archived('route.openshift.io/v1', 'Route', {
    metadata: { annotations },
    spec: { host: 'web-shop.apps.example', to: { kind: 'Service', name: 'web' } },
  });
  assert.deepEqual(sent(generated, routes).object, generated);
  const elsewhere = sent(generated, routes, OTHER_NAMESPACE);
  assert.deepEqual(elsewhere.object['spec'], { to: { kind: 'Service', name: 'web' } });
  assert.deepEqual(elsewhere.notes, ['host is given out anew: the router had made it up']);
  assert.deepEqual(elsewhere.given, ['/spec/host']);
  const chosen = archived('route.openshift.io/v1', 'Route', { spec: { host: 'shop.example' } });
  const host = (hosts: ReadonlyMap<string, string> | 'clear' | undefined) =>
    sent(chosen, routes, { ...OTHER_NAMESPACE, mappings: { hosts } }).object['spec'];
  assert.deepEqual(host(undefined), { host: 'shop.example' });
  assert.deepEqual(host(new Map([['shop.example', 'test.example']])), { host: 'test.example' });
  assert.deepEqual(host('clear'), { host: 'shop.example.invalid' });
});

test('an ImageStream comes with its tags, and says which images they were', () => {
  const object = archived('image.openshift.io/v1', 'ImageStream', {
    spec: {
      lookupPolicy: { local: true },
      tags: [
        { name: '1', from: { kind: 'DockerImage', name: 'old.example/web:1' } },
        { name: '2', from: { kind: 'ImageStreamTag', name: 'base:2', namespace: 'shop' } },
      ],
    },
  });
  const recorded = ['/status/tags/0/tag "1"', '/status/tags/0/items/0/image "sha256:abc"'];
  const prepared = sent(object, 'imagestreams.image.openshift.io', {
    ...OTHER_NAMESPACE,
    recorded,
    mappings: { images: [['old.example', 'new.example']] },
  });
  assert.deepEqual(prepared.object['spec'], {
    lookupPolicy: { local: true },
    tags: [
      { name: '1', from: { kind: 'DockerImage', name: 'new.example/web:1' } },
      { name: '2', from: { kind: 'ImageStreamTag', name: 'base:2', namespace: 'drill' } },
    ],
  });
  assert.equal(prepared.notes[0], 'images are not in the archive: 1 was sha256:abc');
});

test('constraints follow the accounts that they name', () => {
  const object = archived('security.openshift.io/v1', 'SecurityContextConstraints', {
    users: ['system:serviceaccount:shop:web', 'system:admin'],
    groups: ['system:serviceaccounts:shop', 'system:authenticated'],
  });
  const { object: moved } = sent(object, 'securitycontextconstraints.security.openshift.io', OTHER_NAMESPACE);
  assert.deepEqual(moved['users'], ['system:serviceaccount:drill:web', 'system:admin']);
  assert.deepEqual(moved['groups'], ['system:serviceaccounts:drill', 'system:authenticated']);
});

test('an autoscaler of a DeploymentConfig finds it by its group', () => {
  const object = archived('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: { scaleTargetRef: { apiVersion: 'v1', kind: 'DeploymentConfig', name: 'web' } },
  });
  assert.deepEqual(sent(object, 'horizontalpodautoscalers.autoscaling').object['spec'], {
    scaleTargetRef: { apiVersion: 'apps.openshift.io/v1', kind: 'DeploymentConfig', name: 'web' },
  });
});

test('a namespace keeps the range of user ids that its files belong to', () => {
  const annotations = { 'openshift.io/sa.scc.uid-range': '1000650000/10000', 'openshift.io/sa.scc.mcs': 's0:c26,c5' };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', annotations } };
  const prepared = sent(object, 'namespaces', OTHER_CLUSTER);
  assert.deepEqual(prepared.object.metadata['annotations'], annotations);
  assert.deepEqual(prepared.notes, [
    'keeps the range of user ids 1000650000/10000, so that files on volumes can be read',
  ]);
});

test('a Template is data: nothing in it is rewritten', () => {
  const object = archived('template.openshift.io/v1', 'Template', {
    objects: [{ kind: 'Route', metadata: { namespace: 'shop' }, spec: { host: 'shop.example' } }],
  });
  const { object: moved } = sent(object, 'templates.template.openshift.io', OTHER_NAMESPACE);
  assert.deepEqual(moved['objects'], object['objects']);
});

const annotated = (key: string) => ({ metadata: { annotations: { [key]: 'web' } } });
for (const [object, resource] of [
  [archived('build.openshift.io/v1', 'Build'), 'builds.build.openshift.io'],
  [archived('image.openshift.io/v1', 'ImageTag'), 'imagetags.image.openshift.io'],
  [archived('image.openshift.io/v1', 'ImageStreamTag'), 'imagestreamtags.image.openshift.io'],
  [archived('template.openshift.io/v1', 'TemplateInstance'), 'templateinstances.template.openshift.io'],
  [archived('project.openshift.io/v1', 'Project'), 'projects.project.openshift.io'],
  [archived('authorization.openshift.io/v1', 'RoleBinding'), 'rolebindings.authorization.openshift.io'],
  [
    archived('rbac.authorization.k8s.io/v1', 'RoleBinding', { metadata: { name: 'system:deployers' } }),
    'rolebindings.rbac.authorization.k8s.io',
  ],
  [archived('v1', 'Secret', annotated('service.alpha.openshift.io/originating-service-name')), 'secrets'],
  [
    archived('v1', 'Secret', { metadata: { name: 'builder-dockercfg-x7k2p' }, type: 'kubernetes.io/dockercfg' }),
    'secrets',
  ],
  [archived('v1', 'ConfigMap', { metadata: { name: 'openshift-service-ca.crt' } }), 'configmaps'],
  [archived('v1', 'Pod', annotated('openshift.io/build.name')), 'pods'],
] as const) {
  test(`${object.kind} ${object.metadata.name} of ${resource} is made by OpenShift itself`, () => {
    assert.match(skipped(object, resource) ?? '', /^\S.*[^.]$/);
  });
}
