import { oneLine } from '../../core/words.ts';
import { withoutCredentials } from './authorization.ts';
import type { Remote } from './transport.ts';

const LONGEST = 200;

/** A server's text for a person: one line, without what we showed it or what looks like a secret, not too long. */
export function wordsOf(remote: Remote, text: string): string {
  // A page of HTML says nothing to a person.
  if (/^\s*</.test(text)) return '';
  const line = withoutCredentials(remote, text).trim().replace(/\s+/g, ' ');
  const masked = oneLine(line).replace(SECRETS, '***');
  return masked.length > LONGEST ? `${masked.slice(0, LONGEST)}...` : masked;
}

/** Tokens of the forges, of OAuth and JWT; a user in a URL; anything long and dense. Object ids stay. */
const SECRETS =
  /\b(?:gh[a-z]_|github_pat_|glpat-|gto_)[\w-]{10,}|(?<=:\/\/)[^/\s@]+(?=@)|[\w+/=-]{16,}(?:\.[\w+/=-]{16,})+|[\w+/=-]{48,}|(?<=\b(?:basic|bearer|token)[ :=]{1,3})\S{8,}/gi;

/** What a server says when it, and not what we sent, is at fault: full, out of memory, in maintenance. */
export function isTrouble(words: string): boolean {
  return /no space|disk|quota|file too large|memory|allocate|temporar|try again|timed? ?out|unpack|index-pack|unavailable|cannot lock|\.lock\b|not our ref/i.test(
    words,
  );
}
