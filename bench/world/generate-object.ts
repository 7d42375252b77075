import { KINDS, type Kind } from './kinds.ts';
import { configurationText, drawFrom, word } from './text.ts';

/** An object to create, with what is needed to address it. */
export interface Generated {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
  readonly index: number;
  readonly object: Record<string, unknown>;
}

/** The `index`th object of a namespace, as a user would send it: about `bytes` of JSON, always the same. */
export function generateObject(namespace: string, index: number, bytes: number): Generated {
  const kind = kindAt(index);
  const draw = drawFrom(seedOf(`${namespace}/${index}`));
  const name = `${word(draw)}-${word(draw)}-${index}`;
  const annotations: Record<string, string> = { 'example.com/owner': word(draw) };
  const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': word(draw) };
  const body = kind.body(name, draw);
  const { apiVersion } = kind;
  const object = { apiVersion, kind: kind.kind, metadata: { name, namespace, labels, annotations }, ...body };
  const room = bytes - JSON.stringify(object).length;
  if (room > 0 && kind.fill !== undefined) kind.fill(body, draw, room);
  else if (room > 0) annotations['example.com/notes'] = configurationText(draw, room);
  return { kind, name, namespace, index, object };
}

/** Kinds alternate in a fixed order of a hundred, so that any number of objects has about the right shares. */
function kindAt(index: number): Kind {
  // 37 and 100 have no common divisor: neighbours differ in kind.
  let place = (index * 37) % 100;
  for (const kind of KINDS) {
    if (place < kind.share) return kind;
    place -= kind.share;
  }
  throw new RangeError('the shares of the kinds must add up to 100');
}

/** FNV-1a. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
