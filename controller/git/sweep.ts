import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommit } from './commit-object.ts';
import { filesIn } from './directory-tree.ts';
import { removeFile, syncDirectory } from './durable-file.ts';
import { damaged, errnoOf } from './errors.ts';
import type { BranchState } from './load-branch.ts';
import { isObjectId, type ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { indexOf, type Pack, readHeader } from './open-pack.ts';
import { ENTRY } from './pack-format.ts';
import { listRefs, lockPath } from './refs.ts';
import { removePacks } from './remove-pack.ts';
import { isSpill } from './spill.ts';

/**
 * Removes what a writer that was killed left in `objects/pack`: temporary files, packs without an index, marks without
 * a pack. A pack whose index was lost looks the same as one that was never finished, so the history must be whole without it.
 */
export async function sweepPackDirectory(store: ObjectStore, state: BranchState): Promise<void> {
  const names = new Set(readdirSync(store.packDirectory));
  const leftovers: string[] = [];
  for (const name of names) {
    const [base, suffix] = name.split('.') as [string, string | undefined];
    const isOrphan = suffix === 'pack' && !names.has(`${base}.idx`);
    const isOrphanMark = suffix === 'keep' && !names.has(`${base}.idx`) && isSpill(join(store.packDirectory, base));
    if (isOrphan && !isWhole(store, state)) {
      throw damaged(store.directory, `objects/pack/${name}`, 'has no index and holds objects that are missed');
    }
    if (name.startsWith('tmp_') || isOrphan || isOrphanMark) leftovers.push(name);
  }
  for (const name of leftovers) await removeFile(join(store.packDirectory, name));
}

function isWhole(store: ObjectStore, state: BranchState): boolean {
  for (const { id } of filesIn(state.tree)) if (!store.has(id)) return false;
  const seen = new Set<ObjectId>();
  const open = [...listRefs(store.directory).values()];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (!store.has(id)) return false;
    const { type, content } = store.read(id);
    if (type !== 'commit') continue;
    const { tree, parents } = parseCommit(content);
    if (!store.has(tree)) return false;
    open.push(...parents);
  }
  return true;
}

/**
 * Removes the lock of a writer that was killed, and the pack of the commit that it was about to publish. The lock names
 * that commit; it is thrown away only when it follows the branch's head and no ref names it, so nothing can need it.
 */
export async function sweepLock(store: ObjectStore, head: ObjectId | undefined): Promise<void> {
  const path = lockPath(store.directory);
  const id = readLock(path);
  if (id === undefined) return;
  const place = isObjectId(id) && id !== head ? store.find(id) : undefined;
  if (place !== undefined && isUnpublished(store, place.pack, id, head)) {
    store.replace(new Set([place.pack.name]));
    await removePacks(store.packDirectory, [place.pack]);
  }
  await removeFile(path);
  await syncDirectory(join(store.directory, 'refs', 'heads'));
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isUnpublished(store: ObjectStore, pack: Pack, id: ObjectId, head: ObjectId | undefined): boolean {
  const { parents } = parseCommit(store.readAs('commit', id));
  if (parents.length !== (head === undefined ? 0 : 1) || parents[0] !== head) return false;
  return countCommits(pack, 2) === 1 && ![...listRefs(store.directory).values()].includes(id);
}

/** Counts up to `limit`; a delta counts as many, since only consolidated packs have them. */
export function countCommits(pack: Pack, limit: number): number {
  const index = indexOf(pack);
  let commits = 0;
  for (let position = 0; position < index.count && commits < limit; position++) {
    const { type } = readHeader(pack, index.offset(position));
    if (type === ENTRY.commit) commits += 1;
    else if (type === ENTRY.offsetDelta || type === ENTRY.referenceDelta) return limit;
  }
  return commits;
}

/** Settles the spills of a process that is gone: those that HEAD uses become ordinary packs, the rest is removed. */
export async function sweepSpills(store: ObjectStore, state: BranchState): Promise<void> {
  const spills = store.packs.filter((pack) => pack.isKept && isSpill(pack.path));
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
