import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../controller/core/object.ts';
import { at, clean, leftOutBy, object, wrote } from './builders.ts';

test('a Route keeps its host, its key is secret, its status goes', () => {
  const route = object('route.openshift.io/v1', 'Route', {
    metadata: { annotations: { 'openshift.io/host.generated': 'true' } },
    spec: {
      host: 'web-shop.apps.example.com',
      to: { kind: 'Service', name: 'web', weight: 100 },
      tls: { termination: 'edge', certificate: 'CERT', key: 'KEY' },
      wildcardPolicy: 'None',
    },
    status: { ingress: [{ host: 'web-shop.apps.example.com' }] },
  });
  const result = clean(route, 'routes.route.openshift.io');
  assert.deepEqual(result.object['spec'], route['spec']);
  assert.deepEqual(result.object.metadata['annotations'], { 'openshift.io/host.generated': 'true' });
  assert.equal(result.object['status'], undefined);
  assert.deepEqual(result.secrets, ['/spec/tls/key']);
});

test('a BuildConfig loses the image its trigger saw, and its hooks are secret', () => {
  const build = object('build.openshift.io/v1', 'BuildConfig', {
    spec: {
      output: { to: { kind: 'ImageStreamTag', name: 'web:latest' }, pushSecret: { name: 'builder-dockercfg-x7k2p' } },
      triggers: [
        {
          type: 'ImageChange',
          imageChange: {
            lastTriggeredImageID: 'registry/web@sha256:1',
            from: { kind: 'ImageStreamTag', name: 'base:1' },
          },
        },
        { type: 'GitHub', github: { secret: 'hook' } },
        { type: 'Generic', generic: { secret: 'hook', allowEnv: false } },
        { type: 'GitLab', gitlab: { secretReference: { name: 'hook' } } },
      ],
      nodeSelector: null,
    },
    status: { lastVersion: 3 },
  });
  const result = clean(build, 'buildconfigs.build.openshift.io');
  assert.deepEqual(at(result.object, 'spec', 'triggers', 0, 'imageChange'), {
    from: { kind: 'ImageStreamTag', name: 'base:1' },
  });
  assert.deepEqual(result.secrets, ['/spec/triggers/1/github/secret', '/spec/triggers/2/generic/secret']);
  assert.deepEqual(at(result.object, 'spec', 'output', 'pushSecret'), { name: 'builder-dockercfg-x7k2p' });
});

test('a DeploymentConfig holds only the image that its trigger sets', () => {
  const config = object('apps.openshift.io/v1', 'DeploymentConfig', {
    spec: {
      replicas: 1,
      triggers: [
        { type: 'ConfigChange' },
        {
          type: 'ImageChange',
          imageChangeParams: {
            automatic: true,
            containerNames: ['web'],
            from: { kind: 'ImageStreamTag', name: 'web:latest' },
            lastTriggeredImage: 'registry/web@sha256:1',
          },
        },
        { type: 'ImageChange', imageChangeParams: { automatic: false, containerNames: ['log'] } },
      ],
      template: {
        spec: {
          containers: [
            { name: 'log', image: 'log:1' },
            { name: 'web', image: 'registry/web@sha256:1' },
          ],
        },
      },
    },
    status: { latestVersion: 4 },
  });
  const result = clean(config, 'deploymentconfigs.apps.openshift.io');
  assert.equal(at(result.object, 'spec', 'triggers', 1, 'imageChangeParams', 'lastTriggeredImage'), undefined);
  assert.deepEqual(result.held, ['/spec/template/spec/containers/1/image']);
});

