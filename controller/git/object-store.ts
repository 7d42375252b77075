import { constants } from 'node:buffer';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { KeeperError } from '../errors.ts';
import { applyDelta } from './apply-delta.ts';
import { ByteCache } from './byte-cache.ts';
import { judge, LARGEST_INFLATED, LONGEST_CHAIN, MOST_BUILT } from './distrust.ts';
import { damaged, errnoOf, hostile } from './errors.ts';
import { EMPTY_TREE, type ObjectId, type ObjectType } from './object-id.ts';
import { describePack, indexOf, type Pack, readEntry, verifyTrailer } from './open-pack.ts';
import { ENTRY, objectTypeOf } from './pack-format.ts';

export interface StoredObject {
  readonly type: ObjectType;
  readonly content: Buffer;
}

/** Where an object lies. */
export interface Place {
  readonly pack: Pack;
  readonly offset: number;
}

export type ObjectCache = ByteCache<StoredObject>;

/** All repositories of the process share this much memory for inflated objects. */
const sharedCache: ObjectCache = new ByteCache<StoredObject>(8 * 1024 * 1024);

/** Names of objects that are remembered as judged, some 100 bytes each. */
const MOST_JUDGED = 50_000;

/**
 * The objects of one repository, read where they lie. Reads are synchronous: a few positioned reads of pages that are
 * mostly in memory, which also means that no pack can vanish between looking up and reading.
 */
export class ObjectStore {
  readonly directory: string;
  /** Oldest first. */
  packs: readonly Pack[] = [];
  /** Names of packs whose index is there and whose file is not: after a power cut, or a file that somebody removed. */
  lostPacks: readonly string[] = [];

  /** Where the last object was found, among these packs: the next one is likely to be beside it. */
  #latest: { readonly packs: readonly Pack[]; readonly pack: Pack } | undefined;

  /** Packs of which we were told that they go: their files may still be there for a moment, and are not taken up again. */
  readonly #leaving = new Set<string>();

  /** What was judged; undefined where what is read was made by us or checked when it came. */
  readonly #judged: Set<ObjectId> | undefined;
  readonly #largest: number;

  /** `distrusted`: anybody may have made this repository, so each object is judged before it is given out. */
  constructor(directory: string, { distrusted = false }: { readonly distrusted?: boolean } = {}) {
    this.directory = directory;
    this.#judged = distrusted ? new Set() : undefined;
    this.#largest = distrusted ? LARGEST_INFLATED : Number.POSITIVE_INFINITY;
  }

  get packDirectory(): string {
    return join(this.directory, 'objects', 'pack');
  }

