import { Agent, request } from 'undici';
import type { Certificate } from './certificates.ts';

/** Raw requests of an administrator, for arranging and judging; nothing of kubekeeper's own client is in here. */

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Any status is an answer; an object is sent as JSON, a string as it is. */
export type Ask = (method: string, path: string, body?: unknown, contentType?: string) => Promise<Answer>;

export interface ApiClient extends AsyncDisposable {
  readonly ask: Ask;
}

export function createApiClient(server: string, authority: string, client: Certificate): ApiClient {
  const dispatcher = new Agent({ connect: { ca: authority, cert: client.certificate, key: client.key } });
  return {
    ask: async (method, path, body, contentType = 'application/json') => {
      const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const headers = { 'content-type': contentType };
      const answer = await request(server + path, { method: method as 'GET', headers, dispatcher, ...payload });
      return { status: answer.statusCode, text: await answer.body.text() };
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

interface Described {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Server-side apply by force; resolves with the object as the server keeps it. */
export async function applyObject(ask: Ask, object: object, manager: string): Promise<unknown> {
  const path = await findPath(ask, object as Described);
  const query = `fieldManager=${encodeURIComponent(manager)}&force=true`;
  const answer = await ask('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml');
  if (answer.status >= 300) throw new Error(`apply ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
}

interface Served {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** What a server was found to serve; a group's list is long, and asked for once. */
const known = new WeakMap<Ask, Map<string, Served>>();

async function findPath(ask: Ask, { apiVersion, kind, metadata }: Described): Promise<string> {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const resource = await findServed(ask, root, kind);
  if (resource === undefined) throw new Error(`${apiVersion} ${kind} is not served`);
  const space = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${root}${space}/${resource.name}/${encodeURIComponent(metadata.name)}`;
}

async function findServed(ask: Ask, root: string, kind: string): Promise<Served | undefined> {
  const own = known.get(ask) ?? new Map<string, Served>();
  known.set(ask, own);
  const key = `${root} ${kind}`;
  const { resources = [] } = own.has(key)
    ? {}
    : (JSON.parse((await ask('GET', root)).text) as { resources?: Served[] });
  const found = own.get(key) ?? resources.find((one) => one.kind === kind && !one.name.includes('/'));
  if (found !== undefined) own.set(key, found);
  return found;
}
