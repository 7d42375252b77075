import { isJsonObject, type Json, type JsonObject, type KubeObject } from '../object.ts';
import { renderPointer } from '../pointer.ts';
import { merge } from './merge.ts';
import type { PatchOperation } from './ports.ts';
import { isSame, namesOf } from './same.ts';

/** An update is a JSON Patch of exactly what differs. */

/** The API server takes 10,000. */
const MOST_OPERATIONS = 9000;

/**
 * What makes `raw` (the object as the server sent it) such that its sanitised form `live` becomes `target`, but for the pointers
 * in `ignored` (of `live`). What sanitising took out stays. The first operation holds the object to the state that it was planned
 * for. Empty when nothing differs; `apiVersion` and `kind` are never changed.
 */
export function patchOf(
  raw: KubeObject,
  live: Json,
  target: Json,
  ignored: readonly string[],
): readonly PatchOperation[] {
  const wanted = merge(raw, live, target, [...ignored, '/apiVersion', '/kind']);
  const operations: PatchOperation[] = [];
  compare(raw, wanted, '', operations);
  if (operations.length === 0) return [];
  const version = raw.metadata['resourceVersion'];
  const guard: PatchOperation[] =
    version === undefined ? [] : [{ op: 'test', path: '/metadata/resourceVersion', value: version }];
  return [...guard, ...(operations.length > MOST_OPERATIONS ? inWholeFields(raw, wanted) : operations)];
}

function compare(is: Json, should: Json, path: string, operations: PatchOperation[]): void {
  if (isSame(is, should)) return;
  if (isJsonObject(is) && isJsonObject(should)) compareMaps(is, should, path, operations);
  else if (Array.isArray(is) && Array.isArray(should)) compareLists(is, should, path, operations);
  else operations.push({ op: 'replace', path, value: should });
}

function compareMaps(is: JsonObject, should: JsonObject, path: string, operations: PatchOperation[]): void {
  for (const key of Object.keys(is).sort()) {
    if (!Object.hasOwn(should, key)) operations.push({ op: 'remove', path: path + renderPointer([key]) });
  }
  for (const key of Object.keys(should).sort()) {
    const [at, value] = [path + renderPointer([key]), should[key] as Json];
    if (Object.hasOwn(is, key)) compare(is[key] as Json, value, at, operations);
    else operations.push({ op: 'add', path: at, value });
  }
}

/** Elements that have names stay the same elements; else one run of elements more or less is seen, and anything else is a new list. */
function compareLists(is: readonly Json[], should: readonly Json[], path: string, operations: PatchOperation[]): void {
  const names = namesOf(is, should);
  if (is.length === should.length && (names === undefined || isSame([...(names[0] ?? [])], [...(names[1] ?? [])]))) {
    for (const [index, value] of should.entries()) compare(is[index] as Json, value, `${path}/${index}`, operations);
    return;
  }
  const [kept, wanted] = names === undefined ? sharedEnds(is, should) : names;
  const [before, after] = [new Set(kept), new Set(wanted)];
  const left = (kept ?? []).filter((name) => after.has(name));
  if (
    !isSame(
      [...left],
      (wanted ?? []).filter((name) => before.has(name)),
    )
  ) {
    operations.push({ op: 'replace', path, value: [...should] });
    return;
  }
  for (let index = is.length - 1; index >= 0; index--) {
    if (!after.has(kept?.[index] as string)) operations.push({ op: 'remove', path: `${path}/${index}` });
  }
  for (const [index, value] of should.entries()) {
    const from = kept?.indexOf(wanted?.[index] as string) ?? -1;
    if (from === -1) operations.push({ op: 'add', path: `${path}/${index}`, value });
    else compare(is[from] as Json, value, `${path}/${index}`, operations);
  }
}

/** Made-up names: the same where the lists begin and end alike. */
function sharedEnds(is: readonly Json[], should: readonly Json[]): readonly [readonly string[], readonly string[]] {
  const shortest = Math.min(is.length, should.length);
  let front = 0;
  while (front < shortest && isSame(is[front], should[front])) front++;
  let back = 0;
  while (back < shortest - front && isSame(is.at(-1 - back), should.at(-1 - back))) back++;
  const name = (list: readonly Json[], side: string) => (_: Json, index: number) =>
    index < front ? `front ${index}` : index >= list.length - back ? `back ${list.length - index}` : `${side} ${index}`;
  return [is.map(name(is, 'is')), should.map(name(should, 'should'))];
}

/** Fewer and coarser: each field of the object, and of its metadata, at once. */
function inWholeFields(is: JsonObject, wanted: Json): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  for (const key of Object.keys(is).sort()) {
    if (!Object.hasOwn(wanted as JsonObject, key)) operations.push({ op: 'remove', path: renderPointer([key]) });
  }
  for (const key of Object.keys(wanted as JsonObject).sort()) {
    const value = (wanted as JsonObject)[key] as Json;
    if (!isSame(is[key], value)) operations.push({ op: 'add', path: renderPointer([key]), value });
  }
  return operations;
}
