import { ARCHIVE_FILE, type ArchiveFile, parseArchiveFile } from '../core/archive-file.ts';
import type { ObjectChange } from '../core/message.ts';
import { touch, type Window } from '../core/window.ts';
import { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';

/** What is known of a staged change until its window closes; the bytes lie in the repository's own stage. */
export interface PendingChange extends ObjectChange {
  /** A complete list did not name it: taken for deleted by inference, so a sweep too large is held. */
  readonly swept?: boolean;
  /** The API version that the object came through. */
  readonly version?: string;
  /** The file holds sealed values. */
  readonly sealed?: boolean;
}

/** One repository and the state of its open window: no object's body is kept. */
export class Space implements AsyncDisposable {
  readonly name: string;
  readonly repository: Repository;
  readonly pending = new Map<string, PendingChange>();
  /** HEAD's own description; undefined before the first commit. */
  file: ArchiveFile | undefined;
  namespaceUid: string | undefined;
  window: Window | undefined;
  /** Deletions that were held last, so that they are reported once. */
  heldDeletions = 0;
  readonly #uids = new Map<string, number>();

  constructor(name: string, repository: Repository, file: ArchiveFile | undefined) {
    this.name = name;
    this.repository = repository;
    this.file = file;
    this.namespaceUid = file?.namespace?.uid;
  }

  /** The blob at `path` as the next commit would have it. */
  currentId(path: string): string | undefined {
    const staged = this.repository.stagedId(path);
    return staged === undefined ? this.repository.fileId(path) : (staged ?? undefined);
  }

  /** Remembers which object has the path; true when it was another one before. Four bytes of the uid are enough to tell. */
  noteUid(path: string, uid: string | undefined): boolean {
    if (uid === undefined) return false;
    const mark = Number.parseInt(uid.slice(0, 8), 16);
    const before = this.#uids.get(path);
    this.#uids.set(path, mark);
    return before !== undefined && before !== mark;
  }

  stage(path: string, text: string, change: PendingChange, now: number): void {
    this.repository.stage(path, text);
    this.#keep(path, change, now);
  }

  stageDeletion(path: string, change: PendingChange, now: number): void {
    this.repository.stageDeletion(path);
    this.#keep(path, change, now);
  }

  /** Takes a staged change back, so that the next commit leaves the path as HEAD has it. */
  unstage(path: string): void {
    this.repository.unstage(path);
    this.pending.delete(path);
  }

  /** The repository forgets a change that leads back to HEAD's bytes, and so do we. */
  #keep(path: string, change: PendingChange, now: number): void {
    if (this.repository.stagedId(path) === undefined) {
      this.pending.delete(path);
      return;
    }
    this.pending.set(path, change);
    this.window = touch(this.window, now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]();
  }
}

/** Wraps an open repository; refuses one of a newer format, or one that holds something else, before anything is written. */
export async function openSpace(name: string, repository: Repository): Promise<Space> {
  const text = await repository.readFile(ARCHIVE_FILE);
  if (text !== undefined) return new Space(name, repository, parseArchiveFile(text.toString(), repository.directory));
  if (repository.head === undefined) return new Space(name, repository, undefined);
  throw new KeeperError(
    `Cannot archive into "${repository.directory}": it has commits and no ${ARCHIVE_FILE}, so kubekeeper did not make it; nothing was changed, move it away or use another --data-dir`,
    { kind: 'invalid-input', code: 'REPOSITORY_FOREIGN' },
  );
}