test('an ImageStream records which image each tag stood for', () => {
  const stream = object('image.openshift.io/v1', 'ImageStream', {
    metadata: { annotations: { 'openshift.io/image.dockerRepositoryCheck': '2026-01-01T00:00:00Z' } },
    spec: {
      lookupPolicy: { local: false },
      tags: [{ name: 'latest', generation: 2, importPolicy: {}, from: { kind: 'DockerImage', name: 'web:1' } }],
    },
    status: {
      tags: [
        {
          tag: 'latest',
          items: [
            { image: 'sha256:new', generation: 2 },
            { image: 'sha256:old', generation: 1 },
          ],
        },
      ],
    },
  });
  const result = clean(stream, 'imagestreams.image.openshift.io');
  assert.deepEqual(at(result.object, 'spec', 'tags', 0), {
    name: 'latest',
    importPolicy: {},
    from: { kind: 'DockerImage', name: 'web:1' },
  });
  assert.equal(result.object['status'], undefined);
  assert.equal(result.object.metadata['annotations'], undefined);
  const status = result.recorded.filter(({ pointer }) => pointer.startsWith('/status'));
  assert.deepEqual(
    status.map(({ pointer, value }) => [pointer, value]),
    [
      ['/status/tags/0/tag', 'latest'],
      ['/status/tags/0/items/0/image', 'sha256:new'],
    ],
  );
});

test('a Template stays as it is, and what is secret in the objects inside is named', () => {
  const template = object('template.openshift.io/v1', 'Template', {
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', creationTimestamp: null },
        data: { a: 'eA==' },
        stringData: { b: 'plain' },
      },
      { apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'plain' } },
      { apiVersion: 'route.openshift.io/v1', kind: 'Route', spec: { tls: { key: 'KEY' } }, status: { ingress: [] } },
      {
        apiVersion: 'build.openshift.io/v1',
        kind: 'BuildConfig',
        spec: { triggers: [{ generic: { secret: 'hook' } }] },
      },
      { apiVersion: 'oauth.openshift.io/v1', kind: 'OAuthClient', secret: 'client' },
    ],
    parameters: [{ name: 'PASSWORD', generate: 'expression' }],
  });
  const result = clean(template, 'templates.template.openshift.io');
  assert.deepEqual(at(result.object, 'objects', 2), at(template, 'objects', 2));
  assert.deepEqual(result.secrets, [
    '/objects/0/data/a',
    '/objects/0/stringData/b',
    '/objects/2/spec/tls/key',
    '/objects/3/spec/triggers/0/generic/secret',
    '/objects/4/secret',
  ]);
});

test('an OAuthClient’s secrets are secret, sessions are not archived', () => {
  const client = object('oauth.openshift.io/v1', 'OAuthClient', {
    secret: 'a',
    additionalSecrets: ['b', 'c'],
    redirectURIs: ['https://x'],
  });
  assert.deepEqual(clean(client, 'oauthclients.oauth.openshift.io').secrets, [
    '/secret',
    '/additionalSecrets/0',
    '/additionalSecrets/1',
  ]);
  assert.equal(
    leftOutBy(object('oauth.openshift.io/v1', 'OAuthAccessToken'), 'oauthaccesstokens.oauth.openshift.io'),
    'never-oauth-tokens',
  );
});

test('SecurityContextConstraints stay whole', () => {
  const constraints = object('security.openshift.io/v1', 'SecurityContextConstraints', {
    allowPrivilegedContainer: false,
    priority: null,
    runAsUser: { type: 'MustRunAsRange' },
    users: [],
    volumes: ['configMap'],
    groups: ['system:authenticated'],
  });
  const { metadata: _, priority: __, ...expected } = constraints;
  const { metadata: ___, ...file } = clean(constraints, 'securitycontextconstraints.security.openshift.io').object;
  assert.deepEqual(file, expected);
});

