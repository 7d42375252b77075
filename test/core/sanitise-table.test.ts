import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pointerFault } from '../../controller/core/pointer.ts';
import { mayBeServed } from '../../controller/core/rule-resources.ts';
import { BUILT_IN_RULES } from '../../controller/core/rules/built-in.ts';
import { compileRules } from '../../controller/core/sanitise.ts';
import { builtIn } from './builders.ts';

/** What was decided about each kind of noise; where no rule is needed, why. */
const DECISIONS: Readonly<Record<string, readonly string[] | string>> = {
  managedFields: ['managed-fields'],
  resourceVersion: ['resource-version'],
  uid: ['uid'],
  generation: ['generation'],
  creationTimestamp: ['creation-timestamp'],
  selfLink: ['self-link'],
  'deletion timestamps': ['deletion-timestamp', 'deletion-grace-period'],
  generateName: ['generate-name'],
  'uid of owners': ['owner-uid'],
  ownerReferences: ['owner-references', 'owned'],
  finalizers: ['controller-finalizers', 'finalizers'],
  status: [
    'status',
    'stream-tag-name',
    'stream-tag-digest',
    'claim-status-capacity',
    'claim-status-phase',
    'stored-versions',
  ],
  'creationTimestamp: null in templates': 'null is dropped from every object',
  'any null': 'null is dropped from every object; in data it becomes an empty value',
  'the API version': 'pinned per resource by the archive, not by a rule',
  defaults: 'kept: what the server holds is archived',
  quantities: 'kept as text',
  'the order of arrays': [
    'finalizers',
    'account-secrets',
    'account-pull-secrets',
    'endpoints-order',
    'endpoint-addresses-order',
  ],
  'big integers': 'json.ts keeps the text of each number',
  'last-applied': ['last-applied'],
  'other kubectl annotations': ['default-container'],
  restartedAt: ['restarted-at', 'template-restarted-at'],
  'change-cause': ['change-cause'],
  'deployment counters': [
    ...['deployment-revision', 'deployment-revision-history', 'deployment-desired-replicas', 'deployment-max-replicas'],
    'daemonset-template-generation',
  ],
  'leader annotation': ['leader-annotation', 'leader-maps'],
  'autoscaling status annotations': ['autoscaling-conditions', 'autoscaling-current-metrics'],
  'autoscaling intent annotations': ['autoscaling-metrics', 'autoscaling-behavior'],
  'endpoints annotations': ['endpoints-last-change', 'endpoints-over-capacity'],
  'binder annotations': ['bind-completed', 'bound-by-controller'],
  'provisioned-by, migrated-to': ['provisioned-by', 'migrated-to'],
  'volume annotations': ['selected-node', 'storage-provisioner', 'storage-resizer', 'beta-storage-provisioner'],
  'legacy storage class': ['beta-storage-class', 'provisioner-deletion-secret'],
  'service-account annotations': ['service-account-uid', 'service-account-name'],
  'admission records': [
    'limit-ranger-record',
    'psp-record',
    'pod-scc',
    'seccomp-pod-record',
    'seccomp-container-record',
  ],
  'labels of workload controllers': [
    ...[
      'pod-template-hash',
      'controller-revision-hash',
      'statefulset-pod-name',
      'pod-index',
      'pod-template-generation',
    ],
  ],
  'labels of jobs': [
    'job-controller-uid-label',
    'job-batch-controller-uid-label',
    'job-name-label',
    'job-batch-name-label',
    'job-tracking',
    'job-scheduled-at',
    'job-completion-index-label',
  ],
  'network annotations': [
    ...['calico-pod-ip', 'calico-pod-ips', 'calico-container-id', 'multus-network-status', 'multus-networks-status'],
    ...['ovn-annotations', 'static-pod-hash', 'static-pod-mirror', 'static-pod-seen', 'static-pod-source'],
  ],
  'kubernetes.io/metadata.name': ['namespace-name-label'],
  'Argo CD annotations': [
    'argocd-tracking',
    'argocd-installation',
    'argocd-refresh',
    'argocd-hydrate',
    'argocd-sync-wave',
    'argocd-hook',
    'argocd-options',
  ],
  'app.kubernetes.io/instance': ['app-instance'],
  'Flux stamps': ['flux-checksum', 'flux-reconcile', 'flux-requested-at'],
  'ownership by other engines': ['annotation', 'label'].flatMap((map) =>
    [
      'flux-kustomization-name',
      'flux-kustomization-namespace',
      'flux-helm',
      'applyset',
      'kro',
      'kcp',
      'helm',
      'olm',
      'operators',
    ].map((id) => `${id}-owner-${map}`),
  ),
  'vendor status annotations': [
    'rancher-endpoints',
    'rancher-timestamp',
    'rancher-applied',
    'gke-neg-status',
    'gke-autopilot',
    'gce-backends',
    'gce-forwarding-rule',
    'gce-target-proxy',
    'gce-url-map',
    'gce-https-forwarding-rule',
    'gce-https-target-proxy',
  ],
  'image repository check': ['image-repository-check'],
  'host.generated': ['route-host-generated'],
  'SCC ranges': ['namespace-uid-range', 'namespace-supplemental-groups', 'namespace-selinux-level'],
  'pod-security labels': ['pod-security', 'pod-security-synced'],
  'serving certificates': [
    'serving-cert-signed-by',
    'serving-cert-alpha-signed-by',
    'serving-cert-error',
    'serving-cert-expiry',
    'serving-cert-service-uid',
  ],
  'operator stamps': [
    'operator-spec-hash',
    'operator-dependencies',
    'release-stamps',
    'machine-config-current',
    'machine-config-state',
  ],
  'intent in annotations': [
    'checksum-annotations',
    'prometheus-annotations',
    'istio-sidecar',
    'load-balancer-annotations',
  ],
  Service: [
    ...['service-headless', 'service-headless-ips', 'service-cluster-ip', 'service-cluster-ips', 'service-node-port'],
    ...[
      'service-node-port-requested',
      'service-health-check-port',
      'service-health-check-port-requested',
      'service-external-ips',
    ],
    ...[
      'service-ip-families',
      'service-ip-family-policy',
      'service-internal-traffic-policy',
      'service-load-balancer-ip',
    ],
    ...['service-load-balancer-class', 'default-kubernetes-service'],
  ],
  ServiceAccount: [
    'account-secrets-generated',
    'account-pull-secrets-generated',
    'default-account',
    'openshift-accounts',
  ],
  Secret: [
    ...[
      'generated-account-tokens',
      'account-token-token',
      'account-token-ca-crt',
      'account-token-namespace',
      'bootstrap-tokens',
    ],
    ...[
      'account-dockercfg',
      'helm-releases',
      'serving-certificates',
      'secret-type',
      'secret-immutable',
      'secret-values',
    ],
    'secret-string-values',
  ],
  ConfigMap: [
    ...['root-ca-maps', 'cluster-state-maps', 'leader-maps', 'lock-maps', 'trusted-ca-bundle', 'service-ca-bundle'],
    ...['build-maps', 'revision-copies', 'map-immutable'],
  ],
  Namespace: ['namespace-finalizers', 'never-projects'],
  Pod: [
    ...['pod-finished', 'pod-phase'],
    ...['owned', 'mirror-pod', 'pod-node-name', 'pod-priority', 'pod-service-account', 'pod-token-volume'],
    ...[
      'pod-token-mount-containers',
      'pod-token-mount-init-containers',
      'pod-ephemeral-containers',
      'pod-default-tolerations',
    ],
    ...['pod-overhead', 'pod-openshift-node-selector', 'pod-openshift-selinuxoptions', 'pod-openshift-user-containers'],
  ],
  'ReplicaSet, ReplicationController': ['owned'],
  'Deployment, StatefulSet, DaemonSet': [
    ...['replicas', 'replicas-scaled', 'revision-history-limit', 'progress-deadline-seconds', 'resources-autoscaled'],
    ...['container-image', 'container-image-triggered', 'claim-template-status', 'claim-template-creation-timestamp'],
    ...['claim-template-api-version', 'claim-template-kind'],
  ],
  Job: [
    'owned',
    'job-selector',
    'job-name-template-label',
    'job-controller-uid-template-label',
    'job-finished',
    'job-conditions',
    'job-conditions-status',
    'job-suspend',
  ],
  CronJob: ['cronjob'],
  PVC: [
    ...[
      'claim-volume-name',
      'claim-volume-mode',
      'claim-volume-attributes-class-name',
      'claim-selector',
      'claim-resources',
    ],
    ...['claim-data-source', 'claim-data-source-ref'],
  ],
  PV: [
    'volume-claim-uid',
    'volume-claim-resource-version',
    'volume-claim',
    'volume-handle',
    'volume-node-affinity',
    'volume-reclaim-policy',
  ],
  'snapshots and driver state': [
    'never-volume-snapshots',
    'never-group-snapshots',
    'never-volume-attachments',
    'never-csi-nodes',
    'never-csi-capacities',
  ],
  'Endpoints, EndpointSlice': ['endpoints-of-selector', 'endpoints-of-controller', 'endpoint-slices-of-controller'],
  HPA: ['autoscaler-metrics-order'],
  'Role, ClusterRole': ['aggregated-rules', 'rbac-defaults', 'system-roles'],
  RoleBinding: ['openshift-system-bindings', 'binding-subject-namespace'],
  'Webhook configurations': [
    'webhook-ca-bundle-injected',
    'webhook-ca-bundle-programmed',
    'webhook-ca-bundle',
    'aks-webhook-selector',
    'webhook-side-effects',
  ],
  CRD: ['conversion-ca-bundle-injected', 'conversion-ca-bundle', 'stored-versions'],
  APIService: ['api-service-ca-bundle-injected', 'local-api-services', 'local-api-services-unlabelled'],
  Node: ['never-nodes', 'node-podcidr', 'node-condition-taints'],
  'state of the cluster': [
    ...['never-leases', 'never-lease-candidates', 'never-events', 'never-metrics', 'never-controller-revisions'],
    ...['never-component-statuses', 'never-certificate-requests', 'never-ip-addresses', 'never-resource-slices'],
    ...[
      'never-storage-versions',
      'never-reviews',
      'never-bindings',
      'flow-control-defaults',
      'default-service-cidr',
      'system-priority-classes',
    ],
  ],
  VPA: ['status', 'never-autoscaler-checkpoints'],
  'Argo CD': ['argocd-operation', 'replicas-scaled', 'never-argo-runs'],
  'cert-manager': ['certificates', 'never-certificate-orders'],
  'reports and state': [
    ...[
      'never-policy-reports',
      'never-kyverno-reports',
      'never-trivy-reports',
      'never-cilium-state',
      'never-calico-state',
    ],
    ...['never-velero-runs', 'never-tekton-runs', 'never-node-claims', 'never-longhorn-state'],
  ],
  OLM: ['olm-copies', 'never-olm-runs', 'never-olm-state', 'olm-provided-apis', 'subscription'],
  DeploymentConfig: ['trigger-last-image', 'trigger-container-image', 'status'],
  BuildConfig: [
    'build-trigger-last-image',
    'build-push-secret',
    'build-source-pull-secret',
    'build-github-secret',
    'build-generic-secret',
  ],
  'builds and images': ['never-builds', 'never-images', 'never-image-views'],
  ImageStream: ['stream-tag-generation', 'stream-tag-name', 'stream-tag-digest'],
  Route: ['route-generated-host', 'route-host', 'route-tls-key'],
  Template: [
    'template-objects',
    'template-secret-values',
    'template-secret-string-values',
    'template-route-key',
    'status',
  ],
  'SCC, OAuthClient, tokens': [
    'security-context-constraints',
    'oauth-client-secret',
    'oauth-client-additional-secrets',
    'never-oauth-tokens',
  ],
  'authorization.openshift.io': ['openshift-rbac-mirror'],
  'OpenShift state': ['never-sdn-state', 'never-cluster-operators', 'rendered-machine-configs', 'status'],
};

