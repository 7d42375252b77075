import { arrayAt, groupOf, objectAt, stringAt } from '../../object.ts';
import { resourceOfKind } from '../spellings.ts';
import { type Draft, leave, type OwnerLink } from './draft.ts';

/** What ties an object to others: owners get another uid, and a finalizer holds the object until somebody takes it away. */

export function prepareOwners(draft: Draft): void {
  const references = arrayAt(objectAt(draft.object, 'metadata'), 'ownerReferences');
  if (references.length > 0) leave(draft, '/metadata/ownerReferences');
  for (const reference of references) {
    const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((key) => stringAt(reference, key));
    if (apiVersion === undefined || kind === undefined || name === undefined) continue;
    const group = groupOf(apiVersion);
    if (!draft.context.isPlanned(group, kind, name)) {
      draft.notes.push(`its owner ${resourceOfKind(group, kind)}/${name} is not there: it will have none`);
      continue;
    }
    const flags = objectAt({ reference }, 'reference') ?? {};
    const [controller, block] = [flags['controller'], flags['blockOwnerDeletion']];
    const link: OwnerLink = {
      apiVersion,
      kind,
      name,
      ...(typeof controller === 'boolean' ? { controller } : {}),
      ...(typeof block === 'boolean' ? { blockOwnerDeletion: block } : {}),
    };
    draft.owners.push(link);
  }
}

/** Taken away by Kubernetes itself when the time comes. */
const OWN_FINALIZERS: ReadonlySet<string> = new Set([
  'kubernetes',
  'kubernetes.io/pvc-protection',
  'kubernetes.io/pv-protection',
  'kubernetes.io/vac-protection',
  'service.kubernetes.io/load-balancer-cleanup',
  'customresourcecleanup.apiextensions.k8s.io',
  'resource.kubernetes.io/delete-protection',
  'networking.k8s.io/service-cidr-finalizer',
]);
/** Marks of a deletion that was under way. */
const DELETIONS: ReadonlySet<string> = new Set(['foregroundDeletion', 'orphan']);

export function prepareFinalizers(draft: Draft): void {
  const all = arrayAt(objectAt(draft.object, 'metadata'), 'finalizers').filter((one) => typeof one === 'string');
  if (all.length === 0) return;
  const own = all.filter((one) => OWN_FINALIZERS.has(one));
  leave(draft, '/metadata/finalizers');
  if (own.length > 0) draft.object.metadata['finalizers'] = own;
  const others = all.filter((one) => !OWN_FINALIZERS.has(one) && !DELETIONS.has(one));
  draft.finalizers.push(...others);
  for (const one of others) draft.notes.push(`finalizer ${one} is set at the end, if what takes it away is there`);
}
