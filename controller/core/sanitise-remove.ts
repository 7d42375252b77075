import type { Json, JsonObject } from './object.ts';
import { renderPointer } from './pointer.ts';
import type { Place, Removal, Walk } from './sanitise-walk.ts';

/** What a walk takes out. It is carried out at the end; only then do indexes move, so places are turned into pointers here, too. */

/**
 * Maps that the API server leaves out when they are empty, as it does all lists: when the rules have emptied one, it goes, so
 * that the file is the same whether the server wrote into it or not. Nobody else's empty value is touched.
 */
export const OMITTED_WHEN_EMPTY: ReadonlySet<string> = new Set([
  'annotations',
  'labels',
  'data',
  'binaryData',
  'nodeSelector',
]);

export function applyRemovals({ removals }: Walk): void {
  let lists: Set<Json[]> | undefined;
  for (const { holder, key } of removals) {
    if (!Array.isArray(holder)) delete holder[key];
    else {
      lists ??= new Set();
      lists.add(holder);
    }
  }
  for (const list of lists ?? []) {
    const gone = new Set(removals.filter(({ holder }) => holder === list).map(({ key }) => Number(key)));
    const left = list.filter((_, index) => !gone.has(index));
    list.splice(0, list.length, ...left);
  }
  for (const removal of removals) dropEmptied(removal);
}

function dropEmptied({ holder, above, aboveKey }: Removal): void {
  if (above === undefined || Array.isArray(above)) return;
  const emptied = Array.isArray(holder) ? holder.length === 0 : OMITTED_WHEN_EMPTY.has(aboveKey) && isEmpty(holder);
  if (emptied && above[aboveKey] === holder) delete above[aboveKey];
}

/** Notes that the value at the walk's place goes; but what a rule keeps inside it stays. */
export function noteRemoval(walk: Walk, holder: JsonObject | Json[], key: string): void {
  const depth = walk.path.length;
  const kept = walk.kept.length === 0 ? walk.kept : walk.kept.filter((place) => isInside(place, depth, holder, key));
  const above = walk.holders[depth - 2] as JsonObject | Json[] | undefined;
  if (kept.length > 0) removeAllBut(walk, (holder as JsonObject)[key] as Json, depth, kept);
  else
    walk.removals.push({ holder, key, above, aboveKey: above === undefined ? '' : (walk.path[depth - 2] as string) });
}

function isInside(place: Place, depth: number, holder: Json, key: string): boolean {
  return place.path.length > depth && place.holders[depth - 1] === holder && place.path[depth - 1] === key;
}

function removeAllBut(walk: Walk, value: Json, depth: number, kept: readonly Place[]): void {
  const holder = value as JsonObject;
  for (const key of Object.keys(holder)) {
    const inside = kept.filter((place) => place.path[depth] === key);
    if (inside.length === 0) walk.removals.push({ holder, key, above: undefined, aboveKey: '' });
    else if (inside.every((place) => place.path.length > depth + 1)) {
      removeAllBut(walk, holder[key] as Json, depth + 1, inside);
    }
  }
}

/** The pointers of places after the removals; of places that are gone there is none. */
export function locate({ removals }: Walk, places: readonly Place[]): string[] {
  const pointers: string[] = [];
  for (const { path, holders } of places) {
    const moved = path.map((key, depth) => keyAfter(removals, holders[depth], key));
    if (moved.every((key) => key !== undefined)) pointers.push(renderPointer(moved));
  }
  return pointers;
}

function keyAfter(removals: Walk['removals'], holder: Json | undefined, key: string): string | undefined {
  let before = 0;
  for (const removal of removals) {
    if (removal.holder !== holder) continue;
    if (removal.key === key) return undefined;
    if (Number(removal.key) < Number(key)) before++;
  }
  return Array.isArray(holder) ? String(Number(key) - before) : key;
}

function isEmpty(holder: JsonObject): boolean {
  for (const _ in holder) return false;
  return true;
}
