/** Takes what must not be seen out of foreign words. */
export type Mask = (text: string) => string;

/** Shorter ones would take letters out of every sentence. */
const SHORTEST_SECRET = 4;
const LONGEST_LINE = 300;

/** Tokens of GitHub, GitLab and JWTs (RFC 7519) by their shape, and whatever else is long and dense enough to be one. */
const SHAPES = [
  /\b(?:gh[a-z]_|github_pat_|glpat-)[A-Za-z0-9_-]{8,}/g,
  /[A-Za-z0-9_+/=-]{20,}(?:\.[A-Za-z0-9_+/=-]{20,})+/g,
  /[A-Za-z0-9_+/=]{40,}/g,
  /-----BEGIN[\s\S]*?(?:-----END[^-]*-----|$)/g,
];

/** `secrets` are what was sent: a server may say them back to us. */
export function createMask(secrets: readonly string[]): Mask {
  const known = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
  return (text) => {
    const unknown = known.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
    return oneLine(SHAPES.reduce((masked, shape) => masked.replace(shape, '***'), unknown));
  };
}

function oneLine(text: string): string {
  const line = text
    .trim()
    .replace(/\s+/g, ' ')
    // Escape sequences would reach a terminal.
    .replace(/\p{Cc}|\p{Cf}/gu, '');
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}...` : line;
}
