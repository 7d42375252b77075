import type { ArchiveFile } from '../core/archive-file.ts';
import type { Retake } from './lines-retake.ts';

/** Whose history a repository holds, and whether what waits in its window may belong to somebody else. */
export class SpaceLine {
  readonly #file: () => ArchiveFile | undefined;
  #next: { readonly uid: string; readonly mark: string | undefined } | undefined;
  #vouched = 0;
  /** Objects that came, or came under another uid: each may belong to whoever has the namespace's name by now. */
  newcomers = 0;
  /** Of a line that began in this run: what its namespace was listed for once more. */
  retake: Retake | undefined;
  /** Since when the cluster does not say whose the namespace is, on the monotonic clock. */
  unansweredSince: number | undefined;

  /** `file` is HEAD's own description. */
  constructor(file: () => ArchiveFile | undefined) {
    this.#file = file;
  }

  /** Of the namespace that the history belongs to, whoever has its name now; '' while it is not known. */
  get uid(): string {
    const uid = this.#file()?.namespace?.uid ?? '';
    return uid === '' ? (this.#next?.uid ?? '') : uid;
  }

  /** Of a later line; undefined for the first of a namespace. */
  get mark(): string | undefined {
    return this.#file()?.namespace?.line ?? this.#next?.mark;
  }

  /** What the archive file says from the next commit on; a uid and a mark that it has already stay. */
  begin(uid: string, mark: string | undefined): void {
    this.#next = { uid, mark };
  }

  /** Is there a newcomer since it was last known whose the namespace is? */
  get isDoubtful(): boolean {
    return this.newcomers > this.#vouched;
  }

  /** A list of its own is under way: nothing is committed before that is complete. */
  get isIncomplete(): boolean {
    return this.retake?.isComplete === false;
  }

  /** The namespace was still the same when so many newcomers had come. */
  vouch(newcomers: number): void {
    this.#vouched = newcomers;
  }
}
