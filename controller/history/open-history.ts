import { ARCHIVE_FILE, type ArchiveFile, parseArchiveFile } from '../core/archive-file.ts';
import { KeeperError } from '../errors.ts';
import { readCommit } from '../git/commit-queue.ts';
import type { ObjectId } from '../git/object-id.ts';
import { type Archive, openArchive } from '../git/open-archive.ts';
import { type DamagedTag, peelTags } from '../git/read-tag.ts';
import { fileIdAt } from './files.ts';

/** The history of one repository, to be read: ours beside a running archiver, or a clone that somebody gave us. */
export interface History extends Disposable {
  readonly archive: Archive;
  /** As the person named it: a namespace, `_cluster`, or an ended line. */
  readonly name: string;
  readonly head: ObjectId;
  /** HEAD's, which names every resource that was ever archived. */
  readonly file: ArchiveFile;
  readonly tags: ReadonlyMap<ObjectId, readonly string[]>;
  readonly damagedTags: readonly DamagedTag[];
}

/** `trusted`: the repository lies in our own data directory. Throws REPOSITORY_FOREIGN, REPOSITORY_DAMAGED or REPOSITORY_HOSTILE, and USAGE_INVALID for one without a commit. */
export async function openHistory(
  directory: string,
  name: string,
  options: { readonly trusted?: boolean } = {},
): Promise<History> {
  using opening = new DisposableStack();
  const archive = opening.use(await openArchive(directory, options));
  const { head } = archive;
  if (head === undefined)
    throw usage(`Nothing was committed to "${archive.directory}" yet; look again after the first archive`);
  const file = archiveFileAt(archive, head);
  const { byTarget: tags, damaged: damagedTags } = peelTags(archive);
  const open = opening.move();
  return { archive, name, head, file, tags, damagedTags, [Symbol.dispose]: () => open.dispose() };
}

/** What the tree of a commit says of itself. */
function archiveFileAt(archive: Archive, commit: ObjectId): ArchiveFile {
  const id = fileIdAt(archive, readCommit(archive.store, commit).tree, ARCHIVE_FILE);
  if (id === undefined)
    throw usage(`"${archive.directory}" has no ${ARCHIVE_FILE} at ${commit.slice(0, 10)}, so it is no archive`);
  return parseArchiveFile(archive.store.readAs('blob', id).toString(), archive.directory);
}

export function usage(message: string): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'USAGE_INVALID' });
}
