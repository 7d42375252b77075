import { ARCHIVE_FILE, type ArchiveFile, parseArchiveFile } from '../core/archive-file.ts';
import type { ObjectChange } from '../core/message.ts';
import { touch, type Window } from '../core/window.ts';
import { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import { SpaceLine } from './lines-space.ts';
import { Users } from './lines-users.ts';

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
  /** As last seen in the cluster. */
  namespaceUid: string | undefined;
  /** Whose history it is. */
  readonly line = new SpaceLine(() => this.file);
  /** Whoever is at work with it: it is not closed meanwhile. */
  readonly users = new Users();
  window: Window | undefined;
  /** Deletions taken out of the window until a person agrees or the objects come back. */
  readonly held = new Map<string, PendingChange>();
  /** As many were held when it was last reported. */
  heldReported = 0;
  /** Snapshots of its volumes that the next commit asks for; where no object changed, one is made for them. */
  snapshots: 'as-usual' | 'due' | 'forced' = 'as-usual';
  /** After a write that failed: not before this moment, on the monotonic clock. */
  retryAt: number | undefined;
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
    const mark = markOf(uid);
    const before = this.#uids.get(path);
    this.#uids.set(path, mark);
    if (before !== mark) this.line.newcomers++;
    return before !== undefined && before !== mark;
  }

  /** Is it another object than the one that has the path, as far as that is known? */
  isOther(path: string, uid: string | undefined): boolean {
    const known = this.#uids.get(path);
    return known !== undefined && uid !== undefined && known !== markOf(uid);
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

  /** Takes a deletion out of the window and remembers it. */
  hold(path: string, change: PendingChange): void {
    this.unstage(path);
    this.held.set(path, change);
  }

  /** Puts held deletions back into the window, but for files that are gone or that were changed since. */
  restageHeld(now: number): void {
    for (const [path, change] of this.held) {
      const isUntouched = this.repository.stagedId(path) === undefined && this.repository.fileId(path) !== undefined;
      if (isUntouched) this.stageDeletion(path, change, now);
    }
    this.held.clear();
  }

  /** Opens the window again, so that what it holds is looked at. */
  touch(now: number): void {
    this.window = touch(this.window, now);
  }

  /** The repository forgets a change that leads back to HEAD's bytes, and so do we. */
  #keep(path: string, change: PendingChange, now: number): void {
    if (this.repository.stagedId(path) === undefined) {
      this.pending.delete(path);
      return;
    }
    this.pending.set(path, change);
    this.touch(now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]();
  }
}

function markOf(uid: string): number {
  return Number.parseInt(uid.slice(0, 8), 16);
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
