import { parseJson } from '../core/json.ts';
import type { KubeObject } from '../core/object.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { KeeperError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { refusal } from './errors.ts';
import { type Endpoint, isKubeObject } from './objects.ts';
import type { Decided, PatientSender } from './patience.ts';

/** What answers that decided mean. */

/** For discovery, which takes a refusal for an error. */
export function throwing(sender: PatientSender): Connection {
  return {
    server: sender.server,
    context: '',
    request: async (path, options) => {
      const answer = await sender.send(path, options);
      accept(options?.method ?? 'GET', path, sender.server, answer);
      return answer;
    },
    stream: () => Promise.reject(new KeeperError('Nothing is streamed here', { kind: 'defect', code: 'DEFECT' })),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

export function accept(method: string, path: string, server: string, { status, headers, text }: Decided): string {
  if ((status >= 200 && status < 300) || status === 304) return text;
  throw refusal({ method, path, server }, status, headers, text);
}

export function tryParse(text: string): KubeObject | undefined {
  try {
    const object: unknown = parseJson(text);
    return isKubeObject(object) ? object : undefined;
  } catch {
    // A proxy's page, or half an answer: whoever needs an object says so.
    return undefined;
  }
}

/** Who may not even ask is told by what is done. */
export async function mayDo(
  sender: PatientSender,
  { group, version, plural }: Endpoint,
  verb: string,
  place: Parameters<RestoreTarget['may']>[2],
): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const body = JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { group, version, resource: plural, verb, ...place } },
  });
  const answer = await sender.send(path, { method: 'POST', body });
  if (answer.status === 403) return true;
  const review = JSON.parse(accept('POST', path, sender.server, answer)) as { status?: { allowed?: boolean } };
  return review.status?.allowed === true;
}
