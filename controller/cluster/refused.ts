import { maskLine } from '../core/mask-line.ts';
import { arrayAt, type JsonObject, objectAt, stringAt } from '../core/object.ts';
import type { Refused } from '../core/restore/ports.ts';
import type { Answer } from './connect.ts';
import { parseStatus } from './errors.ts';

/** Refusals of the API server, in words that may be shown. */

const LONGEST = 300;
const WHY = 100;

/** `isSecret`: the server may repeat values of what it was sent, so only words that hold none are passed on. */
export function refusedOf({ status, text }: Answer, isSecret: boolean): Refused {
  const said = parseStatus(text);
  const reason = stringAt(said, 'reason') ?? '';
  const details = objectAt(said, 'details');
  const causes = arrayAt(details, 'causes').map((cause) => ({
    field: maskLine(stringAt(cause, 'field') ?? '', LONGEST),
    message: isSecret ? wordsOf(stringAt(cause, 'reason')) : shorten(stringAt(cause, 'message') ?? ''),
  }));
  if (status === 404 && isNotServed(details)) return notServed();
  const message = shorten(flat(stringAt(said, 'message') ?? ''));
  return {
    status,
    reason,
    message: isSecret ? withoutValues(message, reason, causes) : message || reason || `status ${status}`,
    causes,
  };
}

export function notServed(): Refused {
  return { status: 404, reason: 'NotServed', message: 'the API server does not serve this resource', causes: [] };
}

/** A missing object is named, a missing resource is not. */
function isNotServed(details: JsonObject | undefined): boolean {
  return (stringAt(details, 'name') ?? '') === '';
}

/** A whole object may be told before what is wrong with it, which comes last ('...: field is immutable'). */
function shorten(text: string): string {
  const line = maskLine(text, Number.POSITIVE_INFINITY);
  return line.length > LONGEST ? `${line.slice(0, LONGEST - WHY)} ... ${line.slice(-WHY)}` : line;
}

function flat(text: string): string {
  return text.trim().replace(/\s*[\r\n]+\s*/g, ' ');
}

/** The server's own sentences that name objects, rights and quotas, never what is in an object. */
const WITHOUT_VALUES = [
  /^[\w.-]+ "[^"]*" (?:already exists|not found)$/,
  /^[\w.-]+(?: "[^"]*")? is forbidden: (?:User "[^"]*" cannot |exceeded quota: |unable to create new content in namespace |failed quota: )/,
  /^Operation cannot be fulfilled on /,
];

function withoutValues(message: string, reason: string, causes: Refused['causes']): string {
  if (WITHOUT_VALUES.some((pattern) => pattern.test(message))) return message;
  const webhook = /^(?:Internal error occurred: )?(?:admission webhook|failed calling webhook) "[^"]*"/.exec(
    message,
  )?.[0];
  if (webhook !== undefined) return `${webhook} (its words are withheld: they may hold values)`;
  const fields = [...new Set(causes.map(({ field }) => field))].filter((field) => field !== '');
  return fields.length === 0 ? reason : `${reason}: ${fields.join(', ')}`;
}

/** `FieldValueInvalid` -> `invalid`. */
function wordsOf(reason: string | undefined): string {
  return (reason ?? '')
    .replace(/^FieldValue/, '')
    .replace(/(?<!^)[A-Z]/g, ' $&')
    .toLowerCase();
}

const WARNING = /299 \S+ "((?:[^"\\]|\\.)*)"/g;

/** Of Warning headers (RFC 7234, 5.5), which are one line here. */
export function warningsOf(headers: Answer['headers']): readonly string[] {
  const line = headers['warning'] ?? '';
  return [...line.matchAll(WARNING)].map(([, text]) => maskLine((text ?? '').replace(/\\(.)/g, '$1'), LONGEST));
}
