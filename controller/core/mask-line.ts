import { oneLine } from './words.ts';

/** Long and dense enough to be a token: three parts of a JWT, or one run of 64 characters. Object ids are shorter. */
const DENSE = /[A-Za-z0-9_+/=-]{20,}(?:\.[A-Za-z0-9_+/=-]{20,})+|[A-Za-z0-9_+/=]{64,}/g;

/** The first line of a text that others wrote: short, without control characters and without what may be a token. */
export function maskLine(text: string, longest = 72): string {
  const [line = ''] = text.trim().split(/[\r\n]/, 1);
  const masked = oneLine(line.replace(DENSE, '***'));
  return masked.length > longest ? `${masked.slice(0, longest)}...` : masked;
}
