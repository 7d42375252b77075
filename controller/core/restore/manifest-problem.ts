import type { ArchiveFile } from '../archive-file.ts';
import { manifestPath } from '../manifest.ts';
import { groupOf, isJsonObject, type Json, parseResourceName, type ResourceName, stringAt } from '../object.ts';

/** Is a manifest the one that its path promises? A file that names another object would be applied under another's plan. */

/** What goes on behind the file's name as a sentence: 'is a Secret'; undefined when all fits. */
export function manifestProblem(
  object: Json,
  place: { readonly path: string; readonly resource: ResourceName },
  file: ArchiveFile,
): string | undefined {
  if (!isJsonObject(object) || !isJsonObject(object['metadata'])) return 'is no manifest of an object';
  const [apiVersion, kind] = [stringAt(object, 'apiVersion') ?? '', stringAt(object, 'kind') ?? ''];
  const { group, plural } = parseResourceName(place.resource);
  if (!VERSION.test(apiVersion) || groupOf(apiVersion) !== group) return `has the apiVersion ${quote(apiVersion)}`;
  if (!/^[A-Za-z][A-Za-z0-9]{0,127}$/.test(kind)) return `has the kind ${quote(kind)}`;
  if (BUILT_IN.has(group) && pluralOf(kind) !== plural) return `has the kind ${quote(kind)}`;
  const { metadata } = object;
  const name = stringAt(metadata, 'name');
  if (name === undefined || manifestPath({ resource: place.resource, name }) !== place.path)
    return `names the object ${quote(name ?? '')}`;
  return namespaceProblem(metadata, name, place.resource, file);
}

function namespaceProblem(
  metadata: Json,
  name: string,
  resource: ResourceName,
  { namespace }: ArchiveFile,
): string | undefined {
  if (isJsonObject(metadata) && metadata['namespace'] !== undefined && typeof metadata['namespace'] !== 'string')
    return 'has a namespace that is no text';
  const own = stringAt(metadata, 'namespace') ?? '';
  if (resource === 'namespaces') {
    if (own !== '') return `names the namespace ${quote(own)}`;
    return namespace?.name === name ? undefined : 'is the namespace of another repository';
  }
  return own === (namespace?.name ?? '') ? undefined : `is of the namespace ${quote(own)}`;
}

/** Not which version: while a definition moves to another one, a tree may hold both. */
const VERSION = /^(?:[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?\/)?v\d{1,4}(?:(?:alpha|beta)\d{1,4})?$/;

/** The groups whose plurals all follow from their kinds. */
const BUILT_IN: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular === 'endpoints') return singular;
  if (singular.endsWith('s')) return `${singular}es`;
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
