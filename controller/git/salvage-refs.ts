import type { CheckedRefs } from './check-refs.ts';
import { NOTES } from './notes.ts';
import type { ObjectId } from './object-id.ts';
import { MAIN } from './refs.ts';
import {
  archiveOf,
  descendsFrom,
  findTips,
  isNotes,
  newest,
  newestWhole,
  type SalvageSource,
} from './salvage-source.ts';

/** Where each ref of a damaged repository can lead: to what is whole, as near as possible to where it led. */

export const TAGS = 'refs/tags/';
export const REMOTES = 'refs/remotes/';
const TRACKING = 'refs/remotes/origin/main';

export interface ChosenRefs {
  /** By full name, what can be kept. */
  readonly chosen: ReadonlyMap<string, ObjectId>;
  /** There are commits, and none of them says that it is an archive. */
  readonly isForeign: boolean;
}

/** Without a main, here or in the new repository (`hasMain`), nothing is kept: what is left would be about nothing. */
export async function chooseRefs(source: SalvageSource, hasMain: boolean): Promise<ChosenRefs> {
  const chosen = new Map<string, ObjectId>();
  const keep = (name: string, id: ObjectId | undefined) => (id === undefined ? chosen : chosen.set(name, id));
  const tips = await findTips(source);
  const main = await chooseMain(source, tips);
  keep(MAIN, main);
  for (const [name, id] of source.refs.refs) {
    if (name === MAIN) continue;
    if (name.startsWith(TAGS)) keep(name, (await source.whole.hasTag(id)) ? id : undefined);
    // Where we left a remote is known exactly or not at all.
    else if (name.startsWith(REMOTES)) keep(name, (await source.whole.has(id)) ? id : undefined);
    else keep(name, await newestWhole(source, id));
  }
  const hadNotes = source.refs.refs.has(NOTES) || isLost(source.refs, NOTES);
  const notes = tips.filter((id) => isNotes(source, id));
  if (hadNotes && !chosen.has(NOTES)) keep(NOTES, newest(source, notes));
  for (const [name, id] of await lostTags(source)) if (!chosen.has(name)) keep(name, id);
  if (main === undefined && !hasMain) chosen.clear();
  const isForeign = main === undefined && tips.some((id) => !notes.includes(id) && archiveOf(source, id) === 'none');
  return { chosen, isForeign };
}

/** A ref whose file is broken, or any where the refs as such are lost. */
function isLost({ refs, broken }: CheckedRefs, name: string): boolean {
  return refs.size === 0 || broken.has(name) || broken.has('packed-refs');
}

/**
 * The branch's own ancestry first, or what goes on from there and nothing else names: the branch may have been lost beside an older
 * packed-refs. Where the ancestry is torn, the newest commit that the torn part could have grown from.
 */
async function chooseMain(source: SalvageSource, tips: readonly ObjectId[]): Promise<ObjectId | undefined> {
  const head = source.refs.refs.get(MAIN);
  const named = new Set(source.refs.refs.values());
  const archives = tips.filter((id) => archiveOf(source, id) === 'known');
  const unnamed = archives.filter((id) => !named.has(id));
  const own =
    head === undefined ? undefined : await newestWhole(source, head, (id) => archiveOf(source, id) === 'known');
  if (own === undefined) return await chooseRoot(source, unnamed.length > 0 ? unnamed : archives);
  const later = unnamed.filter((id) => descendsFrom(source, id, own));
  return newest(source, later) ?? own;
}

/** Where the branch leads to nothing: the newest of what nothing goes on from, or where the remote was left. */
async function chooseRoot(source: SalvageSource, tips: readonly ObjectId[]): Promise<ObjectId | undefined> {
  const left = source.refs.refs.get(TRACKING);
  const pushed = left === undefined ? undefined : await newestWhole(source, left);
  return newest(source, pushed === undefined ? tips : [...tips, pushed]);
}

/** An annotated tag knows its own name. */
async function lostTags({ objects, whole, refs }: SalvageSource): Promise<Map<string, ObjectId>> {
  const tags = new Map<string, ObjectId>();
  if (refs.broken.size === 0 && refs.refs.size > 0) return tags;
  const { known } = objects;
  for (let row = 0; row < known.count; row++) {
    if (known.type(row) !== 'tag') continue;
    const name = /^tag (.+)$/m.exec(objects.read(row).toString())?.[1];
    const ref = `${TAGS}${name}`;
    if (name !== undefined && isLost(refs, ref) && (await whole.hasTag(known.id(row)))) tags.set(ref, known.id(row));
  }
  return tags;
}
