import { parseJson } from '../core/json.ts';
import { isJsonObject, type KubeObject, objectAt, type Resource, stringAt } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { unparsable } from './errors.ts';

export type Endpoint = Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced'>;

/** The path of a resource, of all namespaces or one, or of one object. Names keep their case. Throws for names that no object has. */
export function resourcePath(resource: Endpoint, namespace?: string, name?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const space = namespace !== undefined && resource.namespaced ? `/namespaces/${segment(namespace)}` : '';
  return `${root}${space}/${resource.plural}${name === undefined ? '' : `/${segment(name)}`}`;
}

/** One object exactly as the server has it; undefined when it does not exist. Throws KeeperError on anything else. */
export async function getObject(
  connection: Connection,
  resource: Endpoint,
  place: { readonly namespace?: string; readonly name: string },
  signal?: AbortSignal,
): Promise<KubeObject | undefined> {
  const path = resourcePath(resource, place.namespace, place.name);
  try {
    const { text } = await connection.request(path, signal === undefined ? {} : { signal });
    return parseObject(connection, path, text);
  } catch (error) {
    if (error instanceof KeeperError && error.code === 'OBJECT_NOT_FOUND') return undefined;
    throw error;
  }
}

function parseObject(connection: Connection, path: string, text: string): KubeObject {
  const asked = { method: 'GET', path, server: connection.server };
  let object: unknown;
  try {
    object = parseJson(text);
  } catch (error) {
    throw unparsable(asked, error);
  }
  if (!isKubeObject(object)) throw unparsable(asked, new Error('not an object of Kubernetes'));
  return object;
}

/** Has it what every stored object has? */
export function isKubeObject(value: unknown): value is KubeObject {
  return isJsonObject(value) && stringAt(objectAt(value, 'metadata'), 'name') !== undefined;
}

function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') {
    throw new KeeperError(`"${name}" is no name of an object; give the name as kubectl shows it`, {
      kind: 'invalid-input',
      code: 'USAGE_INVALID',
    });
  }
  return encodeURIComponent(name);
}
