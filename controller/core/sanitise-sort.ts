import { isJsonObject, type Json } from './object.ts';
import type { Walk } from './sanitise-walk.ts';

/** Sorts the lists that rules call sets, innermost first, by name or else by their JSON text. */
export function sortLists({ sorted }: Walk): void {
  for (const list of sorted.toReversed()) {
    if (list.length < 2) continue;
    const texts = new Map<Json, string>(list.map((element) => [element, sortText(element)]));
    const text = (element: Json) => texts.get(element) ?? '';
    list.sort((left, right) => (text(left) < text(right) ? -1 : text(left) > text(right) ? 1 : 0));
  }
}

function sortText(element: Json): string {
  if (typeof element === 'string') return element;
  const name = isJsonObject(element) && typeof element['name'] === 'string' ? element['name'] : '';
  return `${name} ${stableText(element)}`;
}

/** JSON text that does not depend on the order of keys. */
export function stableText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(stableText).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${stableText(value[key] as Json)}`).join(',')}}`;
}
