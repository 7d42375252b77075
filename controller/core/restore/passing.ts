import type { ObjectRef } from '../object.ts';
import type { Refused } from './ports.ts';

/** Refusals that go by themselves while a cluster is being filled, and are waited for. */

interface Passing {
  readonly pattern: RegExp;
  readonly words: string;
  /** What is refused for one object only says nothing of others. */
  readonly isOwn?: true;
}

const PASSING: readonly Passing[] = [
  { pattern: /status unknown for quota/, words: 'the quota to be counted' },
  {
    pattern: /Operation cannot be fulfilled on resourcequotas/,
    words: 'the quota, which others draw on as well',
    isOwn: true,
  },
  { pattern: /error looking up service account|no API token found for service account/, words: 'the service account' },
  {
    pattern: /failed calling webhook "[^"]*"|no endpoints available for service "[^"]*"/,
    words: 'a webhook to answer',
  },
  { pattern: /unable to find annotation openshift\.io/, words: 'the namespace to get its ranges' },
  // The authorizer learns of a role a moment after it was made.
  { pattern: /roles?\.rbac\.authorization\.k8s\.io "[^"]*" not found/, words: 'the role to be known', isOwn: true },
  { pattern: /^namespaces "[^"]*" not found$/, words: 'the namespace to be known' },
];

/** What is waited for, and a key that those share who wait for the same; undefined for what stays refused. */
export function passingOf(
  { status, reason, message }: Refused,
  ref: ObjectRef,
): { readonly words: string; readonly key: string } | undefined {
  if (reason === 'NotServed') return { words: `${ref.resource} to be served`, key: `served ${ref.resource}` };
  if (status === 422 || status === 400) return undefined;
  for (const { pattern, words, isOwn } of PASSING) {
    const found = pattern.exec(message)?.[0];
    if (found === undefined) continue;
    const own = isOwn === true ? ` ${ref.resource}/${ref.name}` : '';
    return { words: `${words}: ${message}`, key: `${found} ${ref.namespace ?? ''}${own}` };
  }
  return undefined;
}
