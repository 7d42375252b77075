import { ARCHIVE_FILE, parseArchiveFile } from '../core/archive-file.ts';
import { KeeperError } from '../errors.ts';
import { archiveFileAt } from './archive-file-at.ts';
import type { CheckedRefs } from './check-refs.ts';
import type { ObjectId } from './object-id.ts';
import type { SoundObjects } from './sound-objects.ts';
import { TreeCursor } from './tree-cursor.ts';
import { commitOf, type WholeHistory } from './whole-history.ts';

/** Questions about the commits of a damaged repository, of which any may be missing. */

export interface SalvageSource {
  readonly objects: SoundObjects;
  readonly whole: WholeHistory;
  readonly refs: CheckedRefs;
  /** Reads what the new repository holds already; undefined for anything else. */
  readonly readElsewhere: (id: ObjectId) => Buffer | undefined;
}

export function descendsFrom(source: SalvageSource, id: ObjectId, ancestor: ObjectId): boolean {
  const seen = new Set<ObjectId>();
  const open = [id];
  for (let commit = open.pop(); commit !== undefined; commit = open.pop()) {
    if (commit === ancestor) return true;
    if (seen.has(commit)) continue;
    seen.add(commit);
    open.push(...(readCommit(source, commit)?.parents ?? []));
  }
  return false;
}

/** The newest commit among a commit and its ancestors that is whole. */
export async function newestWhole(
  source: SalvageSource,
  start: ObjectId,
  accepts: (id: ObjectId) => boolean = () => true,
): Promise<ObjectId | undefined> {
  const seen = new Set<ObjectId>();
  const open = [start];
  while (open.length > 0) {
    const id = newest(source, open) ?? (open[0] as ObjectId);
    open.splice(open.indexOf(id), 1);
    if (seen.has(id)) continue;
    seen.add(id);
    if ((await source.whole.has(id)) && accepts(id)) return id;
    open.push(...(readCommit(source, id)?.parents ?? []));
  }
  return undefined;
}

export function newest(source: SalvageSource, commits: readonly ObjectId[]): ObjectId | undefined {
  let [found, foundAt]: [ObjectId | undefined, number] = [undefined, Number.NEGATIVE_INFINITY];
  for (const id of commits) {
    const time = readCommit(source, id)?.time.getTime() ?? Number.NEGATIVE_INFINITY;
    if (time > foundAt) [found, foundAt] = [id, time];
  }
  return found;
}

function readCommit(source: SalvageSource, id: ObjectId): ReturnType<typeof commitOf> {
  const row = source.objects.row(id);
  const content = row < 0 ? source.readElsewhere(id) : source.objects.read(row);
  return content === undefined ? undefined : commitOf(content);
}

/** Whole commits that no whole commit goes on from. */
export async function findTips({ objects, whole }: SalvageSource): Promise<ObjectId[]> {
  const { known } = objects;
  const parents = new Set<ObjectId>();
  const commits: ObjectId[] = [];
  // The newest were written last: asked first, they settle their ancestors on the way.
  for (let row = known.count - 1; row >= 0; row--) {
    if (known.type(row) !== 'commit' || !(await whole.has(known.id(row)))) continue;
    commits.push(known.id(row));
    for (const parent of commitOf(objects.read(row))?.parents ?? []) parents.add(parent);
  }
  return commits.filter((id) => !parents.has(id));
}

/** What a commit says of itself. What the new repository got elsewhere was asked there. */
export function archiveOf({ objects }: SalvageSource, id: ObjectId): 'known' | 'broken' | 'none' {
  const text = objects.row(id) < 0 ? undefined : archiveFileAt(objects, id);
  if (text === undefined) return 'known';
  if (text === '') return 'none';
  try {
    parseArchiveFile(text, ARCHIVE_FILE);
    return 'known';
  } catch (error) {
    if (!(error instanceof KeeperError)) throw error;
    // A newer format is nothing to step back from: whoever opens it must refuse.
    return error.code === 'REPOSITORY_TOO_NEW' ? 'known' : 'broken';
  }
}

/** Notes are a tree whose paths are the ids of what they are about. */
export function isNotes({ objects }: SalvageSource, id: ObjectId): boolean {
  const tree = commitOf(objects.read(objects.row(id)))?.tree;
  const row = tree === undefined ? -1 : objects.row(tree);
  if (row < 0) return false;
  const raw = objects.read(row);
  for (const entry = new TreeCursor(raw); entry.next(); ) {
    if (!/^(?:[0-9a-f]{2}|[0-9a-f]{38}|[0-9a-f]{40})$/.test(entry.name)) return false;
  }
  return raw.length > 0;
}
