import { parseJson } from '../core/json.ts';
import { arrayAt, type Json, objectAt, type ResourceName, stringAt } from '../core/object.ts';
import type { Catalogue } from '../core/ports.ts';
import { Gate } from '../core/streams.ts';
import { KeeperError } from '../errors.ts';
import { buildCatalogue } from './catalogue.ts';
import type { Connection } from './connect.ts';
import { type GroupVersion, parseAggregated, parseResourceList, stringsAt } from './discovery-groups.ts';
import { unparsable } from './errors.ts';

/** What the server serves: aggregated discovery, two requests; on servers before 1.30 one request per group and version. */

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

const REQUESTS_AT_ONCE = 8;

/** Groups that do not answer are named as unavailable. Throws KeeperError only when the server itself does not answer. */
export async function discover(
  connection: Connection,
  options: { readonly signal?: AbortSignal; readonly pinned?: ReadonlyMap<ResourceName, string> } = {},
): Promise<Catalogue> {
  const discovery = openDiscovery(connection);
  return buildCatalogue(await discovery.read(options.signal), options.pinned);
}

export interface Discovery {
  /** Asks again; what the server says is unchanged (ETag) is not sent again. */
  read(signal?: AbortSignal): Promise<readonly GroupVersion[]>;
}

/** Discovery that remembers its last answers. */
export function openDiscovery(connection: Connection): Discovery {
  const roots = ['/api', '/apis'].map((path) => openRoot(connection, path));
  return {
    async read(signal) {
      return (await Promise.all(roots.map((root) => root.read(signal)))).flat();
    },
  };
}

function openRoot(connection: Connection, path: string): Discovery {
  let known: { readonly etag: string; readonly groups: readonly GroupVersion[] } | undefined;
  return {
    async read(signal) {
      const { status, headers, text } = await connection.request(path, {
        accept: AGGREGATED,
        ...(known === undefined ? {} : { headers: { 'if-none-match': known.etag } }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (status === 304 && known !== undefined) return known.groups;
      const document = parseDocument(connection, path, text);
      if (stringAt(document, 'kind') !== 'APIGroupDiscoveryList') return readEachGroup(connection, document, signal);
      const groups = parseAggregated(document);
      known = headers['etag'] === undefined ? undefined : { etag: headers['etag'], groups };
      return groups;
    },
  };
}

/** APIVersions (`/api`) or APIGroupList (`/apis`): each version of each group is asked for its resources. */
async function readEachGroup(
  connection: Connection,
  document: Json,
  signal: AbortSignal | undefined,
): Promise<readonly GroupVersion[]> {
  const gate = new Gate(REQUESTS_AT_ONCE);
  const read = async ({ group, version }: { group: string; version: string }): Promise<GroupVersion> => {
    const leave = await gate.enter();
    try {
      return await readGroupVersion(connection, group, version, signal);
    } finally {
      leave();
    }
  };
  const core = stringsAt(document, 'versions').map((version) => ({ group: '', version }));
  return Promise.all([...core, ...arrayAt(document, 'groups').flatMap(versionsOf)].map(read));
}

/** The preferred version first, then in the server's order. */
function versionsOf(entry: Json): readonly { group: string; version: string }[] {
  const preferred = stringAt(objectAt(entry, 'preferredVersion'), 'version');
  const versions = arrayAt(entry, 'versions').map((version) => stringAt(version, 'version') ?? '');
  const ordered = [...versions.filter((version) => version === preferred), ...versions.filter((v) => v !== preferred)];
  return ordered.map((version) => ({ group: stringAt(entry, 'name') ?? '', version }));
}

async function readGroupVersion(
  connection: Connection,
  group: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<GroupVersion> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  try {
    const { text } = await connection.request(path, signal === undefined ? {} : { signal });
    return parseResourceList(group, version, parseDocument(connection, path, text));
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code === 'CREDENTIALS_REFUSED') throw error;
    return { group, version, resources: [], unavailable: error.message };
  }
}

function parseDocument(connection: Connection, path: string, text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw unparsable({ method: 'GET', path, server: connection.server }, error);
  }
}