  /** Looks for packs that came or went. Throws REPOSITORY_DAMAGED for one that was cut short. */
  rescan(): void {
    const names = new Set(readdirSync(this.packDirectory));
    const known = new Map(this.packs.map((pack) => [pack.name, pack]));
    const packs: Pack[] = [];
    const lost: string[] = [];
    for (const file of names) {
      if (!/^pack-[0-9a-f]{40}\.idx$/.test(file)) continue;
      const name = file.slice(0, -4);
      if (this.#leaving.has(name)) continue;
      const isKept = names.has(`${name}.keep`);
      const old = known.get(name);
      const pack = old === undefined ? this.#openPack(name, isKept) : { ...old, isKept };
      if (pack !== undefined) packs.push(pack);
      else if (existsSync(join(this.packDirectory, file))) lost.push(name);
    }
    this.lostPacks = lost;
    this.packs = packs.sort((a, b) => a.modified - b.modified || (a.name < b.name ? -1 : 1));
  }

  /** Undefined when the pack is not there: a writer may have merged and removed it since we looked. */
  #openPack(name: string, isKept: boolean): Pack | undefined {
    try {
      const pack = openPack(this.directory, name, isKept);
      verifyTrailer(pack);
      return pack;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Takes packs out by name and one in; a merged pack stands where the last of its parts stood. */
  replace(removed: ReadonlySet<string>, added?: Pack): void {
    for (const name of removed) if (name !== added?.name) this.#leaving.add(name);
    const rest = this.packs.filter((pack) => pack.name !== added?.name && !removed.has(pack.name));
    const last = this.packs.findLastIndex((pack) => removed.has(pack.name));
    const newer = last < 0 ? 0 : this.packs.slice(last + 1).filter((pack) => rest.includes(pack)).length;
    this.packs = added === undefined ? rest : rest.toSpliced(rest.length - newer, 0, added);
  }

  find(id: ObjectId): Place | undefined {
    const bytes = Buffer.from(id, 'hex');
    const likely = this.#latest?.packs === this.packs ? this.#latest.pack : undefined;
    const near = likely === undefined ? undefined : placeIn(likely, bytes);
    if (near !== undefined) return near;
    for (let i = this.packs.length - 1; i >= 0; i--) {
      const pack = this.packs[i] as Pack;
      const place = pack === likely ? undefined : placeIn(pack, bytes);
      if (place === undefined) continue;
      this.#latest = { packs: this.packs, pack };
      return place;
    }
    return undefined;
  }

  has(id: ObjectId): boolean {
    return this.#isFound(id) || id === EMPTY_TREE || readLoose(this.directory, id) !== undefined;
  }

  /** Another process may have merged and removed a pack since we looked: what it held is in another one by now. */
  #isFound(id: ObjectId): boolean {
    try {
      return this.find(id) !== undefined;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    this.rescan();
    return this.find(id) !== undefined;
  }

  /** Every id that begins with these digits; for a handful of digits typed by a person. */
  startingWith(prefix: string): Set<ObjectId> {
    const first = Number.parseInt(prefix.slice(0, 2), 16);
    const found = new Set<ObjectId>();
    for (const pack of this.packs) {
      const index = indexOf(pack);
      for (let i = index.fanout(first - 1); i < index.fanout(first); i++) {
        const id = index.id(i).toString('hex');
        if (id.startsWith(prefix)) found.add(id);
      }
    }
    for (const id of looseIds(this.directory, prefix)) found.add(id);
    return found;
  }

  /** Throws REPOSITORY_DAMAGED when the object is missing or cannot be read, REPOSITORY_HOSTILE when it is distrusted and odd. */
  read(id: ObjectId, cache: ObjectCache = sharedCache): StoredObject {
    const object = this.#lookUp(id, cache);
    if (object === undefined) throw damaged(this.directory, `object ${id}`, 'is missing');
    if (this.#judged !== undefined && !this.#judged.has(id)) {
      judge(this.directory, id, object);
      if (this.#judged.size >= MOST_JUDGED) this.#judged.clear();
      this.#judged.add(id);
    }
    return object;
  }

  /** The content of an object that must be of this type. */
  readAs(type: ObjectType, id: ObjectId, cache: ObjectCache = sharedCache): Buffer {
    const object = this.read(id, cache);
    if (object.type !== type)
      throw damaged(this.directory, `object ${id}`, `is a ${object.type} where a ${type} belongs`);
    return object.content;
  }

  /** Another process may have merged packs since we looked: whatever is not found is looked for once more. */
  #lookUp(id: ObjectId, cache: ObjectCache): StoredObject | undefined {
    try {
      const object = this.#readOnce(id, cache);
      if (object !== undefined) return object;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    this.rescan();
    return this.#readOnce(id, cache);
  }

  #readOnce(id: ObjectId, cache: ObjectCache): StoredObject | undefined {
    const place = this.find(id);
    if (place !== undefined) return this.readPacked(place.pack, place.offset, cache);
    if (id === EMPTY_TREE) return { type: 'tree', content: Buffer.alloc(0) };
    return readLoose(this.directory, id, this.#largest);
  }

  /** Follows a chain of deltas down to its base, then builds upwards; the versions between are kept as long as they fit. */
  readPacked(pack: Pack, offset: number, cache: ObjectCache = sharedCache): StoredObject {
    const deltas: { key: string; content: Buffer }[] = [];
    let at = { pack, offset };
    let object: StoredObject | undefined;
    let left = this.#largest;
    while (object === undefined) {
      const key = `${at.pack.key}:${at.offset}`;
      object = cache.get(key);
      if (object !== undefined) break;
      const entry = readEntry(at.pack, at.offset, this.#largest);
      const type = objectTypeOf(entry.type);
      if (type !== undefined) {
        object = { type, content: entry.content };
        cache.set(key, object, object.content.length + 200);
        break;
      }
      deltas.push({ key, content: entry.content });
      left -= entry.content.length;
      if (this.#judged !== undefined && (left < 0 || deltas.length > LONGEST_CHAIN)) throw this.#endless(pack);
      at = this.#baseOf(at.pack, at.offset, entry);
    }
    let built = 0;
    for (const delta of deltas.reverse()) {
      built += object.content.length;
      if (this.#judged !== undefined && built > MOST_BUILT) throw this.#endless(pack);
      object = { type: object.type, content: this.#apply(pack, object.content, delta.content) };
      cache.set(delta.key, object, object.content.length + 200);
    }
    return object;
  }

  #endless(pack: Pack): KeeperError {
    return hostile(this.directory, `an object in ${pack.name} is built of deltas without an end`);
  }

  #baseOf(pack: Pack, offset: number, entry: { type: number; distance: number; baseId: string | undefined }) {
    if (entry.type === ENTRY.offsetDelta && entry.distance > 0 && entry.distance < offset) {
      return { pack, offset: offset - entry.distance };
    }
    const base = entry.baseId === undefined ? undefined : this.find(entry.baseId);
    if (base !== undefined) return base;
    throw damaged(this.directory, `objects/pack/${pack.name}.pack`, `has a delta without a base at byte ${offset}`);
  }

  #apply(pack: Pack, base: Buffer, delta: Buffer): Buffer {
    try {
      return applyDelta(base, delta, this.#largest);
    } catch (error) {
      throw damaged(this.directory, `objects/pack/${pack.name}.pack`, 'has a broken delta', error);
    }
  }
}

function placeIn(pack: Pack, id: Buffer): Place | undefined {
  const index = indexOf(pack);
  const position = index.find(id);
  return position < 0 ? undefined : { pack, offset: index.offset(position) };
}

/** Throws ENOENT when the pack or its index is missing. */
export function openPack(directory: string, name: string, isKept: boolean): Pack {
  const path = join(directory, 'objects', 'pack', name);
  const pack = statSync(`${path}.pack`);
  const bytes = pack.size + statSync(`${path}.idx`).size;
  return describePack({
    name,
    repository: directory,
    path,
    bytes,
    packBytes: pack.size,
    modified: pack.mtimeMs,
    isKept,
  });
}

/** We write packs only; Git itself and people's commands leave loose objects. */
function readLoose(directory: string, id: ObjectId, largest = Number.POSITIVE_INFINITY): StoredObject | undefined {
  const file = `objects/${id.slice(0, 2)}/${id.slice(2)}`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, file));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const inflated = inflateSync(bytes, { maxOutputLength: Math.min(largest, constants.MAX_LENGTH) });
    const end = inflated.indexOf(0);
    const type = inflated.toString('latin1', 0, end).split(' ')[0];
    if (type !== 'commit' && type !== 'tree' && type !== 'blob' && type !== 'tag')
      throw new RangeError('No Git object');
    return { type, content: inflated.subarray(end + 1) };
  } catch (error) {
    if (errnoOf(error) === 'ERR_BUFFER_TOO_LARGE') throw hostile(directory, `${file} has more than ${largest} bytes`);
    throw damaged(directory, file, 'cannot be read', error);
  }
}

function looseIds(directory: string, prefix: string): ObjectId[] {
  try {
    const names = readdirSync(join(directory, 'objects', prefix.slice(0, 2)));
    return names
      .map((name) => prefix.slice(0, 2) + name)
      .filter((id) => /^[0-9a-f]{40}$/.test(id) && id.startsWith(prefix));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
