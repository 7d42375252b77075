import { parse } from '../core/history/field-difference.ts';
import { parseManifestPath } from '../core/manifest.ts';
import {
  CLUSTER_REPOSITORY,
  type ObjectRef,
  objectAt,
  parseResourceName,
  type ResourceName,
  stringAt,
} from '../core/object.ts';
import { EVERYTHING } from '../core/restore/plan.ts';
import { compileSelection } from '../core/restore/select.ts';
import { spellingOf } from '../core/restore/spellings.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { History } from './open-history.ts';

/** Which objects a person means, in kubectl's spellings, as far as the archive itself knows kinds: also of objects that are gone. */

export interface Wanted {
  includes(ref: ObjectRef): boolean;
  /** May an object of this resource be meant? */
  mayBeOf(resource: ResourceName): boolean;
}

/** `words` are RESOURCE/NAME or RESOURCE, with globs; none means all. Throws USAGE_INVALID with the nearest word. */
export function compileWanted({ file }: History, words: readonly string[]): Wanted {
  if (words.length === 0) return { includes: () => true, mayBeOf: () => true };
  const present = [...file.resources.keys()].map((resource) => ({ resource, kind: kindOf(resource) }));
  const objects = words.map((word) => (word.includes('/') ? word : `${word}/*`));
  const kinds = objects.map((word) => word.slice(0, word.indexOf('/')));
  const selection = compileSelection({ ...EVERYTHING, objects }, present);
  const resources = compileSelection({ ...EVERYTHING, kinds }, present);
  const known = new Map<ResourceName, boolean>();
  const mayBeOf = (resource: ResourceName) => {
    const may = known.get(resource) ?? resources.includes({ resource, kind: kindOf(resource), name: '', labels: {} });
    known.set(resource, may);
    return may;
  };
  return {
    includes: ({ resource, name }) =>
      mayBeOf(resource) && selection.includes({ resource, kind: kindOf(resource), name, labels: {} }),
    mayBeOf,
  };
}

/** Lower-case; of a resource that Kubernetes does not define, what its plural suggests. */
function kindOf(resource: ResourceName): string {
  const { plural } = parseResourceName(resource);
  const guess = plural
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/([^s])s$/, '$1');
  return (spellingOf(resource)?.kind ?? guess).toLowerCase();
}

/** The object that a path stands for; a shortened name is read from the file itself. */
export function refAt(
  history: History,
  file: { readonly path: string; readonly resource: ResourceName },
  blob: () => ObjectId | undefined,
): ObjectRef {
  const name =
    plainName(file.path) ?? nameInFile(history, blob()) ?? file.path.slice(file.resource.length + 1, -'.json'.length);
  const namespace = history.file.namespace?.name;
  const isClusterWide =
    namespace === undefined || history.name === CLUSTER_REPOSITORY || file.resource === 'namespaces';
  return isClusterWide ? { resource: file.resource, name } : { resource: file.resource, namespace, name };
}

function plainName(path: string): string | undefined {
  try {
    return parseManifestPath(path)?.name;
  } catch (error) {
    // Percent signs that encode no UTF-8: nobody of us wrote that path.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function nameInFile({ archive }: History, id: ObjectId | undefined): string | undefined {
  if (id === undefined) return undefined;
  const { type, content } = archive.store.read(id);
  return type === 'blob' ? stringAt(objectAt(parse(content.toString()), 'metadata'), 'name') : undefined;
}
