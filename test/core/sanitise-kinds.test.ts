import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../controller/core/object.ts';
import { at, clean, deployment, object, service, wrote } from './builders.ts';

/** One kind after the other. */

test('a port that the cluster chose is told from one that was asked for', () => {
  const ports: JsonObject[] = [
    { name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 },
    { name: 'https', port: 443, protocol: 'TCP', nodePort: 30443 },
  ];
  const applied = service(
    { type: 'NodePort', ports },
    {
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration':
          '{"spec":{"ports":[{"port":443,"name":"https","nodePort":30443},{"port":80,"name":"http"}]}}',
      },
    },
  );
  const byFields = service(
    { type: 'NodePort', ports },
    {
      managedFields: [
        wrote('curl', { 'f:spec': { 'f:ports': { 'k:{"port":443,"protocol":"TCP"}': { 'f:nodePort': {} } } } }),
      ],
    },
  );
  for (const value of [applied, byFields]) {
    const result = clean(value, 'services');
    assert.deepEqual(result.evidence.requested, ['/spec/ports/1/nodePort']);
    assert.deepEqual(at(result.object, 'spec', 'ports'), ports);
  }
  assert.deepEqual(clean(service({ ports, healthCheckNodePort: 31000 }), 'services').evidence.requested, []);
});

test('replicas are held while an autoscaler writes them, and not once a person does', () => {
  const fields = { 'f:spec': { 'f:replicas': {} } };
  const scaled = wrote('kube-controller-manager', fields, { subresource: 'scale' });
  const cases: [string, JsonObject[], string[]][] = [
    ['an autoscaler', [scaled], ['/spec/replicas']],
    ['kubectl scale', [wrote('kubectl', fields, { subresource: 'scale' })], []],
    ['kubectl apply', [wrote('kubectl-client-side-apply', fields)], []],
    ['an autoscaler and then a person with the same count', [scaled, wrote('kubectl-edit', fields)], []],
    ['a program that nobody knows', [wrote('my-script', fields, { subresource: 'scale' })], []],
    ['nobody that is told', [], []],
  ];
  for (const [who, managedFields, held] of cases) {
    const result = clean(deployment({ metadata: { managedFields } }), 'deployments.apps');
    assert.deepEqual(result.held, held, who);
    assert.equal(at(result.object, 'spec', 'replicas'), 2, who);
  }
});

test('requests that a VerticalPodAutoscaler wrote are held, container by container', () => {
  const managedFields = [
    wrote('vpa-updater', {
      'f:spec': {
        'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"b"}': { 'f:resources': { 'f:requests': {} } } } } },
      },
    }),
  ];
  const containers = ['a', 'b'].map((name) => ({ name, resources: { requests: { cpu: '1' } } }));
  const value = deployment({ metadata: { managedFields }, spec: { template: { spec: { containers } } } });
  assert.deepEqual(clean(value, 'deployments.apps').held, ['/spec/template/spec/containers/1/resources']);
});

test('a caBundle goes when it was injected, and stays when it was applied', () => {
  const entry = { name: 'a.example', clientConfig: { service: { name: 's' }, caBundle: 'Q0E=' }, sideEffects: 'None' };
  const owns = (fields: JsonObject) => ({ 'f:webhooks': { 'k:{"name":"a.example"}': { 'f:clientConfig': fields } } });
  const cases: [string, JsonObject, boolean, number][] = [
    ['annotated for cert-manager', { annotations: { 'cert-manager.io/inject-ca-from': 'a/b' } }, false, 0],
    ['owned by OLM', { labels: { 'olm.owner': 'x' } }, false, 0],
    [
      'another program put it there',
      { managedFields: [wrote('helm', owns({ 'f:service': {} })), wrote('cainjector', owns({ 'f:caBundle': {} }))] },
      false,
      0,
    ],
    [
      'applied without it',
      {
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{"webhooks":[{"name":"a.example","clientConfig":{}}]}',
        },
        managedFields: [wrote('my-hook', owns({ 'f:caBundle': {} }))],
      },
      ...([false, 0] as const),
    ],
    [
      'Helm wrote it with the rest',
      { managedFields: [wrote('helm', owns({ 'f:service': {}, 'f:caBundle': {} }))] },
      true,
      0,
    ],
    [
      'a program made and renews all of it',
      { managedFields: [wrote('policy-controller', owns({ 'f:service': {}, 'f:caBundle': {} }))] },
      true,
      1,
    ],
    ['nothing tells', {}, true, 0],
  ];
  for (const [why, metadata, stays, held] of cases) {
    const value = object('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', {
      metadata,
      webhooks: [entry],
    });
    const result = clean(value, 'mutatingwebhookconfigurations.admissionregistration.k8s.io');
    assert.equal(at(result.object, 'webhooks', 0, 'clientConfig', 'caBundle') !== undefined, stays, why);
    assert.equal(result.held.length, held, why);
  }
});

