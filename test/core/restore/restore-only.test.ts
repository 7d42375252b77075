import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { valueAt } from '../../../controller/core/pointer.ts';
import { BUILT_IN_RULES } from '../../../controller/core/rules/built-in.ts';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, SAME, sent, skipped } from './prepared.ts';

/** Every rule that leaves something to the restore has its answer here: what becomes of the place in each of the three targets. */

/** 'kept', 'gone', 'skip', or what it becomes: in place, in another namespace, in another cluster. */
type Answer = readonly [same: Json, namespace: Json, cluster: Json];

interface Row {
  readonly object: KubeObject;
  readonly resource: string;
  readonly pointer: string;
  readonly answer: Answer;
}

const kept = ['kept', 'kept', 'kept'] as const;
const gone = ['gone', 'gone', 'gone'] as const;
const onlyHere = ['kept', 'gone', 'gone'] as const;

function row(resource: string, pointer: string, answer: Answer, fields: JsonObject): Row {
  return { object: archived('v1', 'X', fields), resource, pointer, answer };
}

const service = (pointer: string, answer: Answer, spec: JsonObject) => row('services', pointer, answer, { spec });
const claim = (pointer: string, spec: JsonObject) => row('persistentvolumeclaims', pointer, gone, { spec });
const pod = (pointer: string, spec: JsonObject) => row('pods', pointer, onlyHere, { spec });
const note = (resource: string, key: string, answer: Answer, map = 'annotations') =>
  row(resource, `/metadata/${map}/${key.replace('/', '~1')}`, answer, { metadata: { [map]: { [key]: 'shop' } } });
const engine = (key: string) => ['annotations', 'labels'].map((map) => note('configmaps', key, onlyHere, map));
const helm = (map: string) =>
  note('configmaps', 'meta.helm.sh/release-namespace', map === 'labels' ? kept : ['kept', 'drill', 'kept'], map);
