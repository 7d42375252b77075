import { isJsonObject, type Json, type ResourceName } from '../../object.ts';
import { renderPointer } from '../../pointer.ts';
import { type Draft, isOtherNamespace, rewrite } from './draft.ts';

/** Fields in which an object names its own namespace, or accounts of it: in another namespace they name that one. */

/** By resource; every string there that is the old namespace's name becomes the new one's. */
const NAMESPACES: Readonly<Record<ResourceName, readonly string[]>> = {
  'rolebindings.rbac.authorization.k8s.io': ['/subjects/*/namespace'],
  'clusterrolebindings.rbac.authorization.k8s.io': ['/subjects/*/namespace'],
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': ['/webhooks/*/clientConfig/service/namespace'],
  'validatingwebhookconfigurations.admissionregistration.k8s.io': ['/webhooks/*/clientConfig/service/namespace'],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': ['/spec/paramRef/namespace'],
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': ['/spec/paramRef/namespace'],
  'customresourcedefinitions.apiextensions.k8s.io': ['/spec/conversion/webhook/clientConfig/service/namespace'],
  'apiservices.apiregistration.k8s.io': ['/spec/service/namespace'],
  endpoints: ['/subsets/*/addresses/*/targetRef/namespace', '/subsets/*/notReadyAddresses/*/targetRef/namespace'],
  'endpointslices.discovery.k8s.io': ['/endpoints/*/targetRef/namespace'],
  'deploymentconfigs.apps.openshift.io': ['/spec/triggers/*/imageChangeParams/from/namespace'],
  'buildconfigs.build.openshift.io': [
    '/spec/output/to/namespace',
    '/spec/source/images/*/from/namespace',
    '/spec/strategy/sourceStrategy/from/namespace',
    '/spec/strategy/dockerStrategy/from/namespace',
    '/spec/strategy/customStrategy/from/namespace',
    '/spec/triggers/*/imageChange/from/namespace',
  ],
  'imagestreams.image.openshift.io': ['/spec/tags/*/from/namespace'],
  'httproutes.gateway.networking.k8s.io': ['/spec/parentRefs/*/namespace', '/spec/rules/*/backendRefs/*/namespace'],
  'grpcroutes.gateway.networking.k8s.io': ['/spec/parentRefs/*/namespace', '/spec/rules/*/backendRefs/*/namespace'],
};

/** Where accounts are named as users and groups. */
const ACCOUNTS: Readonly<Record<ResourceName, readonly string[]>> = {
  'rolebindings.rbac.authorization.k8s.io': ['/subjects/*/name'],
  'clusterrolebindings.rbac.authorization.k8s.io': ['/subjects/*/name'],
  'securitycontextconstraints.security.openshift.io': ['/users/*', '/groups/*'],
};

export function prepareNamespaceReferences(draft: Draft): void {
  if (!isOtherNamespace(draft.context)) return;
  const { from, to } = draft.context;
  const { resource } = draft.context;
  const rename = (name: string) => (name === from.namespace ? to.namespace : name);
  const changed =
    (NAMESPACES[resource] ?? []).reduce((sum, pattern) => sum + rewrite(draft, pattern, rename), 0) +
    (ACCOUNTS[resource] ?? []).reduce(
      (sum, pattern) => sum + rewrite(draft, pattern, renameAccount(from.namespace, to.namespace)),
      0,
    );
  if (changed > 0) draft.notes.push(`names namespace ${to.namespace} instead of ${from.namespace}`);
  const left = namingPlaces(draft.object, from.namespace, []);
  if (left.length > 0) draft.notes.push(`still names namespace ${from.namespace} in ${left.slice(0, 3).join(', ')}`);
}

/** 'system:serviceaccount:NAMESPACE:NAME' and 'system:serviceaccounts:NAMESPACE'. */
function renameAccount(from: string, to: string): (name: string) => string {
  return (name) => {
    if (name.startsWith(`system:serviceaccount:${from}:`))
      return `system:serviceaccount:${to}:${name.slice(23 + from.length)}`;
    return name === `system:serviceaccounts:${from}` ? `system:serviceaccounts:${to}` : name;
  };
}

/** Keys that hold a namespace's name by their own name; others may mean anything. */
function namingPlaces(value: Json, namespace: string, path: readonly string[]): readonly string[] {
  if (path.length > 12) return [];
  if (Array.isArray(value))
    return value.flatMap((one, index) => namingPlaces(one, namespace, [...path, String(index)]));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (path.length === 0 && (key === 'data' || key === 'stringData' || key === 'binaryData')) return [];
    const here = [...path, key];
    const isNamed = child === namespace && (/namespace$/i.test(key) || key === 'kubernetes.io/metadata.name');
    return isNamed ? [renderPointer(here)] : namingPlaces(child, namespace, here);
  });
}
