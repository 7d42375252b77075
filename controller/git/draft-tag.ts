import type { Identity } from './commit-object.ts';
import { refused } from './errors.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';
import { requireRefName } from './ref-name.ts';
import { readRef } from './refs.ts';
import { renderTag } from './tag-object.ts';
import { addObject, type PackObjects } from './write-window.ts';

export interface TagOptions {
  readonly target: ObjectId;
  /** Kept exactly as given, ended with a line break. */
  readonly message: string;
  readonly tagger: Identity;
  readonly time: Date;
}

export interface TagDraft {
  readonly objects: PackObjects;
  readonly ref: string;
  readonly id: ObjectId;
}

/** An annotated tag, nothing written. Throws REQUEST_REFUSED for a name that is taken or none, and for a target that is not there. */
export function draftTag(store: ObjectStore, name: string, options: TagOptions): TagDraft {
  const ref = `refs/tags/${name}`;
  requireRefName(store.directory, ref);
  // Git's own commands would take it for an option.
  if (name.startsWith('-')) throw refused(store.directory, `a tag cannot be named "${name}"`);
  if (readRef(store.directory, ref) !== undefined)
    throw refused(store.directory, `the tag "${name}" exists, choose another name`);
  if (!store.has(options.target)) throw refused(store.directory, `object ${options.target} to be tagged is not there`);
  const objects: PackObjects = new Map();
  const { type } = store.read(options.target);
  const id = addObject(objects, 'tag', renderTag({ ...options, name, type }));
  return { objects, ref, id };
}