const scc = {
  containers: [{ securityContext: { runAsUser: 1000650000 } }],
  initContainers: [{ securityContext: { runAsUser: 1000650000 } }],
};
const strategy = (name: string) =>
  row('buildconfigs.build.openshift.io', `/spec/strategy/${name}/pullSecret`, gone, {
    spec: { strategy: { [name]: { pullSecret: { name: 'builder-dockercfg-x7k2p' } } } },
  });

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  'generate-name': [row('configmaps', '/metadata/generateName', kept, { metadata: { generateName: 'web-' } })],
  'owner-references': [
    row('configmaps', '/metadata/ownerReferences', gone, {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x' }] },
    }),
  ],
  finalizers: [row('configmaps', '/metadata/finalizers', gone, { metadata: { finalizers: ['example.com/x'] } })],
  'service-cluster-ip': [service('/spec/clusterIP', onlyHere, { clusterIP: '10.0.0.7' })],
  'service-cluster-ips': [service('/spec/clusterIPs', onlyHere, { clusterIPs: ['10.0.0.7'] })],
  'service-node-port': [service('/spec/ports/0/nodePort', onlyHere, { ports: [{ nodePort: 30080 }] })],
  'service-health-check-port': [service('/spec/healthCheckNodePort', onlyHere, { healthCheckNodePort: 30080 })],
  'service-external-ips': [
    service('/spec/externalIPs', onlyHere, { type: 'LoadBalancer', externalIPs: ['192.0.2.1'] }),
  ],
  'claim-volume-name': [claim('/spec/volumeName', { volumeName: 'pv' })],
  'claim-data-source': [claim('/spec/dataSource', { dataSource: { kind: 'X', name: 'x' } })],
  'claim-data-source-ref': [claim('/spec/dataSourceRef', { dataSourceRef: { kind: 'X', name: 'x' } })],
  'volume-claim': [
    row('persistentvolumes', '/spec/claimRef/namespace', ['kept', 'drill', 'kept'], {
      spec: { claimRef: { namespace: 'shop' } },
    }),
  ],
  'volume-node-affinity': [row('persistentvolumes', '/spec/nodeAffinity', kept, { spec: { nodeAffinity: {} } })],
  'provisioned-by': [note('persistentvolumes', 'pv.kubernetes.io/provisioned-by', kept)],
  'migrated-to': [note('persistentvolumes', 'pv.kubernetes.io/migrated-to', kept)],
  'selected-node': [note('persistentvolumeclaims', 'volume.kubernetes.io/selected-node', gone)],
  'storage-provisioner': [note('persistentvolumeclaims', 'volume.kubernetes.io/storage-provisioner', gone)],
  'storage-resizer': [note('persistentvolumeclaims', 'volume.kubernetes.io/storage-resizer', gone)],
  'beta-storage-provisioner': [note('persistentvolumeclaims', 'volume.beta.kubernetes.io/storage-provisioner', gone)],
  'provisioner-deletion-secret': [
    note('persistentvolumes', 'volume.kubernetes.io/provisioner-deletion-secret-name', kept),
  ],
  // Whether OpenShift chose a node selector cannot be seen any more.
  'pod-openshift-node-selector': [row('pods', '/spec/nodeSelector', kept, { spec: { nodeSelector: { a: 'b' } } })],
  'pod-openshift-selinuxoptions': [
    pod('/spec/securityContext/seLinuxOptions', { securityContext: { seLinuxOptions: { level: 's0:c26,c5' } } }),
  ],
  'pod-openshift-fsgroup': [pod('/spec/securityContext/fsGroup', { securityContext: { fsGroup: 1000650000 } })],
  'pod-openshift-user-containers': [pod('/spec/containers/0/securityContext/runAsUser', scc)],
  'pod-openshift-user-init-containers': [pod('/spec/initContainers/0/securityContext/runAsUser', scc)],
  'binding-subject-namespace': [
    row('rolebindings.rbac.authorization.k8s.io', '/subjects/0/namespace', ['kept', 'drill', 'kept'], {
      subjects: [{ namespace: 'shop' }],
    }),
  ],
  'webhook-side-effects': [
    row(
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      '/webhooks/0/sideEffects',
      ['None', 'None', 'None'],
      {
        webhooks: [{ sideEffects: 'Some' }],
      },
    ),
  ],
  'job-finished': [
    row('jobs.batch', '', ['skip', 'skip', 'skip'], { status: { conditions: [{ type: 'Failed', status: 'True' }] } }),
  ],
  'pod-finished': [row('pods', '', ['skip', 'skip', 'skip'], { status: { phase: 'Succeeded' } })],
  'namespace-uid-range': [note('namespaces', 'openshift.io/sa.scc.uid-range', kept)],
  'namespace-supplemental-groups': [note('namespaces', 'openshift.io/sa.scc.supplemental-groups', kept)],
  'namespace-selinux-level': [note('namespaces', 'openshift.io/sa.scc.mcs', kept)],
  'route-generated-host': [
    row('routes.route.openshift.io', '/spec/host', onlyHere, {
      metadata: { annotations: { 'openshift.io/host.generated': 'true' } },
      spec: { host: 'web-shop.apps.example' },
    }),
  ],
  'build-push-secret': [
    row('buildconfigs.build.openshift.io', '/spec/output/pushSecret', gone, {
      spec: { output: { pushSecret: { name: 'builder-dockercfg-x7k2p' } } },
    }),
  ],
  'build-source-pull-secret': [strategy('sourceStrategy')],
  'build-docker-pull-secret': [strategy('dockerStrategy')],
  'build-custom-pull-secret': [strategy('customStrategy')],
  'flux-kustomization-name-owner': engine('kustomize.toolkit.fluxcd.io/name'),
  'flux-kustomization-namespace-owner': engine('kustomize.toolkit.fluxcd.io/namespace'),
  'flux-helm-owner': engine('helm.toolkit.fluxcd.io/name'),
  'applyset-owner': engine('applyset.kubernetes.io/part-of'),
  'kro-owner': engine('kro.run/owned'),
  'kcp-owner': engine('kcp.io/cluster'),
  'helm-owner': [helm('annotations'), helm('labels')],
  'olm-owner': engine('olm.owner'),
  'operators-owner': engine('operators.coreos.com/x.y'),
};

const rules = new Set(
  BUILT_IN_RULES.filter((rule) => rule.verdict === 'restore-only').map(({ id }) =>
    id.replace(/-owner-(?:label|annotation)$/, '-owner'),
  ),
);

test('every rule that leaves something to the restore is answered', () => {
  assert.deepEqual([...rules].sort(), Object.keys(ROWS).sort());
});

function outcome({ object, resource, pointer }: Row, target: typeof SAME): Json {
  if (skipped(object, resource, target) !== undefined) return 'skip';
  const value = valueAt(sent(object, resource, target).object, pointer);
  if (value === undefined) return 'gone';
  return JSON.stringify(value) === JSON.stringify(valueAt(object, pointer)) ? 'kept' : value;
}

for (const [id, rows] of Object.entries(ROWS)) {
  for (const one of rows) {
    const place = one.pointer === '' ? 'the object' : one.pointer;
    test(`${id}: ${place} is ${one.answer.join(', ')} in place, in another namespace, in another cluster`, () => {
      assert.deepEqual(
        [SAME, OTHER_NAMESPACE, OTHER_CLUSTER].map((target) => outcome(one, target)),
        one.answer,
      );
    });
  }
}
