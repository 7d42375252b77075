import type { Breath } from './breathe.ts';
import { parseCommit } from './commit-object.ts';
import { linkVersions } from './link-versions.ts';
import { type MergeTable, NONE } from './merge-table.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { ENTRY } from './pack-format.ts';
import type { Merge } from './read-merge-table.ts';
import { diffTreeContents, type EntryChange } from './tree-diff.ts';

/** New files of one directory are compared with one neighbour of a similar size, in groups of this many. */
const GROUP = 16;

const NOTHING = Buffer.alloc(0);

/**
 * Finds for each file and directory the version before it, by walking the commits of the packs that are merged into the
 * oldest one; that one is copied as it is once it was consolidated itself, so a plan costs what is new.
 */
export async function planDeltas(store: ObjectStore, merge: Merge, breath: Breath): Promise<void> {
  const { table, rows, hasDeltas } = merge;
  for (const [number, own] of rows.entries()) {
    if (number === 0 && hasDeltas[0]) continue;
    for (const row of own) {
      if (table.type[row] === ENTRY.commit) await planCommit(store, table, table.id(row), breath);
      await breath.take();
    }
  }
}

async function planCommit(store: ObjectStore, table: MergeTable, id: ObjectId, breath: Breath): Promise<void> {
  const commit = parseCommit(store.readAs('commit', id));
  const [parent] = commit.parents;
  const before = parent === undefined ? undefined : parseCommit(store.readAs('commit', parent)).tree;
  await planTree(store, table, before, commit.tree, breath);
}

async function planTree(
  store: ObjectStore,
  table: MergeTable,
  before: ObjectId | undefined,
  after: ObjectId,
  breath: Breath,
): Promise<void> {
  const row = rowOf(table, after);
  if (before === after || row === NONE) return;
  if (before !== undefined) linkVersions(table, row, rowOf(table, before));
  const old = before === undefined ? NOTHING : store.readAs('tree', before);
  const changes = diffTreeContents(old, store.readAs('tree', after));
  planBlobs(table, changes);
  for (const change of changes) {
    await breath.take();
    if (change.after?.directory) await planTree(store, table, change.before?.id, change.after.id, breath);
  }
}

function planBlobs(table: MergeTable, changes: readonly EntryChange[]): void {
  const added: number[] = [];
  for (const { before, after } of changes) {
    if (after === undefined || after.directory) continue;
    const row = rowOf(table, after.id);
    if (row === NONE || table.base[row] !== NONE) continue;
    if (before === undefined) added.push(row);
    else linkVersions(table, row, rowOf(table, before.id));
  }
  added.sort((a, b) => (table.size[b] as number) - (table.size[a] as number));
  for (let i = 0; i < added.length; i++) {
    if (i % GROUP !== 0) linkVersions(table, added[i] as number, added[i - (i % GROUP)] as number);
  }
}

function rowOf(table: MergeTable, id: ObjectId): number {
  return table.rowOf(Buffer.from(id, 'hex'));
}
