import type { ObjectRef } from '../core/object.ts';
import type { Refused } from '../core/restore/ports.ts';
import { oneLine } from '../core/words.ts';

/** What a refusal of the server means to who reads a plan. */
export function wordsOfRefusal(
  refused: Refused,
  verb: 'create' | 'change' | 'delete',
  { resource, namespace }: ObjectRef,
): string {
  const { status, reason, causes } = refused;
  const message = oneLine(refused.message);
  if (status === 403 && /cannot \S+ resource/.test(message)) {
    return `you may not ${verb} ${resource}${namespace === undefined ? '' : ` in ${namespace}`}`;
  }
  if (status === 403 && /attempting to grant RBAC permissions|cannot bind|user .* cannot/i.test(message)) {
    return `you may not give rights that you do not have: ${message}`;
  }
  const quota = /exceeded quota: .*/.exec(message);
  if (quota !== null) return quota[0];
  const webhook = /admission webhook "([^"]+)" denied the request:? ?(.*)/.exec(message);
  if (webhook !== null)
    return `the webhook ${webhook[1]} refuses: ${webhook[2] === '' ? 'without a reason' : webhook[2]}`;
  if (reason === 'NotServed') return `${resource} is not served here: its definition is missing`;
  if (causes.length > 0) {
    const named = causes.map((cause) => oneLine(`${cause.field}: ${cause.message}`)).slice(0, 3);
    return `the API server refuses: ${named.join('; ')}`;
  }
  return message === '' ? `the API server refuses (${status})` : `the API server refuses: ${message}`;
}