test('a Job comes out without what was made up from its uid, unless it chose its own selector', () => {
  const labels = {
    app: 'x',
    'controller-uid': 'u',
    'batch.kubernetes.io/controller-uid': 'u',
    'job-name': 'web',
    'batch.kubernetes.io/job-name': 'web',
  };
  const spec = {
    selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    suspend: false,
    template: { metadata: { labels } },
  };
  const job = object('batch/v1', 'Job', { metadata: { labels }, spec });
  const { object: file } = clean(job, 'jobs.batch');
  assert.deepEqual(file['spec'], { suspend: false, template: { metadata: { labels: { app: 'x' } } } });
  assert.deepEqual(file.metadata['labels'], { app: 'x' });
  const manual = object('batch/v1', 'Job', { spec: { ...spec, manualSelector: true } });
  assert.deepEqual(clean(manual, 'jobs.batch').object['spec'], manual['spec']);
});

for (const type of ['Complete', 'Failed']) {
  test(`a Job that is ${type} says so in its file, without times and reasons`, () => {
    const met = (name: string) => ({
      type: name,
      status: 'True',
      reason: 'x',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    const status = { succeeded: 1, conditions: [met('SuccessCriteriaMet'), met('FailureTarget'), met(type)] };
    const { object: file, recorded } = clean(object('batch/v1', 'Job', { spec: {}, status }), 'jobs.batch');
    assert.deepEqual(file['status'], { conditions: [{ status: 'True', type }] });
    assert.deepEqual(clean(file, 'jobs.batch').object, file);
    assert.ok(!recorded.some(({ pointer }) => pointer.startsWith('/status')));
  });
}

for (const phase of ['Succeeded', 'Failed']) {
  test(`a bare Pod whose phase is ${phase} says so in its file, and nothing else of its status`, () => {
    const status = { phase, podIP: '10.0.0.7', conditions: [{ type: 'Ready', status: 'False' }] };
    const { object: file } = clean(object('v1', 'Pod', { spec: {}, status }), 'pods');
    assert.deepEqual(file['status'], { phase });
    assert.deepEqual(clean(file, 'pods').object, file);
  });
}

for (const [what, resource, status] of [
  ['runs', 'jobs.batch', { active: 1 }],
  ['is suspended', 'jobs.batch', { conditions: [{ type: 'Suspended', status: 'True' }] }],
  ['is about to fail', 'jobs.batch', { conditions: [{ type: 'FailureTarget', status: 'True' }] }],
  ['is not complete any more', 'jobs.batch', { conditions: [{ type: 'Complete', status: 'False' }] }],
  ['runs', 'pods', { phase: 'Running' }],
  ['is of another kind', 'deployments.apps', { phase: 'Failed', conditions: [{ type: 'Complete', status: 'True' }] }],
] as const) {
  test(`what ${what} (${resource}) has no status in its file`, () => {
    const file = clean(
      object('v1', 'X', { spec: {}, status: structuredClone(status) as object as JsonObject }),
      resource,
    );
    assert.equal(file.object['status'], undefined);
  });
}

test('a bare Pod comes out as it was asked for', () => {
  const mount = {
    name: 'kube-api-access-x7k2p',
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    readOnly: true,
  };
  const pod = object('v1', 'Pod', {
    spec: {
      containers: [
        { name: 'a', volumeMounts: [mount, { name: 'data', mountPath: '/d' }] },
        { name: 'b', volumeMounts: [mount] },
      ],
      initContainers: [{ name: 'i', volumeMounts: [mount] }],
      volumes: [
        { name: 'kube-api-access-x7k2p', projected: {} },
        { name: 'data', emptyDir: {} },
      ],
      nodeName: 'node-1',
      priority: 0,
      serviceAccount: 'default',
      serviceAccountName: 'default',
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
    },
  });
  assert.deepEqual(clean(pod, 'pods').object['spec'], {
    containers: [{ name: 'a', volumeMounts: [{ name: 'data', mountPath: '/d' }] }, { name: 'b' }],
    initContainers: [{ name: 'i' }],
    volumes: [{ name: 'data', emptyDir: {} }],
    serviceAccountName: 'default',
  });
});

test('a StatefulSet loses what the server filled into its claim templates', () => {
  const template = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'd', creationTimestamp: null },
    spec: { volumeMode: 'Block' },
    status: { phase: 'Pending' },
  };
  const value = object('apps/v1', 'StatefulSet', { spec: { volumeClaimTemplates: [template] } });
  assert.deepEqual(at(clean(value, 'statefulsets.apps').object, 'spec', 'volumeClaimTemplates', 0), {
    metadata: { name: 'd' },
    spec: { volumeMode: 'Block' },
  });
});

