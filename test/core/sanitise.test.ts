import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { JsonObject, KubeObject } from '../../controller/core/object.ts';
import { compileRules, isLeftOut, sanitise } from '../../controller/core/sanitise.ts';
import { at, builtIn, clean, deployment, leftOutBy, object, service, wrote } from './builders.ts';

/** The four faults that other archivers of clusters have. */

test('a headless Service stays headless', () => {
  const headless = clean(service({ clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'web' } }), 'services');
  assert.deepEqual(headless.object['spec'], { clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'web' } });
});

test('a Block claim stays Block', () => {
  const claim = object('v1', 'PersistentVolumeClaim', {
    spec: { volumeMode: 'Block', volumeName: 'pv-1' },
    status: { phase: 'Bound' },
  });
  const result = clean(claim, 'persistentvolumeclaims');
  assert.deepEqual(result.object['spec'], { volumeMode: 'Block', volumeName: 'pv-1' });
  assert.deepEqual(
    result.recorded
      .filter(({ pointer }) => !pointer.startsWith('/metadata'))
      .map(({ pointer, value }) => [pointer, value]),
    [
      ['/spec/volumeName', 'pv-1'],
      ['/status/phase', 'Bound'],
    ],
  );
});

test('fields at the top that are neither spec nor data stay', () => {
  const cases: [string, KubeObject][] = [
    [
      'storageclasses.storage.k8s.io',
      object('storage.k8s.io/v1', 'StorageClass', { provisioner: 'p', parameters: { a: 'b' }, mountOptions: ['ro'] }),
    ],
    [
      'priorityclasses.scheduling.k8s.io',
      object('scheduling.k8s.io/v1', 'PriorityClass', { value: 1000, globalDefault: false, description: '' }),
    ],
    [
      'serviceaccounts',
      object('v1', 'ServiceAccount', { imagePullSecrets: [{ name: 'registry' }], automountServiceAccountToken: false }),
    ],
    ['configmaps', object('v1', 'ConfigMap', { immutable: true, data: {} })],
    ['ciliumnetworkpolicies.cilium.io', object('cilium.io/v2', 'CiliumNetworkPolicy', { specs: [{}] })],
    ['components.dapr.io', object('dapr.io/v1alpha1', 'Component', { scopes: ['app'] })],
  ];
  for (const [resource, value] of cases) {
    const { metadata: _, ...rest } = clean(value, resource).object;
    const { metadata: __, ...expected } = value;
    assert.deepEqual(rest, expected, resource);
  }
});

test('empty objects and lists stay, only null goes', () => {
  const policy = object('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: {
      podSelector: {},
      egress: [{}],
      ingress: [],
      mtls: {},
      off: false,
      none: 0,
      blank: '',
      gone: null,
      list: [null, { x: null }],
    },
  });
  assert.deepEqual(clean(policy, 'networkpolicies.networking.k8s.io').object['spec'], {
    ...{ podSelector: {}, egress: [{}], ingress: [], mtls: {}, off: false, none: 0, blank: '', list: [null, {}] },
  });
  assert.deepEqual(at(clean(deployment(), 'deployments.apps').object, 'spec', 'template', 'spec', 'volumes', 0), {
    name: 'tmp',
    emptyDir: {},
  });
});

/** What the server and its controllers write. */

