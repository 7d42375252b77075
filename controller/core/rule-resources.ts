import { parseResourceName, type ResourceName } from './object.ts';
import { BUILT_IN_RULES } from './rules/built-in.ts';

/** Resources that are known by name, to notice a misspelt one in a file of rules. Custom resources are never known, and never wrong. */

/** Group -> plurals, of Kubernetes 1.36 and the groups of OpenShift that most archives hold. */
const SERVED: Readonly<Record<string, string>> = {
  '': 'bindings componentstatuses configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims persistentvolumes pods podtemplates replicationcontrollers resourcequotas secrets serviceaccounts services',
  'admissionregistration.k8s.io':
    'mutatingwebhookconfigurations validatingwebhookconfigurations validatingadmissionpolicies validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings',
  'apiextensions.k8s.io': 'customresourcedefinitions',
  'apiregistration.k8s.io': 'apiservices',
  apps: 'controllerrevisions daemonsets deployments replicasets statefulsets',
  autoscaling: 'horizontalpodautoscalers',
  batch: 'cronjobs jobs',
  'certificates.k8s.io': 'certificatesigningrequests clustertrustbundles podcertificaterequests',
  'coordination.k8s.io': 'leases leasecandidates',
  'discovery.k8s.io': 'endpointslices',
  'events.k8s.io': 'events',
  'flowcontrol.apiserver.k8s.io': 'flowschemas prioritylevelconfigurations',
  'networking.k8s.io': 'ingresses ingressclasses networkpolicies ipaddresses servicecidrs',
  'node.k8s.io': 'runtimeclasses',
  policy: 'poddisruptionbudgets',
  'rbac.authorization.k8s.io': 'clusterroles clusterrolebindings roles rolebindings',
  'resource.k8s.io': 'deviceclasses devicetaintrules resourceclaims resourceclaimtemplates resourceslices',
  'scheduling.k8s.io': 'priorityclasses workloads podgroups',
  'storage.k8s.io': 'csidrivers csinodes csistoragecapacities storageclasses volumeattachments volumeattributesclasses',
  'storagemigration.k8s.io': 'storageversionmigrations',
  'apps.openshift.io': 'deploymentconfigs',
  'build.openshift.io': 'buildconfigs builds',
  'image.openshift.io': 'images imagestreams imagestreamtags imagetags',
  'oauth.openshift.io': 'oauthclients',
  'route.openshift.io': 'routes',
  'security.openshift.io': 'securitycontextconstraints rangeallocations',
  'template.openshift.io': 'templates templateinstances brokertemplateinstances',
  'user.openshift.io': 'groups identities users',
};

const SERVED_NAMES: readonly ResourceName[] = Object.entries(SERVED).flatMap(([group, plurals]) =>
  plurals.split(' ').map((plural) => (group === '' ? plural : `${plural}.${group}`)),
);

export const KNOWN_RESOURCES: ReadonlySet<ResourceName> = new Set([
  ...SERVED_NAMES,
  ...BUILT_IN_RULES.flatMap((rule) => rule.resources).filter((name) => !/[*?]/.test(name)),
]);

/** Could a cluster serve a resource of this name? Groups of Kubernetes' own serve what is known of them; others, anything. */
export function mayBeServed(name: ResourceName): boolean {
  if (KNOWN_RESOURCES.has(name)) return true;
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name)) return false;
  const { group } = parseResourceName(name);
  return group.includes('.') && !Object.hasOwn(SERVED, group);
}