const ids = new Set(BUILT_IN_RULES.map((rule) => rule.id));

test('every kind of noise that is known has its rules, or a reason to have none', () => {
  for (const [noise, decision] of Object.entries(DECISIONS)) {
    if (typeof decision === 'string') continue;
    for (const id of decision) assert.ok(ids.has(id), `${noise}: no rule "${id}"`);
  }
});

test('every built-in rule has an id of its own, a valid pointer, a reason and resources that exist', () => {
  assert.equal(ids.size, BUILT_IN_RULES.length);
  for (const rule of BUILT_IN_RULES) {
    assert.match(rule.id, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    assert.equal(pointerFault(rule.pointer), undefined, rule.id);
    assert.ok(rule.reason.length > 5 && rule.reason.length < 140 && !rule.reason.endsWith('.'), rule.id);
    for (const resource of rule.resources)
      assert.ok(/[*?]/.test(resource) || mayBeServed(resource), `${rule.id}: ${resource}`);
  }
});

test('a resource that is never archived need not be listed, and a user’s rule of the same id brings each back', () => {
  const never = BUILT_IN_RULES.filter(
    (rule) => rule.verdict === 'never' && rule.when === undefined && rule.pointer === '',
  );
  assert.ok(never.length > 30);
  for (const rule of never) {
    const resource = (rule.resources[0] ?? '').replaceAll('*', 'x');
    assert.equal(builtIn.neverArchives(resource)?.id, rule.id);
    const mine = compileRules([{ ...rule, verdict: 'keep' }]);
    assert.equal(mine.neverArchives(resource), undefined, rule.id);
  }
  for (const resource of ['configmaps', 'secrets', 'pods', 'widgets.example.com'])
    assert.equal(builtIn.neverArchives(resource), undefined);
});

test('the version of the rules changes with the rules of the user and with nothing else', () => {
  const rule = { id: 'a', resources: ['*'], pointer: '/x', verdict: 'strip', reason: 'x' } as const;
  assert.match(compileRules().version, /^\d+$/);
  assert.match(compileRules([rule]).version, /^\d+\+[0-9a-f]{8}$/);
  assert.equal(compileRules([rule]).version, compileRules([{ ...rule }]).version);
  assert.notEqual(compileRules([rule]).version, compileRules([{ ...rule, pointer: '/y' }]).version);
});