test('a Namespace keeps the ranges that its files belong to, and holds synced labels', () => {
  const ranges = {
    'openshift.io/sa.scc.uid-range': '1000650000/10000',
    'openshift.io/sa.scc.supplemental-groups': '1000650000/10000',
    'openshift.io/sa.scc.mcs': 's0:c26,c5',
  };
  const labels = { 'kubernetes.io/metadata.name': 'shop', 'pod-security.kubernetes.io/enforce': 'restricted' };
  const managedFields = [
    wrote('pod-security-admission-label-synchronization-controller', {
      'f:metadata': { 'f:labels': { 'f:pod-security.kubernetes.io/enforce': {} } },
    }),
  ];
  const namespace = object('v1', 'Namespace', {
    metadata: { name: 'shop', annotations: ranges, labels, managedFields },
    spec: { finalizers: ['kubernetes'] },
  });
  const result = clean(namespace, 'namespaces');
  assert.deepEqual(result.object.metadata['annotations'], ranges);
  assert.deepEqual(result.object.metadata['labels'], { 'pod-security.kubernetes.io/enforce': 'restricted' });
  assert.deepEqual(result.object['spec'], {});
  assert.deepEqual(result.held, ['/metadata/labels/pod-security.kubernetes.io~1enforce']);
  const byPerson = wrote('kubectl-label', {
    'f:metadata': { 'f:labels': { 'f:pod-security.kubernetes.io/enforce': {} } },
  });
  const agreed = object('v1', 'Namespace', { metadata: { labels, managedFields: [...managedFields, byPerson] } });
  assert.deepEqual(clean(agreed, 'namespaces').held, []);
});

test('what OpenShift makes by itself is not archived', () => {
  const cases: [string, KubeObject, string | undefined][] = [
    [
      'secrets',
      object('v1', 'Secret', {
        metadata: { annotations: { 'kubernetes.io/service-account.name': 'builder' } },
        type: 'kubernetes.io/dockercfg',
      }),
      'account-dockercfg',
    ],
    [
      'secrets',
      object('v1', 'Secret', {
        metadata: { annotations: { 'service.beta.openshift.io/originating-service-name': 'web' } },
      }),
      'serving-certificates',
    ],
    ['serviceaccounts', object('v1', 'ServiceAccount', { metadata: { name: 'builder' } }), 'openshift-accounts'],
    [
      'rolebindings.rbac.authorization.k8s.io',
      object('rbac.authorization.k8s.io/v1', 'RoleBinding', { metadata: { name: 'system:image-pullers' } }),
      'openshift-system-bindings',
    ],
    [
      'configmaps',
      object('v1', 'ConfigMap', {
        metadata: { name: 'web-1-ca', ownerReferences: [{ kind: 'Build', name: 'web-1' }] },
      }),
      'build-maps',
    ],
    [
      'configmaps',
      object('v1', 'ConfigMap', {
        metadata: { namespace: 'openshift-etcd', ownerReferences: [{ kind: 'ConfigMap', name: 'revision-status-7' }] },
      }),
      'revision-copies',
    ],
    ['projects.project.openshift.io', object('project.openshift.io/v1', 'Project'), 'never-projects'],
    ['builds.build.openshift.io', object('build.openshift.io/v1', 'Build'), 'never-builds'],
    ['roles.authorization.openshift.io', object('authorization.openshift.io/v1', 'Role'), 'openshift-rbac-mirror'],
  ];
  for (const [resource, value, rule] of cases) assert.equal(leftOutBy(value, resource), rule, resource);
});

test('an injected certificate bundle goes, and with it the map that held nothing else', () => {
  const trusted = object('v1', 'ConfigMap', {
    metadata: { labels: { 'config.openshift.io/inject-trusted-cabundle': 'true' } },
    data: { 'ca-bundle.crt': 'CERT' },
  });
  assert.equal(clean(trusted, 'configmaps').object['data'], undefined);
  const service = object('v1', 'ConfigMap', {
    metadata: { annotations: { 'service.beta.openshift.io/inject-cabundle': 'true' } },
    data: { 'service-ca.crt': 'CERT', own: '1' },
  });
  assert.deepEqual(clean(service, 'configmaps').object['data'], { own: '1' });
});
