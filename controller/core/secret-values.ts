import { isMap, isScalar, LineCounter, type Pair, parseDocument, visit } from 'yaml';
import { KeeperError } from '../errors.ts';

/**
 * Secret values that a person brings, as JSON or YAML:
 *
 *     secrets/db:                    # the object, as RESOURCE/NAME
 *       password: open sesame        # a key of the Secret's data, as plain text
 *       keystore: { base64: AAEC }   # bytes that are no text
 *     routes.route.openshift.io/web:
 *       /spec/tls/key: |             # any other object: the field as a JSON pointer
 *         -----BEGIN PRIVATE KEY-----
 */
export type SecretValues = ReadonlyMap<string, ReadonlyMap<string, SecretValue>>;

export type SecretValue = { readonly text: string } | { readonly base64: string };

/** Throws KeeperError USAGE_INVALID with the line; never with what stands there. */
export function parseSecretValues(text: string, file: string): SecretValues {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const refuse = (offset: number | undefined, problem: string) => {
    const { line } = lines.linePos(Math.min(offset ?? 0, text.length));
    return usage(`${file}:${Math.max(line, 1)}: ${problem}`);
  };
  // The parser's own words quote the file.
  const [broken] = document.errors;
  if (broken !== undefined) throw refuse(broken.pos[0], 'not valid YAML or JSON');
  visit(document, {
    Alias: (_, { range }) => {
      throw refuse(range?.[0], 'an anchor is used; write the value itself (a text that begins with "*" needs quotes)');
    },
  });
  const objects = new Map<string, ReadonlyMap<string, SecretValue>>();
  if (document.contents === null) return objects;
  for (const [ref, value, offset] of pairsOf(document.contents, refuse, 'a map of objects')) {
    if (!/^[a-z0-9-]+(?:\.[a-z0-9.-]+)?\/.+$/.test(ref))
      throw refuse(
        offset,
        `an object is named RESOURCE/NAME, such as secrets/db, not ${JSON.stringify(ref.slice(0, 60))}`,
      );
    const values = new Map<string, SecretValue>();
    for (const [key, leaf, at] of pairsOf(value, refuse, `a map of the values of ${ref}`))
      values.set(key, readValue(leaf, at, refuse));
    objects.set(ref, values);
  }
  return objects;
}

type Refuse = (offset: number | undefined, problem: string) => KeeperError;

function* pairsOf(node: unknown, refuse: Refuse, what: string): Generator<[string, unknown, number | undefined]> {
  if (!isMap(node)) throw refuse(offsetOf(node), `${what} belongs here`);
  for (const { key, value } of node.items as readonly Pair[]) {
    if (!isScalar(key) || typeof key.value !== 'string') throw refuse(offsetOf(key), 'a key must be text, in quotes');
    yield [key.value, value, offsetOf(key)];
  }
}

function readValue(node: unknown, at: number | undefined, refuse: Refuse): SecretValue {
  if (isScalar(node)) {
    if (typeof node.value === 'string') return { text: node.value };
    throw refuse(at, 'a value must be text: put it in quotes');
  }
  const [only, ...more] = isMap(node) ? [...pairsOf(node, refuse, 'a value')] : [];
  const inner = only?.[1];
  if (only?.[0] === 'base64' && more.length === 0 && isScalar(inner) && isBase64(inner.value))
    return { base64: inner.value };
  throw refuse(at, 'a value is text, or { base64: ... } for bytes that are no text');
}

function isBase64(value: unknown): value is string {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function offsetOf(node: unknown): number | undefined {
  const { range } = (node ?? {}) as { readonly range?: readonly number[] | null };
  return range?.[0];
}

function usage(problem: string): KeeperError {
  return new KeeperError(`Cannot use the secret values: ${problem}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