test('an aggregated ClusterRole keeps its selectors and loses the collected rules', () => {
  const aggregated = object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
    aggregationRule: { clusterRoleSelectors: [{}] },
    rules: [{ verbs: ['*'] }],
  });
  const { object: file } = clean(aggregated, 'clusterroles.rbac.authorization.k8s.io');
  assert.deepEqual(file['aggregationRule'], { clusterRoleSelectors: [{}] });
  assert.equal(file['rules'], undefined);
  const plain = object('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules: [{ verbs: ['*'] }] });
  assert.deepEqual(clean(plain, 'clusterroles.rbac.authorization.k8s.io').object['rules'], [{ verbs: ['*'] }]);
});

test('the values of a Secret are named as secret, and those that are kept in it by hand filled in again', () => {
  const value = object('v1', 'Secret', { type: 'Opaque', data: { 'a/b': 'eA==', empty: null } });
  const result = clean(value, 'secrets');
  assert.deepEqual(result.secrets, ['/data/a~1b', '/data/empty']);
  assert.deepEqual(result.object['data'], { 'a/b': 'eA==', empty: '' });
  const token = object('v1', 'Secret', {
    metadata: {
      name: 'my-token',
      annotations: { 'kubernetes.io/service-account.name': 'web', 'kubernetes.io/service-account.uid': 'u' },
    },
    type: 'kubernetes.io/service-account-token',
    data: { token: 'eA==', 'ca.crt': 'eA==', namespace: 'eA==', extra: 'eA==' },
  });
  const kept = clean(token, 'secrets');
  assert.deepEqual(kept.object['data'], { extra: 'eA==' });
  assert.deepEqual(kept.secrets, ['/data/extra']);
  assert.deepEqual(kept.object.metadata['annotations'], { 'kubernetes.io/service-account.name': 'web' });
});

test('a Helm release is in the archive but never the reason for a commit', () => {
  const release = object('v1', 'Secret', {
    type: 'helm.sh/release.v1',
    data: { release: 'eA==' },
    metadata: { labels: { status: 'deployed' } },
  });
  assert.deepEqual(clean(release, 'secrets').held, ['/type', '/data', '/metadata/labels']);
});

test('a ServiceAccount loses the secrets that were made for it', () => {
  const account = object('v1', 'ServiceAccount', {
    secrets: [{ name: 'web-token-abcde' }],
    imagePullSecrets: [{ name: 'web-dockercfg-x2x4z' }, { name: 'registry' }],
  });
  const { object: file } = clean(account, 'serviceaccounts');
  assert.equal(file['secrets'], undefined);
  assert.deepEqual(file['imagePullSecrets'], [{ name: 'registry' }]);
});

test('volumes lose the uid of their claim and keep the handle of their data', () => {
  const volume = object('v1', 'PersistentVolume', {
    spec: {
      claimRef: { kind: 'PersistentVolumeClaim', name: 'd', namespace: 'shop', uid: 'u', resourceVersion: '1' },
      csi: { volumeHandle: 'h' },
    },
  });
  assert.deepEqual(clean(volume, 'persistentvolumes').object['spec'], {
    claimRef: { kind: 'PersistentVolumeClaim', name: 'd', namespace: 'shop' },
    csi: { volumeHandle: 'h' },
  });
});

test('what a restore filled a claim from is not in its file, and what a person named is', () => {
  const claim = (name: string) => {
    const source = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name };
    return object('v1', 'PersistentVolumeClaim', {
      spec: { accessModes: ['ReadWriteOnce'], dataSource: source, dataSourceRef: source },
    });
  };
  const spec = (name: string) => at(clean(claim(name), 'persistentvolumeclaims').object, 'spec') as JsonObject;
  assert.deepEqual(spec('kubekeeper-restore-4f1c9a'), { accessModes: ['ReadWriteOnce'] });
  assert.deepEqual(Object.keys(spec('mine')).sort(), ['accessModes', 'dataSource', 'dataSourceRef']);
});
