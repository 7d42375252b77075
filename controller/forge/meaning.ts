import { arrayAt, isJsonObject, type Json, stringAt } from '../core/object.ts';
import { busy, unreachable } from './errors.ts';
import type { Mask } from './masking.ts';
import { Refusal } from './refusal.ts';
import { type AnswerHeaders, retryAfterMs } from './retry-after.ts';

/** More than that a person does not read. */
const MOST_REASONS = 5;

/** What of octokit's RequestError is looked at; it has `request` too, with all that was sent. */
interface Answered extends Error {
  readonly status: number;
  readonly response: { readonly headers: AnswerHeaders; readonly data: unknown };
}

export function isAnswered(error: unknown): error is Answered {
  return error instanceof Error && 'response' in error && error.response !== undefined && 'status' in error;
}

/** What an answer of 4xx or 5xx means: Refusal is the caller's to interpret, a KeeperError is final. */
export function meaningOf(api: string, { status, response }: Answered, mask: Mask): Error {
  const { headers, data } = response;
  const says = isJsonObject(data) ? data : {};
  const [scopes, needs] = [headers['x-oauth-scopes'], headers['x-accepted-github-permissions']];
  const refusal = new Refusal(status, {
    message: mask(stringAt(says, 'message') ?? ''),
    reasons: arrayAt(says, 'errors')
      .slice(0, MOST_REASONS)
      .map((one) => mask(reasonOf(one))),
    ...(scopes === undefined ? {} : { scopes: mask(String(scopes)) }),
    ...(needs === undefined ? {} : { needs: mask(String(needs)) }),
  });
  const wait = retryAfterMs(status, headers, refusal.message, Date.now());
  if (wait !== undefined) return busy(api, refusal, wait);
  return status >= 500 ? unreachable(api, `it answered ${refusal.words}`, refusal) : refusal;
}

/** GitHub lists objects with a message or only a code, some endpoints plain texts. */
function reasonOf(error: Json): string {
  return typeof error === 'string' ? error : (stringAt(error, 'message') ?? stringAt(error, 'code') ?? '');
}
