import { isAncestor, reachable } from './ancestry.ts';
import { checkRefs } from './check-refs.ts';
import { copyObjects } from './copy-objects.ts';
import { FindingList, type Findings } from './findings.ts';
import type { ObjectId } from './object-id.ts';
import { ObjectStore } from './object-store.ts';
import { forgetPack } from './open-pack.ts';
import { MAIN } from './refs.ts';
import { chooseRefs, REMOTES, TAGS } from './salvage-refs.ts';
import { SoundObjects } from './sound-objects.ts';
import { TreeCursor } from './tree-cursor.ts';
import { updateRef } from './update-ref.ts';
import { commitOf, targetOf, WholeHistory } from './whole-history.ts';

/** A bit of `known.marks`, besides those of other walks. */
const WANTED = 8;

export interface Salvaged {
  /** Where `main` of the new repository is now. */
  readonly head: ObjectId | undefined;
  /** In its history. */
  readonly commits: number;
  /** There are commits, and none of them is an archive: somebody else's repository. */
  readonly isForeign: boolean;
  /** What was wrong with the damaged one. */
  readonly findings: Findings;
}

/**
 * Copies what is sound of a damaged repository into another one: of each ref the newest commit that is whole with all its
 * ancestors, tags, notes. `target` must be open nowhere; it is new and empty, or holds what its remote had, whose objects fill
 * holes and on whose history what was not sent goes on. The damaged one is only read.
 */
export async function salvage(
  damaged: string,
  target: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Salvaged> {
  const findings = new FindingList();
  const objects = new SoundObjects(damaged, findings, { ...options, withOrphans: true });
  const store = new ObjectStore(target);
  try {
    await objects.scan();
    store.rescan();
    const isElsewhere = (id: ObjectId) => store.has(id);
    const source = {
      objects,
      whole: new WholeHistory(objects, isElsewhere),
      refs: checkRefs(damaged),
      readElsewhere: (id: ObjectId) => (store.has(id) ? store.read(id).content : undefined),
    };
    const { chosen, isForeign } = await chooseRefs(source, checkRefs(target).refs.has(MAIN));
    await copyObjects(objects, closureOf(objects, chosen.values(), isElsewhere), store.packDirectory);
    store.rescan();
    const head = await moveRefs(store, chosen);
    const commits = head === undefined ? 0 : countCommits(store, head);
    return { head, commits, isForeign, findings: findings.finish({ objects: objects.objects, commits }) };
  } finally {
    objects.close();
    for (const pack of store.packs) forgetPack(pack);
  }
}

/** Rows of everything that these lead to and that is not elsewhere. */
function closureOf(
  objects: SoundObjects,
  tips: Iterable<ObjectId>,
  isElsewhere: (id: ObjectId) => boolean,
): Uint32Array {
  const { known } = objects;
  const open: number[] = [];
  let count = 0;
  const want = (row: number) => {
    const mark = row < 0 ? WANTED : (known.marks[row] as number);
    if ((mark & WANTED) !== 0 || isElsewhere(known.id(row))) return;
    known.marks[row] = mark | WANTED;
    count += 1;
    if (known.type(row) !== 'blob') open.push(row);
  };
  for (const id of tips) want(objects.row(id));
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    const content = objects.read(row);
    if (known.type(row) === 'tree') {
      for (const entry = new TreeCursor(content); entry.next(); ) want(known.rowAt(content, entry.idAt));
    } else if (known.type(row) === 'tag') want(objects.row(targetOf(content) ?? ''));
    else {
      const { tree, parents } = commitOf(content) ?? { tree: '', parents: [] };
      for (const id of [tree, ...parents]) want(objects.row(id));
    }
  }
  const rows = new Uint32Array(count);
  for (let row = 0, at = 0; row < known.count; row++)
    if (((known.marks[row] as number) & WANTED) !== 0) rows[at++] = row;
  return rows;
}

/** Of two histories the longer one counts; where they part, ours, whose commits nobody else has. */
async function moveRefs(store: ObjectStore, chosen: ReadonlyMap<string, ObjectId>): Promise<ObjectId | undefined> {
  const { refs } = checkRefs(store.directory);
  const ours = chosen.get(MAIN);
  const theirs = refs.get(MAIN);
  const isBehind = ours === undefined || (theirs !== undefined && isAncestor(store, ours, theirs));
  const head = isBehind ? theirs : ours;
  for (const [name, id] of chosen) {
    const from = refs.get(name);
    if (from === id || (name === MAIN && isBehind)) continue;
    if (name.startsWith(TAGS) && from !== undefined) continue;
    if (name.startsWith(REMOTES) && (from !== undefined || !isPast(store, id, head))) continue;
    if (from !== undefined && isAncestor(store, id, from)) continue;
    await updateRef(store.directory, name, { from, to: id });
  }
  return head;
}

/** Where a remote was left is an ancestor of ours; what we lost since cannot be told from what others did. */
function isPast(store: ObjectStore, id: ObjectId, head: ObjectId | undefined): boolean {
  return head !== undefined && isAncestor(store, id, head);
}

function countCommits(store: ObjectStore, head: ObjectId): number {
  let commits = 0;
  for (const _ of reachable(store, [head])) commits += 1;
  return commits;
}
