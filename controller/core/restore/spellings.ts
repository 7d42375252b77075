import { type ResourceName, resourceName } from '../object.ts';

/** How kubectl spells what Kubernetes and OpenShift serve: kind, plural and short names. What is not here follows the usual pattern. */

/** Group -> 'Kind plural shortName...'. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  '': [
    'ConfigMap configmaps cm',
    'Endpoints endpoints ep',
    'Event events ev',
    'LimitRange limitranges limits',
    'Namespace namespaces ns',
    'Node nodes no',
    'PersistentVolumeClaim persistentvolumeclaims pvc',
    'PersistentVolume persistentvolumes pv',
    'Pod pods po',
    'PodTemplate podtemplates',
    'ReplicationController replicationcontrollers rc',
    'ResourceQuota resourcequotas quota',
    'Secret secrets',
    'ServiceAccount serviceaccounts sa',
    'Service services svc',
  ],
  'admissionregistration.k8s.io': [
    'MutatingWebhookConfiguration mutatingwebhookconfigurations',
    'ValidatingWebhookConfiguration validatingwebhookconfigurations',
    'ValidatingAdmissionPolicy validatingadmissionpolicies',
    'ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings',
    'MutatingAdmissionPolicy mutatingadmissionpolicies',
    'MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings',
  ],
  'apiextensions.k8s.io': ['CustomResourceDefinition customresourcedefinitions crd crds'],
  'apiregistration.k8s.io': ['APIService apiservices'],
  apps: [
    'ControllerRevision controllerrevisions',
    'DaemonSet daemonsets ds',
    'Deployment deployments deploy',
    'ReplicaSet replicasets rs',
    'StatefulSet statefulsets sts',
  ],
  autoscaling: ['HorizontalPodAutoscaler horizontalpodautoscalers hpa'],
  batch: ['CronJob cronjobs cj', 'Job jobs'],
  'coordination.k8s.io': ['Lease leases'],
  'discovery.k8s.io': ['EndpointSlice endpointslices'],
  'networking.k8s.io': [
    'Ingress ingresses ing',
    'IngressClass ingressclasses',
    'NetworkPolicy networkpolicies netpol',
    'ServiceCIDR servicecidrs',
  ],
  'node.k8s.io': ['RuntimeClass runtimeclasses'],
  policy: ['PodDisruptionBudget poddisruptionbudgets pdb'],
  'rbac.authorization.k8s.io': [
    'ClusterRoleBinding clusterrolebindings',
    'ClusterRole clusterroles',
    'RoleBinding rolebindings',
    'Role roles',
  ],
  'scheduling.k8s.io': ['PriorityClass priorityclasses pc'],
  'storage.k8s.io': [
    'CSIDriver csidrivers',
    'StorageClass storageclasses sc',
    'VolumeAttributesClass volumeattributesclasses vac',
  ],
  'apps.openshift.io': ['DeploymentConfig deploymentconfigs dc'],
  'build.openshift.io': ['BuildConfig buildconfigs bc', 'Build builds'],
  'image.openshift.io': ['ImageStream imagestreams is'],
  'route.openshift.io': ['Route routes'],
  'security.openshift.io': ['SecurityContextConstraints securitycontextconstraints scc'],
  'template.openshift.io': ['Template templates', 'TemplateInstance templateinstances'],
};

export interface Spelling {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
}

export const KNOWN_SPELLINGS: readonly Spelling[] = Object.entries(SPELLINGS).flatMap(([group, lines]) =>
  lines.map((line) => {
    const [kind = '', plural = '', ...shortNames] = line.split(' ');
    return { group, kind, plural, shortNames };
  }),
);

const BY_NAME = new Map<ResourceName, Spelling>(KNOWN_SPELLINGS.map((one) => [resourceName(one), one]));
const BY_KIND = new Map<string, ResourceName>(
  KNOWN_SPELLINGS.map((one) => [`${one.group}/${one.kind}`, resourceName(one)]),
);

export function spellingOf(resource: ResourceName): Spelling | undefined {
  return BY_NAME.get(resource);
}

/** The resource of a kind, for people: 'deployments.apps'; of a kind that is not known, what its name most likely is. */
export function resourceOfKind(group: string, kind: string): ResourceName {
  const known = BY_KIND.get(`${group}/${kind}`);
  return known ?? resourceName({ group, plural: pluralOf(kind.toLowerCase()) });
}

/** As Kubernetes itself guesses it (apimachinery, UnsafeGuessKindToResource). */
function pluralOf(singular: string): string {
  if (singular.endsWith('endpoints')) return singular;
  if (/s$/.test(singular)) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}
