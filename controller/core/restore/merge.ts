import { isJsonObject, type Json, type JsonObject } from '../object.ts';
import { renderPointer } from '../pointer.ts';
import { OMITTED_WHEN_EMPTY } from '../sanitise-remove.ts';
import { alignToRaw, pairUp } from './align.ts';
import { isSame } from './same.ts';

/**
 * The live object as it should become: what differs between its sanitised form and the manifest is taken over, and all that
 * sanitising had taken out stays where it is.
 */
export function merge(raw: Json, live: Json, target: Json, ignored: readonly string[]): Json {
  const left = new Set(ignored);
  const isAround = (at: string) => ignored.some((pointer) => pointer.startsWith(`${at}/`));
  return mergeValue(raw, live, target, { at: '', key: '', left, isAround }) ?? raw;
}

interface Place {
  /** In the sanitised form. */
  readonly at: string;
  readonly key: string;
  readonly left: ReadonlySet<string>;
  isAround(at: string): boolean;
}

function inside(place: Place, key: string): Place {
  return { ...place, at: place.at + renderPointer([key]), key };
}

/** Undefined: it goes, or is not made. */
function mergeValue(
  raw: Json | undefined,
  live: Json | undefined,
  target: Json | undefined,
  place: Place,
): Json | undefined {
  if (place.left.has(place.at) || (live !== undefined && isSame(live, target))) return raw;
  if (target === undefined) return raw === undefined ? undefined : takeAway(raw, live, place);
  if (isJsonObject(raw) && isJsonObject(target)) return mergeMap(raw, isJsonObject(live) ? live : {}, target, place);
  if (Array.isArray(raw) && Array.isArray(target))
    return mergeList(raw, Array.isArray(live) ? live : [], target, place);
  return target;
}

function mergeMap(raw: JsonObject, live: JsonObject, target: JsonObject, place: Place): Json {
  const keys = new Set([...Object.keys(raw), ...Object.keys(target)]);
  const entries: [string, Json][] = [];
  for (const key of keys) {
    const [is, should] = [own(live, key), own(target, key)];
    const value =
      is === undefined && should === undefined
        ? own(raw, key)
        : mergeValue(own(raw, key), is, should, inside(place, key));
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function own(holder: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(holder, key) ? holder[key] : undefined;
}

/** What was taken out of a list, or of a map of labels and the like, is not the manifest's, so it stays alone. */
function takeAway(raw: Json, live: Json | undefined, place: Place): Json | undefined {
  if (Array.isArray(raw) && Array.isArray(live)) {
    const rest = mergeList(raw, live, [], place);
    return rest.length === 0 ? undefined : rest;
  }
  if (!isJsonObject(raw) || !isJsonObject(live)) return undefined;
  const isShared = OMITTED_WHEN_EMPTY.has(place.key);
  if (!isShared && !place.isAround(place.at)) return undefined;
  const entries: [string, Json][] = [];
  for (const [key, value] of Object.entries(raw)) {
    const is = own(live, key);
    const rest =
      is === undefined ? (isShared ? value : undefined) : mergeValue(value, is, undefined, inside(place, key));
    if (rest !== undefined) entries.push([key, rest]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function mergeList(raw: readonly Json[], live: readonly Json[], target: readonly Json[], place: Place): Json[] {
  const origin = alignToRaw(raw, live);
  if (origin === undefined) return [...target];
  const isHeld = (index: number) => place.left.has(`${place.at}/${index}`);
  const pairs = pairUp(target, live, isHeld);
  const merged: { readonly from: number; readonly value: Json }[] = target.map((element, at) => {
    const index = pairs[at] ?? -1;
    const from = origin[index] ?? -1;
    if (from === -1) return { from, value: element };
    const value = mergeValue(raw[from], live[index], element, inside(place, String(index))) ?? element;
    return { from, value };
  });
  const going = new Set(live.keys().filter((index) => !pairs.includes(index) && !isHeld(index)));
  const spoken = new Set([...merged.map(({ from }) => from), ...[...going].map((index) => origin[index])]);
  for (const [from, value] of raw.entries()) {
    if (!spoken.has(from)) merged.splice(placeFor(merged, from), 0, { from, value });
  }
  return merged.map(({ value }) => value);
}

/** Behind the last element that it already stood behind. */
function placeFor(merged: readonly { readonly from: number }[], from: number): number {
  return merged.findLastIndex((one) => one.from !== -1 && one.from < from) + 1;
}
