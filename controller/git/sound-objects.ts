import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ByteCache } from './byte-cache.ts';
import { contentProblem } from './check-object.ts';
import { damaged, errnoOf } from './errors.ts';
import type { FindingList } from './findings.ts';
import { KnownObjects, LOOSE, UNKNOWN } from './known-objects.ts';
import { looseObjects, readLoose, readNames } from './loose-objects.ts';
import { isObjectId, type ObjectId } from './object-id.ts';
import { ObjectStore, type StoredObject } from './object-store.ts';
import { describePack, forgetPack, type Pack } from './open-pack.ts';
import { readPackIndex, scanPack } from './scan-pack.ts';

export interface SoundObjectsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Packs without an index are read too: it may have been lost. Else they are what a killed writer left. */
  readonly withOrphans?: boolean;
  /** How many objects were looked at so far. */
  readonly onProgress?: ((objects: number) => void) | undefined;
}

const CACHE_BYTES = 32 * 1024 * 1024;
const PROGRESS_EVERY = 1000;
/** What nobody asks of these packs. */
const UNUSED = { bytes: 0, modified: 0, isKept: false };

/**
 * Every object of a repository that can be read and is what its id says, whatever else is broken. Only reads, also beside a
 * running writer: packs that it merges meanwhile are looked for under their new name.
 */
export class SoundObjects {
  readonly known = new KnownObjects();
  /** By the number that `known` has. */
  readonly packs: Pack[] = [];
  readonly #store: ObjectStore;
  readonly #findings: FindingList;
  readonly #options: SoundObjectsOptions;
  readonly #cache = new ByteCache<StoredObject>(CACHE_BYTES);
  #objects = 0;
  #hasLoose = false;

  constructor(directory: string, findings: FindingList, options: SoundObjectsOptions = {}) {
    this.#store = new ObjectStore(directory);
    this.#findings = findings;
    this.#options = options;
  }

  get directory(): string {
    return this.#store.directory;
  }

  /** How many entries were looked at. */
  get objects(): number {
    return this.#objects;
  }

  /** Reads what was not read before; answers whether there was anything. */
  async scan(): Promise<boolean> {
    const before = this.#objects;
    // What a writer merged while we read lies in a pack that came after we had looked.
    for (let isNew = true; isNew; ) {
      const { packs, hasVanished } = this.#newPacks();
      for (const pack of packs) await this.#scanPack(pack);
      isNew = packs.length > 0 || hasVanished;
    }
    if (!this.#hasLoose) for (const id of looseObjects(this.directory)) this.#takeLoose(id);
    this.#hasLoose = true;
    return this.#objects > before;
  }

  /** UNKNOWN for what is no id, too. */
  row(id: ObjectId): number {
    return isObjectId(id) ? this.known.rowOf(id) : UNKNOWN;
  }

  /** The content of a sound object by its row. Throws REPOSITORY_DAMAGED when it is damaged since, ENOENT when its pack was merged. */
  read(row: number): Buffer {
    const pack = this.known.pack(row);
    if (pack !== LOOSE)
      return this.#store.readPacked(this.packs[pack] as Pack, this.known.offset(row), this.#cache).content;
    const found = readLoose(this.directory, this.known.id(row));
    if (found === undefined) throw damaged(this.directory, `object ${this.known.id(row)}`, 'cannot be read');
    return found.content;
  }

  /** Gives back the open files. */
  close(): void {
    for (const pack of this.packs) forgetPack(pack);
  }

  #newPacks(): { readonly packs: readonly Pack[]; readonly hasVanished: boolean } {
    const known = new Set(this.packs.map((pack) => pack.name));
    const names = new Set(readNames(this.#store.packDirectory));
    const packs: Pack[] = [];
    let hasVanished = false;
    for (const file of names) {
      const name = /^(pack-[0-9a-f]{40})\.(?:idx|pack)$/.exec(file)?.[1];
      if (name === undefined || known.has(name)) continue;
      known.add(name);
      if (!names.has(`${name}.idx`) && this.#options.withOrphans !== true) continue;
      const path = join(this.#store.packDirectory, name);
      const size = statSync(`${path}.pack`, { throwIfNoEntry: false })?.size;
      if (size !== undefined)
        packs.push(describePack({ ...UNUSED, name, repository: this.directory, path, packBytes: size }));
      else if (!existsSync(`${path}.idx`)) hasVanished = true;
      else this.#findings.warning(`objects/pack/${name}.pack`, 'is missing beside its index');
    }
    return { packs, hasVanished };
  }

  async #scanPack(pack: Pack): Promise<void> {
    forgetPack(pack);
    const number = this.packs.push(pack) - 1;
    const scan = {
      store: this.#store,
      known: this.known,
      cache: this.#cache,
      findings: this.#findings,
      signal: this.#options.signal,
      onObject: () => this.#count(),
    };
    try {
      const index = readPackIndex(scan, pack);
      if (index !== undefined) this.#store.packs = [...this.#store.packs, pack];
      await scanPack(scan, { pack, number, index });
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || existsSync(`${pack.path}.pack`)) throw error;
    }
  }

  #count(): void {
    this.#objects += 1;
    if (this.#objects % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.#objects);
  }

  #takeLoose(id: ObjectId): void {
    this.#count();
    const object = readLoose(this.directory, id);
    if (object === undefined) {
      this.#findings.damage(`object ${id}`, 'cannot be read');
      return;
    }
    const problem = contentProblem(object.type, object.content);
    if (problem !== undefined) this.#findings.warning(`object ${id}`, problem);
    if (this.row(id) < 0)
      this.known.put(Buffer.from(id, 'hex'), { type: object.type, pack: LOOSE, offset: 0, length: 0 });
  }
}