test('an object comes out with what its author wrote', () => {
  const { object: file } = clean(
    deployment({ metadata: { labels: { app: 'web' }, managedFields: [wrote('kubectl', {})], selfLink: '/x' } }),
    'deployments.apps',
  );
  assert.deepEqual(file.metadata, { name: 'web', namespace: 'shop', labels: { app: 'web' } });
  assert.deepEqual(Object.keys(file), ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.deepEqual(at(file, 'spec', 'template', 'metadata'), { labels: { app: 'web' } });
});

test('the version, the uid and the time of creation go to the trailers', () => {
  const { recorded, evidence } = clean(deployment(), 'deployments.apps');
  assert.deepEqual(
    recorded.map(({ pointer }) => pointer),
    ['/metadata/uid', '/metadata/resourceVersion', '/metadata/creationTimestamp'],
  );
  assert.equal(evidence.resourceVersion, '4711');
});

test('a map of annotations goes when the rules have emptied it, and an empty one of the user stays', () => {
  const emptied = object('v1', 'ConfigMap', {
    metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' }, finalizers: ['orphan'] },
  });
  assert.deepEqual(clean(emptied, 'configmaps').object.metadata, { name: 'web', namespace: 'shop' });
  const template = deployment({ spec: { template: { metadata: { annotations: {} } } } });
  assert.deepEqual(at(clean(template, 'deployments.apps').object, 'spec', 'template', 'metadata'), { annotations: {} });
});

test('annotations are taken by their exact keys, so that neighbours stay', () => {
  const stays = {
    'kubectl.kubernetes.io/default-container': 'web',
    'kubectl.kubernetes.io/restartedAt': '2026-01-01',
    'argocd.argoproj.io/sync-wave': '1',
    'meta.helm.sh/release-name': 'web',
    'checksum/config': 'abc',
    'example.com/any': 'thing',
  };
  const goes = {
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'deployment.kubernetes.io/revision': '7',
    'argocd.argoproj.io/tracking-id': 'x',
    'k8s.ovn.org/pod-networks': '{}',
    'field.cattle.io/publicEndpoints': '[]',
    'service.beta.openshift.io/serving-cert-generation-error-num': '1',
  };
  const value = deployment({ metadata: { annotations: { ...stays, ...goes } } });
  assert.deepEqual(clean(value, 'deployments.apps').object.metadata['annotations'], stays);
});

test('finalizers of controllers go, those of others stay, sorted', () => {
  const value = object('v1', 'ConfigMap', {
    metadata: { finalizers: ['z.example/last', 'foregroundDeletion', 'external-attacher/csi', 'a.example/first'] },
  });
  assert.deepEqual(clean(value, 'configmaps').object.metadata['finalizers'], ['a.example/first', 'z.example/last']);
});

test('a terminating object says so, and not in the file', () => {
  const value = object('v1', 'ConfigMap', {
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
  });
  const result = clean(value, 'configmaps');
  assert.equal(result.terminating, true);
  assert.deepEqual(result.object.metadata, { name: 'web', namespace: 'shop' });
  assert.equal(clean(deployment(), 'deployments.apps').terminating, false);
});

test('arrays keep their order', () => {
  const value = deployment({
    spec: {
      template: { spec: { containers: [{ name: 'z' }, { name: 'a' }], tolerations: [{ key: 'z' }, { key: 'a' }] } },
    },
  });
  assert.deepEqual(clean(value, 'deployments.apps').object['spec'], value['spec']);
});

test('numbers that a double cannot hold pass untouched', () => {
  const text = '{"apiVersion":"x/v1","kind":"W","metadata":{"name":"a"},"spec":{"big":9223372036854775807,"one":1.0}}';
  const result = sanitise(parseJson(text) as KubeObject, 'widgets.x', builtIn, { includeOwned: false });
  assert.ok(!isLeftOut(result));
  assert.match(renderJson(result.object), /"big": 9223372036854775807,\n {4}"one": 1\.0/);
});

test('__proto__ is only a key, also when it is null or secret', () => {
  const text =
    '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"__proto__":null,"b":"Yg=="},"x":{"__proto__":{"y":1}}}';
  const result = sanitise(parseJson(text) as KubeObject, 'secrets', builtIn, { includeOwned: false });
  assert.ok(!isLeftOut(result));
  assert.equal(JSON.stringify(result.object['data']), '{"__proto__":"","b":"Yg=="}');
  assert.equal(JSON.stringify(result.object['x']), '{"__proto__":{"y":1}}');
  assert.deepEqual(result.secrets, ['/data/__proto__', '/data/b']);
});

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

test('what is not archived says by which rule', () => {
  const named = (kind: string, metadata: JsonObject, rest: JsonObject = {}) =>
    object('v1', kind, { metadata, ...rest });
  const cases: [string, KubeObject, string | undefined][] = [
    ['events', named('Event', {}), 'never-events'],
    ['leases.coordination.k8s.io', named('Lease', {}), 'never-leases'],
    ['nodes', named('Node', {}), 'never-nodes'],
    ['controllerrevisions.apps', named('ControllerRevision', {}), 'never-controller-revisions'],
    ['configmaps', named('ConfigMap', { name: 'kube-root-ca.crt' }), 'root-ca-maps'],
    [
      'configmaps',
      named('ConfigMap', { namespace: 'kube-system', name: 'extension-apiserver-authentication' }),
      'cluster-state-maps',
    ],
    ['configmaps', named('ConfigMap', { name: 'extension-apiserver-authentication' }), undefined],
    [
      'configmaps',
      named('ConfigMap', { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      'leader-maps',
    ],
    [
      'endpoints',
      named('Endpoints', { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }),
      'leader-maps',
    ],
    [
      'endpoints',
      named('Endpoints', { labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } }),
      'endpoints-of-selector',
    ],
    [
      'endpoints',
      named('Endpoints', { managedFields: [wrote('kube-controller-manager', { 'f:subsets': {} })] }, { subsets: [] }),
      'endpoints-of-controller',
    ],
    [
      'endpoints',
      named('Endpoints', { managedFields: [wrote('kubectl', { 'f:subsets': {} })] }, { subsets: [] }),
      undefined,
    ],
    [
      'endpointslices.discovery.k8s.io',
      named('EndpointSlice', {
        labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      }),
      'endpoint-slices-of-controller',
    ],
    ['endpointslices.discovery.k8s.io', named('EndpointSlice', {}), undefined],
    ['services', named('Service', { namespace: 'default', name: 'kubernetes' }), 'default-kubernetes-service'],
    [
      'serviceaccounts',
      named('ServiceAccount', { name: 'default' }, { secrets: [{ name: 'default-token-abcde' }] }),
      'default-account',
    ],
    [
      'serviceaccounts',
      named('ServiceAccount', { name: 'default' }, { imagePullSecrets: [{ name: 'registry' }] }),
      undefined,
    ],
    [
      'serviceaccounts',
      named('ServiceAccount', { name: 'default' }, { automountServiceAccountToken: false }),
      undefined,
    ],
    [
      'clusterroles.rbac.authorization.k8s.io',
      named('ClusterRole', { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }),
      'rbac-defaults',
    ],
    ['clusterroles.rbac.authorization.k8s.io', named('ClusterRole', { name: 'system:controller:x' }), undefined],
    [
      'clusterroles.rbac.authorization.k8s.io',
      named('ClusterRole', { name: 'system:x', managedFields: [wrote('kube-apiserver', {})] }),
      'system-roles',
    ],
    [
      'flowschemas.flowcontrol.apiserver.k8s.io',
      named('FlowSchema', { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } }),
      'flow-control-defaults',
    ],
    ['servicecidrs.networking.k8s.io', named('ServiceCIDR', { name: 'kubernetes' }), 'default-service-cidr'],
    [
      'priorityclasses.scheduling.k8s.io',
      named('PriorityClass', { name: 'system-node-critical' }),
      'system-priority-classes',
    ],
    [
      'apiservices.apiregistration.k8s.io',
      named('APIService', { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } }),
      'local-api-services',
    ],
    [
      'secrets',
      named(
        'Secret',
        { name: 'web-token-x7k2p', annotations: { 'kubernetes.io/service-account.name': 'web' } },
        { type: 'kubernetes.io/service-account-token' },
      ),
      'generated-account-tokens',
    ],
    ['secrets', named('Secret', {}, { type: 'bootstrap.kubernetes.io/token' }), 'bootstrap-tokens'],
    ['policyreports.wgpolicyk8s.io', named('PolicyReport', {}), 'never-policy-reports'],
    ['vulnerabilityreports.aquasecurity.github.io', named('VulnerabilityReport', {}), 'never-trivy-reports'],
    ['pods', named('Pod', { annotations: { 'kubernetes.io/config.mirror': 'x' } }), 'mirror-pod'],
  ];
  for (const [resource, value, rule] of cases)
    assert.equal(leftOutBy(value, resource), rule, `${resource} ${JSON.stringify(value.metadata)}`);
});

