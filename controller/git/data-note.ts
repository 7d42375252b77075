import { type DataNote, parseNote } from '../core/data/record.ts';
import { noteAt } from './draft-note.ts';
import type { ObjectId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * What the note of a commit says of its volume data; `notes` is where `refs/notes/data` is. Anybody may have written it: throws
 * REPOSITORY_HOSTILE for one that no kubekeeper wrote and REPOSITORY_TOO_NEW for a later version's.
 */
export function readDataNote(store: ObjectStore, notes: ObjectId | undefined, commit: ObjectId): DataNote | undefined {
  const text = noteAt(store, notes, commit);
  return text === undefined ? undefined : parseNote(text, commit);
}
