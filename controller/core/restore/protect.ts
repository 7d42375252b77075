import { compileGlobs } from '../glob.ts';
import { type KubeObject, objectAt, parseResourceName, type ResourceName, stringAt } from '../object.ts';
import { managedBy } from './managed.ts';

/** What a restore never deletes unless it is named: what carries other things, or what the cluster itself lives from. */

export interface ProtectionQuestion {
  readonly resource: ResourceName;
  /** As it lives. */
  readonly object: KubeObject;
  /** RESOURCE/NAME, globs too: these may go. */
  readonly unprotect: readonly string[];
  /** The namespace that kubekeeper runs in. */
  readonly ownNamespace?: string;
  /** Of a CustomResourceDefinition: are there objects? Not known counts as yes. */
  readonly hasObjectsElsewhere?: boolean;
  readonly evenIfManaged?: boolean;
}

const ALWAYS: Readonly<Record<ResourceName, string>> = {
  nodes: 'a node that is deleted loses its pods',
  namespaces: 'everything in the namespace would go with it',
  persistentvolumes: 'the data on it could go with it',
  'apiservices.apiregistration.k8s.io': 'everything that it serves would be out of reach',
  'leases.coordination.k8s.io': 'somebody holds it as a lock',
};

/** Why the object must not be deleted; undefined when it may be. */
export function protectionOf(question: ProtectionQuestion): string | undefined {
  const { resource, object, unprotect } = question;
  if (compileGlobs(unprotect)(`${resource}/${object.metadata.name}`)) return undefined;
  const always = Object.hasOwn(ALWAYS, resource) ? ALWAYS[resource] : undefined;
  if (always !== undefined) return `protected: ${always}`;
  const { group } = parseResourceName(resource);
  if (group === 'kubekeeper.dev') return 'protected: kubekeeper itself works by it';
  const namespace = stringAt(object.metadata, 'namespace');
  if (namespace !== undefined && namespace === question.ownNamespace)
    return 'protected: kubekeeper runs in this namespace';
  if (resource === 'persistentvolumeclaims' && isBound(object)) {
    return 'protected: the claim is bound, and the data of its volume could go with it';
  }
  if (resource === 'customresourcedefinitions.apiextensions.k8s.io' && question.hasObjectsElsewhere !== false) {
    return `protected: all objects of ${object.metadata.name} in the cluster would go with it`;
  }
  const manager = question.evenIfManaged === true ? undefined : managedBy(object);
  return manager === undefined ? undefined : `protected: ${manager} keeps it`;
}

function isBound(claim: KubeObject): boolean {
  const volume = stringAt(objectAt(claim, 'spec'), 'volumeName');
  return (volume !== undefined && volume !== '') || stringAt(objectAt(claim, 'status'), 'phase') === 'Bound';
}
