import { parseResourceName, type ResourceName } from '../object.ts';

/** The order of a restore: a wave begins when the one before it is done; inside a wave the order does not matter. */

/** In their order. */
export const WAVES = [
  'definitions',
  'namespaces',
  'classes',
  'limits',
  'rights',
  'accounts',
  'configuration',
  'volumes',
  'claims',
  'network',
  'custom',
  'workloads',
  'scaling',
  'schedules',
  'admission',
] as const;

export type WaveName = (typeof WAVES)[number];

/** Resources by wave, as kubectl spells them. Custom resources stand here only where others wait for them. */
const RESOURCES: Readonly<Record<WaveName, string>> = {
  definitions: 'customresourcedefinitions.apiextensions.k8s.io',
  namespaces: 'namespaces',
  classes:
    'storageclasses.storage.k8s.io csidrivers.storage.k8s.io volumeattributesclasses.storage.k8s.io priorityclasses.scheduling.k8s.io runtimeclasses.node.k8s.io ingressclasses.networking.k8s.io gatewayclasses.gateway.networking.k8s.io deviceclasses.resource.k8s.io volumesnapshotclasses.snapshot.storage.k8s.io volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io flowschemas.flowcontrol.apiserver.k8s.io prioritylevelconfigurations.flowcontrol.apiserver.k8s.io servicecidrs.networking.k8s.io',
  limits:
    'resourcequotas limitranges clusterresourcequotas.quota.openshift.io appliedclusterresourcequotas.quota.openshift.io',
  rights:
    'roles.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io clusterrolebindings.rbac.authorization.k8s.io securitycontextconstraints.security.openshift.io groups.user.openshift.io users.user.openshift.io identities.user.openshift.io oauthclients.oauth.openshift.io rolebindingrestrictions.authorization.openshift.io',
  accounts: 'serviceaccounts',
  configuration:
    'secrets configmaps templates.template.openshift.io podtemplates clustertrustbundles.certificates.k8s.io',
  volumes: 'persistentvolumes',
  claims: 'persistentvolumeclaims resourceclaims.resource.k8s.io resourceclaimtemplates.resource.k8s.io',
  network:
    'services endpoints endpointslices.discovery.k8s.io networkpolicies.networking.k8s.io ingresses.networking.k8s.io ingresses.extensions routes.route.openshift.io gateways.gateway.networking.k8s.io httproutes.gateway.networking.k8s.io grpcroutes.gateway.networking.k8s.io tlsroutes.gateway.networking.k8s.io tcproutes.gateway.networking.k8s.io udproutes.gateway.networking.k8s.io referencegrants.gateway.networking.k8s.io imagestreams.image.openshift.io',
  custom: '',
  workloads:
    'deployments.apps statefulsets.apps daemonsets.apps replicasets.apps replicationcontrollers pods jobs.batch deploymentconfigs.apps.openshift.io buildconfigs.build.openshift.io',
  scaling:
    'horizontalpodautoscalers.autoscaling poddisruptionbudgets.policy verticalpodautoscalers.autoscaling.k8s.io scaledobjects.keda.sh',
  schedules: 'cronjobs.batch scaledjobs.keda.sh',
  admission:
    'mutatingwebhookconfigurations.admissionregistration.k8s.io validatingwebhookconfigurations.admissionregistration.k8s.io apiservices.apiregistration.k8s.io',
};

/** For what newer versions of Kubernetes bring. */
const GROUPS: Readonly<Record<string, WaveName>> = {
  'admissionregistration.k8s.io': 'admission',
  'apiregistration.k8s.io': 'admission',
  'rbac.authorization.k8s.io': 'rights',
  'storage.k8s.io': 'classes',
  'networking.k8s.io': 'network',
  'discovery.k8s.io': 'network',
  apps: 'workloads',
  batch: 'workloads',
  autoscaling: 'scaling',
  policy: 'scaling',
};

const BY_RESOURCE: ReadonlyMap<ResourceName, WaveName> = new Map(
  WAVES.flatMap((wave) => RESOURCES[wave].split(' ').map((resource) => [resource, wave] as const)),
);

/** `isCustom`: a CustomResourceDefinition serves it. */
export function waveOf(resource: ResourceName, isCustom: boolean): WaveName {
  const known = BY_RESOURCE.get(resource);
  if (known !== undefined) return known;
  const { group } = parseResourceName(resource);
  return (!isCustom && Object.hasOwn(GROUPS, group) ? GROUPS[group] : undefined) ?? 'custom';
}
