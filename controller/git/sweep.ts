import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reachable } from './ancestry.ts';
import { parseCommit } from './commit-object.ts';
import { filesIn } from './directory-tree.ts';
import { removeFile } from './durable-file.ts';
import { damaged, errnoOf } from './errors.ts';
import type { BranchState } from './load-branch.ts';
import { MissingObjects } from './missing-objects.ts';
import { EMPTY_TREE, isObjectId, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { indexOf, type Pack, readHeader } from './open-pack.ts';
import { ENTRY } from './pack-format.ts';
import { markOf } from './pack-mark.ts';
import { filesBelow, listRefs, readRef } from './refs.ts';
import { removePacks } from './remove-pack.ts';
import { peelTag } from './tag-object.ts';

/**
 * Removes what a writer that was killed left in `objects/pack`: temporary files, packs without an index, marks without
 * a pack. A pack whose index was lost looks the same as one that was never finished, so the history must be whole without
 * it. The temporaries go first: after that nobody can give a pack its index any more (`FencedFile`).
 */
export async function sweepPackDirectory(store: ObjectStore): Promise<void> {
  const isTemporary = (name: string) => name.startsWith('tmp_');
  for (const name of readdirSync(store.packDirectory).filter(isTemporary)) await removeLeftover(store, name);
  const names = new Set(readdirSync(store.packDirectory));
  const leftovers: string[] = [];
  for (const name of names) {
    const [base, suffix] = name.split('.') as [string, string | undefined];
    if (names.has(`${base}.idx`)) continue;
    const isOrphan = suffix === 'pack' && !isTemporary(name);
    if (isOrphan && !(await isWhole(store))) {
      throw damaged(store.directory, `objects/pack/${name}`, 'has no index and holds objects that are missed');
    }
    const isOrphanMark = suffix === 'keep' && markOf(join(store.packDirectory, base)) !== undefined;
    if (isOrphan || isOrphanMark) leftovers.push(name);
  }
  for (const name of leftovers) await removeLeftover(store, name);
}

async function removeLeftover(store: ObjectStore, name: string): Promise<void> {
  await removeFile(join(store.packDirectory, name));
}

/**
 * An index without its pack is what a power cut may leave of a pack that was being removed, or that was never finished; then all
 * that refs lead to is there without it. Otherwise the pack is lost, and that is damage. Removed only by the writer.
 */
export async function settleLostPacks(
  store: ObjectStore,
  state: BranchState | undefined,
  readOnly: boolean,
): Promise<void> {
  const [lost] = store.lostPacks;
  if (lost === undefined) return;
  if (state === undefined || !(await isWhole(store))) {
    throw damaged(store.directory, `objects/pack/${lost}.pack`, 'is missing beside its index');
  }
  if (readOnly) return;
  for (const name of store.lostPacks) await removeLeftover(store, `${name}.idx`);
  store.rescan();
}

/** Everything that refs lead to: what lost its index may hold old contents alone. */
async function isWhole(store: ObjectStore): Promise<boolean> {
  const search = new MissingObjects(store);
  const seen = new Set<ObjectId>();
  const open = [...listRefs(store.directory).values()];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (!store.has(id)) return false;
    const { type, content } = store.read(id);
    if (type === 'tag') open.push(peelTag(content));
    const commit = type === 'commit' ? parseCommit(content) : { tree: type === 'tree' ? id : EMPTY_TREE, parents: [] };
    if ((await search.of(commit)) !== undefined) return false;
    open.push(...commit.parents);
  }
  return true;
}

/** Git's own lock of packed-refs, and the file it is written to meanwhile. */
const PACKED_LEFTOVERS = ['packed-refs.lock', 'packed-refs.new'];

/**
 * Removes the locks of a writer that was killed, and the packs of the commits that it was about to publish. One that a power
 * cut brings back is removed again.
 */
export async function sweepLocks(store: ObjectStore): Promise<void> {
  const { directory } = store;
  const locks = [...filesBelow(directory, 'refs')].filter((name) => name.endsWith('.lock'));
  for (const name of locks) {
    await removeUnpublished(store, name);
    await removeFile(join(directory, name));
  }
  for (const name of PACKED_LEFTOVERS) await removeFile(join(directory, name));
}

/** A lock names the commit that its ref was to be moved to. */
async function removeUnpublished(store: ObjectStore, lock: string): Promise<void> {
  const id = readLockedId(join(store.directory, lock));
  const place = isObjectId(id) ? store.find(id) : undefined;
  if (place === undefined || !isUnpublished(store, place.pack, id, lock.slice(0, -'.lock'.length))) return;
  store.replace(new Set([place.pack.name]));
  await removePacks(store.packDirectory, [place.pack]);
}

/** '' for one that its writer, who is ending, has taken back since we looked. */
function readLockedId(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** It follows what the ref is at and no ref leads to it, so nothing can need it, nor what was written with it. */
function isUnpublished(store: ObjectStore, pack: Pack, id: ObjectId, ref: string): boolean {
  const { type, content } = store.read(id);
  if (type !== 'commit' || parseCommit(content).parents[0] !== readRef(store.directory, ref)) return false;
  if (countCommits(pack, 2) !== 1) return false;
  for (const each of reachable(store, listRefs(store.directory).values())) if (each === id) return false;
  return true;
}

/** Counts up to `limit`; a delta counts as many, since only consolidated packs have them. */
function countCommits(pack: Pack, limit: number): number {
  const index = indexOf(pack);
  let commits = 0;
  for (let position = 0; position < index.count && commits < limit; position++) {
    const { type } = readHeader(pack, index.offset(position));
    if (type === ENTRY.commit) commits += 1;
    else if (type === ENTRY.offsetDelta || type === ENTRY.referenceDelta) return limit;
  }
  return commits;
}

/** Whether a pack holds a commit that follows another one, or was consolidated, as only packs with a history are. */
export function hasHistory(store: ObjectStore, pack: Pack): boolean {
  const index = indexOf(pack);
  for (let position = 0; position < index.count; position++) {
    const { type } = readHeader(pack, index.offset(position));
    if (type === ENTRY.offsetDelta || type === ENTRY.referenceDelta) return true;
    if (type !== ENTRY.commit) continue;
    if (parseCommit(store.readPacked(pack, index.offset(position)).content).parents.length > 0) return true;
  }
  return false;
}

/** Settles the spills of a process that is gone: those that HEAD uses become ordinary packs, the rest is removed. */
export async function sweepSpills(store: ObjectStore, state: BranchState): Promise<void> {
  const spills = store.packs.filter((pack) => pack.isKept && markOf(pack.path) === 'spill');
  if (spills.length === 0) return;
  const unused = new Set(spills);
  for (const { id } of filesIn(state.tree)) {
    const bytes = Buffer.from(id, 'hex');
    for (const pack of unused) if (indexOf(pack).find(bytes) >= 0) unused.delete(pack);
    if (unused.size === 0) break;
  }
  for (const pack of spills) if (!unused.has(pack)) await removeFile(`${pack.path}.keep`);
  store.replace(new Set([...unused].map((pack) => pack.name)));
  await removePacks(store.packDirectory, unused);
  store.rescan();
}
