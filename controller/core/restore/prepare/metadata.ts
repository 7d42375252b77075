import { isJsonObject } from '../../object.ts';
import { at, type Draft, drop, dropKey, isOtherCluster, isOtherNamespace, metadataMap } from './draft.ts';

/** What the server gives to an object, the namespace, and the marks of engines that do not manage the target. */

const SERVERS_OWN = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'selfLink',
  'managedFields',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** Prefixes of labels and annotations, and whose they are. */
const ENGINES: Readonly<Record<string, string>> = {
  'kustomize.toolkit.fluxcd.io/': 'Flux',
  'helm.toolkit.fluxcd.io/': 'Flux',
  'argocd.argoproj.io/tracking-id': 'Argo CD',
  'argocd.argoproj.io/instance': 'Argo CD',
  'applyset.kubernetes.io/': 'kubectl apply --prune',
  'kro.run/': 'kro',
  'kcp.io/cluster': 'kcp',
  'olm.': 'OLM',
  'operators.coreos.com/': 'OLM',
  'fleet.cattle.io/': 'Rancher Fleet',
  'objectset.rio.cattle.io/': 'Rancher Fleet',
  'kapp.k14s.io/': 'kapp',
};

export function prepareMetadata(draft: Draft): void {
  for (const key of SERVERS_OWN) drop(draft, `/metadata/${key}`);
  if (drop(draft, '/status') && draft.finished === undefined) draft.notes.push('status is left to its controller');
  placeInNamespace(draft);
  if (isOtherNamespace(draft.context) || isOtherCluster(draft.context)) dropEngines(draft);
  if (isOtherNamespace(draft.context)) moveHelm(draft);
}

function placeInNamespace({ object, context }: Draft): void {
  if (!isJsonObject(object.metadata) || context.to.namespace === '') return;
  if (context.resource === 'namespaces') object.metadata.name = context.to.namespace;
  else if (object.metadata['namespace'] !== undefined) object.metadata['namespace'] = context.to.namespace;
}

function dropEngines(draft: Draft): void {
  const engines = new Set<string>();
  for (const map of ['labels', 'annotations'] as const) {
    for (const key of Object.keys(metadataMap(draft.object, map))) {
      const prefix = Object.keys(ENGINES).find((one) => key.startsWith(one));
      if (prefix !== undefined && dropKey(draft, map, key)) engines.add(ENGINES[prefix] as string);
    }
  }
  for (const engine of engines) draft.notes.push(`the marks of ${engine} are left out: it does not manage the target`);
}

/** Helm refuses to touch what names another namespace. */
function moveHelm(draft: Draft): void {
  const { from, to } = draft.context;
  const key = 'meta.helm.sh/release-namespace';
  const annotations = metadataMap(draft.object, 'annotations');
  if (annotations[key] !== from.namespace) return;
  annotations[key] = to.namespace;
  draft.notes.push(`belongs to the Helm release in namespace ${to.namespace} now`);
}

/** Namespaces of OpenShift: files on volumes belong to the range of user ids that the annotations hold. */
export function prepareNamespace(draft: Draft): void {
  drop(draft, '/spec/finalizers');
  const range = at(draft, '/metadata/annotations/openshift.io~1sa.scc.uid-range');
  if (typeof range === 'string' && (isOtherNamespace(draft.context) || isOtherCluster(draft.context))) {
    draft.notes.push(`keeps the range of user ids ${range}, so that files on volumes can be read`);
  }
}
