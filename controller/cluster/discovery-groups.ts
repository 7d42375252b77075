import { arrayAt, isJsonObject, type Json, objectAt, type Resource, stringAt } from '../core/object.ts';

/** A version of an API group as discovery describes it; `unavailable` says why its resources are not known now. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  /** All but subresources. */
  readonly resources: readonly Resource[];
  readonly unavailable?: string;
}

/** Aggregated discovery (KEP-3352): all groups in one document, each one's versions in the server's order of preference. */
export function parseAggregated(document: Json): readonly GroupVersion[] {
  return arrayAt(document, 'items').flatMap((entry) => {
    const group = stringAt(objectAt(entry, 'metadata'), 'name') ?? '';
    return arrayAt(entry, 'versions').map((version) => parseAggregatedVersion(group, version));
  });
}

function parseAggregatedVersion(group: string, entry: Json): GroupVersion {
  const version = stringAt(entry, 'version') ?? '';
  if (stringAt(entry, 'freshness') === 'Stale') {
    return { group, version, resources: [], unavailable: 'The server behind this API does not answer' };
  }
  const resources = arrayAt(entry, 'resources').map((resource): Resource => {
    const shared = parseResource(resource);
    return {
      ...shared,
      group,
      version,
      plural: stringAt(resource, 'resource') ?? '',
      kind: stringAt(objectAt(resource, 'responseKind'), 'kind') ?? '',
      namespaced: stringAt(resource, 'scope') === 'Namespaced',
      ...singular(stringAt(resource, 'singularResource')),
    };
  });
  return { group, version, resources };
}

/** The older form: one APIResourceList per group and version. */
export function parseResourceList(group: string, version: string, document: Json): GroupVersion {
  const entries = arrayAt(document, 'resources').filter((entry) => stringAt(entry, 'name')?.includes('/') === false);
  const resources = entries.map(
    (entry): Resource => ({
      ...parseResource(entry),
      group,
      version,
      plural: stringAt(entry, 'name') ?? '',
      kind: stringAt(entry, 'kind') ?? '',
      namespaced: isJsonObject(entry) && entry['namespaced'] === true,
      ...singular(stringAt(entry, 'singularName')),
    }),
  );
  return { group, version, resources };
}

function parseResource(entry: Json): Pick<Resource, 'verbs' | 'shortNames'> {
  const shortNames = stringsAt(entry, 'shortNames');
  return { verbs: stringsAt(entry, 'verbs'), ...(shortNames.length === 0 ? {} : { shortNames }) };
}

function singular(name: string | undefined): Pick<Resource, 'singular'> {
  return name === undefined || name === '' ? {} : { singular: name };
}

export function stringsAt(entry: Json, key: string): readonly string[] {
  return arrayAt(entry, key).filter((value) => typeof value === 'string');
}