/** The user's own rules. */

test('a user’s rule strips, records and keeps, and the later of two decides', () => {
  const rule = (pointer: string, verdict: 'strip' | 'record' | 'keep', id: string) => ({
    id,
    resources: ['*.example.com'],
    pointer,
    verdict,
    reason: 'x',
  });
  const rules = compileRules([
    rule('/spec/*', 'strip', 'a'),
    rule('/spec/b', 'record', 'b'),
    rule('/spec/c', 'keep', 'c'),
    rule('/status', 'keep', 'd'),
  ]);
  const value = object('example.com/v1', 'Widget', { spec: { a: 1, b: 2, c: 3 }, status: { phase: 'x' } });
  const result = clean(value, 'widgets.example.com', rules);
  assert.deepEqual(result.object['spec'], { c: 3 });
  assert.deepEqual(result.object['status'], { phase: 'x' });
  assert.deepEqual(result.recorded.at(-1), { rule: 'b', pointer: '/spec/b', value: 2 });
  assert.equal(clean(value, 'widgets.example.org', rules).object['status'], undefined);
});

test('a user may keep a part of what is stripped', () => {
  const rules = compileRules([
    { id: 'mine', resources: ['*'], pointer: '/status/addresses/*/ip', verdict: 'keep', reason: 'x' },
  ]);
  const value = object('example.com/v1', 'Widget', {
    status: {
      phase: 'x',
      addresses: [
        { ip: '1', zone: 'a' },
        { ip: '2', zone: 'b' },
      ],
    },
  });
  assert.deepEqual(clean(value, 'widgets.example.com', rules).object['status'], {
    addresses: [{ ip: '1' }, { ip: '2' }],
  });
});

