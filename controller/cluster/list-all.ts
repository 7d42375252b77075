import { parseJson } from '../core/json.ts';
import { arrayAt, isJsonObject, type Json, type KubeObject, objectAt, stringAt } from '../core/object.ts';
import type { KeeperError } from '../errors.ts';
import { refusal, unparsable } from './errors.ts';
import { nextLimit } from './list-states.ts';
import { type Endpoint, isKubeObject, resourcePath } from './objects.ts';
import type { PatientSender } from './patience.ts';

const FIRST_PAGE = 100;
const LARGEST_PAGE = 500;

/** Pages are one state of the cluster; one that takes so long that the state is gone begins again. */
const RESTARTS = 3;

type Where = { readonly namespace?: string; readonly labelSelector?: string };

/** All objects of a resource; none when it is not served. */
export async function listAll(
  sender: PatientSender,
  resource: Endpoint,
  where: Where,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[] | 'forbidden'> {
  for (let restarts = 0; ; restarts++) {
    const found = await listOnce(sender, resource, where, signal);
    if (!('expired' in Object(found))) return found as readonly KubeObject[] | 'forbidden';
    if (restarts === RESTARTS) throw (found as { expired: KeeperError }).expired;
  }
}

async function listOnce(
  sender: PatientSender,
  resource: Endpoint,
  { namespace, labelSelector }: Where,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[] | 'forbidden' | { readonly expired: KeeperError }> {
  const path = resourcePath(resource, namespace);
  const asked = { method: 'GET', path, server: sender.server };
  const objects: KubeObject[] = [];
  for (let [token, limit] = ['', FIRST_PAGE]; ; ) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (token !== '') query.set('continue', token);
    if (labelSelector !== undefined && labelSelector !== '') query.set('labelSelector', labelSelector);
    const { status, headers, text } = await sender.send(`${path}?${query}`, signal === undefined ? {} : { signal });
    if (status === 403) return 'forbidden';
    if (status === 404 || status === 405) return [];
    if (status >= 300) {
      const error = refusal(asked, status, headers, text);
      if (error.code !== 'RESOURCE_EXPIRED') throw error;
      return { expired: error };
    }
    const page = parse(asked, text);
    const items = arrayAt(page, 'items');
    for (const item of items) objects.push(complete(asked, resource, page, item));
    token = stringAt(objectAt(page, 'metadata'), 'continue') ?? '';
    if (token === '') return objects;
    limit = nextLimit(LARGEST_PAGE, items.length, text.length);
  }
}

function parse(asked: Parameters<typeof unparsable>[0], text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw unparsable(asked, error);
  }
}

/** Objects in lists of built-in resources lack what every single one has. */
function complete(asked: Parameters<typeof unparsable>[0], resource: Endpoint, page: Json, item: Json): KubeObject {
  if (isJsonObject(item)) {
    item['apiVersion'] ??= resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    item['kind'] ??= (stringAt(page, 'kind') ?? '').replace(/List$/, '');
  }
  if (!isKubeObject(item)) throw unparsable(asked, new Error('not an object of Kubernetes'));
  return item;
}
