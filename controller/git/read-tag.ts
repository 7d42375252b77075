import { KeeperError } from '../errors.ts';
import { type Identity, parseSignature } from './commit-object.ts';
import { readCommit } from './commit-queue.ts';
import type { ObjectId } from './object-id.ts';
import type { StoredObject } from './object-store.ts';
import type { Archive } from './open-archive.ts';
import { peelTag } from './tag-object.ts';

/** A tag of a repository. A light one has no tagger and no message, and the time of its commit. */
export interface ReadTag {
  /** Below `refs/tags/`. */
  readonly name: string;
  readonly commit: ObjectId;
  readonly time: Date;
  readonly tagger: Identity | undefined;
  /** '' of a light one. */
  readonly message: string;
}

const TAGS = 'refs/tags/';

/** A tag that leads to what cannot be read. All others can be used, and the history without it. */
export interface DamagedTag {
  readonly name: string;
  /** 'object 1a2b... is missing'. */
  readonly problem: string;
}

export interface PeeledTags {
  /** Names, sorted, by the object that each is on in the end. */
  readonly byTarget: ReadonlyMap<ObjectId, readonly string[]>;
  readonly damaged: readonly DamagedTag[];
}

/** Throws REPOSITORY_HOSTILE for a tag that nobody honest wrote. */
export function peelTags(archive: Archive): PeeledTags {
  const byTarget = new Map<ObjectId, string[]>();
  const damaged: DamagedTag[] = [];
  for (const [name, start] of tagRefs(archive)) {
    try {
      const { id } = peel(archive, start);
      byTarget.set(id, [...(byTarget.get(id) ?? []), name].sort());
    } catch (error) {
      damaged.push({ name, problem: problemOf(error) });
    }
  }
  return { byTarget, damaged };
}

/** The tags that are on commits, the newest first, without those that are damaged. */
export function readTags(archive: Archive): readonly ReadTag[] {
  const damaged = new Set(peelTags(archive).damaged.map(({ name }) => name));
  return [...tagRefs(archive)]
    .filter(([name]) => !damaged.has(name))
    .flatMap(([name, id]) => readTag(archive, name, id) ?? [])
    .sort((left, right) => right.time.getTime() - left.time.getTime() || (left.name < right.name ? -1 : 1));
}

function* tagRefs(archive: Archive): Generator<readonly [name: string, id: ObjectId]> {
  for (const [ref, id] of archive.refs()) if (ref.startsWith(TAGS)) yield [ref.slice(TAGS.length), id];
}

function peel({ store }: Archive, start: ObjectId): { readonly id: ObjectId; readonly object: StoredObject } {
  let id = start;
  let object = store.read(id);
  while (object.type === 'tag') {
    id = peelTag(object.content);
    object = store.read(id);
  }
  return { id, object };
}

function problemOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is no tag that Git writes';
  if (!(error instanceof KeeperError) || error.code !== 'REPOSITORY_DAMAGED') throw error;
  return `${error.details['file']} ${error.details['problem']}`;
}

function readTag(archive: Archive, name: string, start: ObjectId): ReadTag | undefined {
  const { store } = archive;
  const outer = store.read(start);
  const { id, object } = peel(archive, start);
  if (object.type !== 'commit') return undefined;
  const light = { name, commit: id, time: readCommit(store, id).time, tagger: undefined, message: '' };
  if (outer.type !== 'tag') return light;
  const text = outer.content.toString('utf8');
  const end = text.indexOf('\n\n');
  const headers = end < 0 ? text : text.slice(0, end);
  const signature = parseSignature(/^tagger (.*)$/m.exec(headers)?.[1]);
  const message = end < 0 ? '' : text.slice(end + 2);
  return signature === undefined
    ? { ...light, message }
    : { ...light, message, time: signature.time, tagger: signature.identity };
}