test('no rule of a user lays a secret open', () => {
  const rules = compileRules([
    { id: 'secret-values', resources: ['secrets'], pointer: '/data/*', verdict: 'keep', reason: 'x' },
    { id: 'mine', resources: ['secrets'], pointer: '/data/a', verdict: 'keep', reason: 'x' },
    {
      id: 'theirs',
      resources: ['widgets.example.com'],
      pointer: '/spec/login',
      verdict: 'keep',
      reason: 'x',
      secret: true,
    },
  ]);
  assert.deepEqual(clean(object('v1', 'Secret', { data: { a: 'eA==' } }), 'secrets', rules).secrets, ['/data/a']);
  const widget = object('example.com/v1', 'Widget', { spec: { login: { user: 'u', keys: ['k', 1] } } });
  assert.deepEqual(clean(widget, 'widgets.example.com', rules).secrets, [
    '/spec/login/user',
    '/spec/login/keys/0',
    '/spec/login/keys/1',
  ]);
});

test('pointers of secret and held values are those of the file, after elements before them went', () => {
  const rules = compileRules([
    {
      id: 'a',
      resources: ['*'],
      pointer: '/spec/list/*',
      verdict: 'strip',
      reason: 'x',
      when: { parts: { '/drop': ['true'] } },
    },
    { id: 'b', resources: ['*'], pointer: '/spec/list/*/key', verdict: 'keep', reason: 'x', secret: true },
    { id: 'c', resources: ['*'], pointer: '/spec/list/*/count', verdict: 'hold', reason: 'x' },
  ]);
  const list = [
    { drop: true, key: 'gone', count: 1 },
    { key: 'k1', count: 1 },
    { drop: true, key: 'gone' },
    { key: 'k2', count: 2 },
  ];
  const result = clean(object('example.com/v1', 'Widget', { spec: { list } }), 'widgets.example.com', rules);
  assert.deepEqual(result.secrets, ['/spec/list/0/key', '/spec/list/1/key']);
  assert.deepEqual(result.held, ['/spec/list/1/count', '/spec/list/0/count']);
});
