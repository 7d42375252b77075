import type { ResourceName } from '../object.ts';

/** Fields that an API server never changes, by resource: pointers, and what below them may be changed all the same. */

interface Immutable {
  readonly fields: readonly string[];
  readonly but?: readonly string[];
}

const selector: Immutable = { fields: ['/spec/selector'] };

export const IMMUTABLE: Readonly<Record<ResourceName, Immutable>> = {
  'deployments.apps': selector,
  'daemonsets.apps': selector,
  'replicasets.apps': selector,
  'statefulsets.apps': {
    fields: ['/spec'],
    but: [
      '/spec/replicas',
      '/spec/ordinals',
      '/spec/template',
      '/spec/updateStrategy',
      '/spec/revisionHistoryLimit',
      '/spec/persistentVolumeClaimRetentionPolicy',
      '/spec/minReadySeconds',
    ],
  },
  'jobs.batch': {
    fields: [
      '/spec/selector',
      '/spec/template',
      '/spec/completionMode',
      '/spec/manualSelector',
      '/spec/podFailurePolicy',
      '/spec/backoffLimitPerIndex',
      '/spec/managedBy',
      '/spec/successPolicy',
    ],
  },
  pods: {
    fields: ['/spec'],
    but: [
      '/spec/containers/*/image',
      '/spec/initContainers/*/image',
      '/spec/activeDeadlineSeconds',
      '/spec/tolerations',
      '/spec/terminationGracePeriodSeconds',
    ],
  },
  persistentvolumeclaims: {
    fields: ['/spec'],
    but: ['/spec/resources/requests', '/spec/volumeAttributesClassName'],
  },
  persistentvolumes: {
    fields: ['/spec'],
    but: [
      '/spec/capacity',
      '/spec/accessModes',
      '/spec/claimRef',
      '/spec/persistentVolumeReclaimPolicy',
      '/spec/storageClassName',
      '/spec/mountOptions',
      '/spec/volumeAttributesClassName',
      '/spec/nodeAffinity',
    ],
  },
  services: { fields: ['/spec/clusterIP', '/spec/clusterIPs', '/spec/loadBalancerClass', '/spec/healthCheckNodePort'] },
  secrets: { fields: ['/type'] },
  'storageclasses.storage.k8s.io': {
    fields: ['/provisioner', '/parameters', '/reclaimPolicy', '/volumeBindingMode'],
  },
  'csidrivers.storage.k8s.io': {
    fields: ['/spec/attachRequired', '/spec/volumeLifecycleModes'],
  },
  'volumeattributesclasses.storage.k8s.io': { fields: ['/driverName', '/parameters'] },
  'rolebindings.rbac.authorization.k8s.io': { fields: ['/roleRef'] },
  'clusterrolebindings.rbac.authorization.k8s.io': { fields: ['/roleRef'] },
  'customresourcedefinitions.apiextensions.k8s.io': {
    fields: ['/spec/group', '/spec/scope', '/spec/names/plural', '/spec/names/kind'],
  },
  'ingressclasses.networking.k8s.io': { fields: ['/spec/controller'] },
  'runtimeclasses.node.k8s.io': { fields: ['/handler'] },
  'priorityclasses.scheduling.k8s.io': { fields: ['/value', '/preemptionPolicy'] },
  'endpointslices.discovery.k8s.io': { fields: ['/addressType'] },
  'servicecidrs.networking.k8s.io': { fields: ['/spec/cidrs'] },
  'gatewayclasses.gateway.networking.k8s.io': { fields: ['/spec/controllerName'] },
  'volumesnapshotclasses.snapshot.storage.k8s.io': { fields: ['/driver'] },
  resourcequotas: { fields: ['/spec/scopes', '/spec/scopeSelector'] },
};
