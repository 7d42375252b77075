/** What is wrong with JSON text that a parser would pass: it is looked for before anything recursive goes over the value. */

/** Kubernetes itself takes far less; what a schema nests is some twenty deep. */
const DEEPEST = 128;

/**
 * 'nests deeper than 128' or 'names the key "a" twice' (a parser keeps one of the two, and which one a reader saw is anybody's guess);
 * undefined for what has neither. Text that is no JSON may pass: parse it next.
 */
export function jsonProblem(text: string): string | undefined {
  // The keys of each open object; undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OBJECT:
      case ARRAY:
        open.push(text.charCodeAt(at) === OBJECT ? new Set() : undefined);
        if (open.length > DEEPEST) return `nests deeper than ${DEEPEST}`;
        break;
      case END_OBJECT:
      case END_ARRAY:
        open.pop();
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        const keys = open.at(-1);
        if (keys !== undefined && isKey(text, end)) {
          const key = unquote(text.slice(at, end + 1));
          if (keys.has(key)) return `names the key ${JSON.stringify(key.slice(0, 60))} twice`;
          keys.add(key);
        }
        at = end;
        break;
      }
    }
  }
  return undefined;
}

const [QUOTE, OBJECT, END_OBJECT, ARRAY, END_ARRAY, COLON, BACKSLASH] = [0x22, 0x7b, 0x7d, 0x5b, 0x5d, 0x3a, 0x5c];

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (/\s/.test(text.charAt(at))) at += 1;
  return text.charCodeAt(at) === COLON;
}

/** A key may be spelled with escapes: `"\u0061"` is "a". */
function unquote(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    // The parser will say so.
    return quoted;
  }
}
