import { type Identity, parseSignature } from './commit-object.ts';
import { readCommit } from './commit-queue.ts';
import type { ObjectId } from './object-id.ts';
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

/** The tags that are on commits, the newest first. */
export function readTags(archive: Archive): readonly ReadTag[] {
  return [...archive.refs()]
    .filter(([ref]) => ref.startsWith(TAGS))
    .flatMap(([ref, id]) => readTag(archive, ref.slice(TAGS.length), id) ?? [])
    .sort((left, right) => right.time.getTime() - left.time.getTime() || (left.name < right.name ? -1 : 1));
}

function readTag(archive: Archive, name: string, start: ObjectId): ReadTag | undefined {
  const { store } = archive;
  const outer = store.read(start);
  let [id, object] = [start, outer];
  while (object.type === 'tag') {
    id = peelTag(object.content);
    object = store.read(id);
  }
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
