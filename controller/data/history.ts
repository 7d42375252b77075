import type { RunHistory } from '../core/data/cadence.ts';
import type { DataCommit } from '../core/data/points.ts';
import type { DataNote } from '../core/data/record.ts';
import { runHistoryOf } from '../core/data/run-history.ts';

/** The newest commits of one repository: as far back as the next commit has to know. Only we write there, so it is read once. */

/** Where nothing came off for so many commits, everything is asked for anew. */
export const FAR_ENOUGH = 1000;

export class History {
  /** Newest first. */
  #commits: DataCommit[];

  constructor(commits: readonly DataCommit[]) {
    this.#commits = trimmed(commits);
  }

  get commits(): readonly DataCommit[] {
    return this.#commits;
  }

  get runs(): RunHistory {
    return runHistoryOf(this.#commits);
  }

  add(commit: DataCommit): void {
    if (this.#commits.some(({ id }) => id === commit.id)) return;
    this.#commits = trimmed([commit, ...this.#commits]);
  }

  /** The note of a commit is another one now. */
  note(id: string, note: DataNote): void {
    const at = this.#commits.findIndex((commit) => commit.id === id);
    if (at < 0) return;
    this.#commits[at] = { ...(this.#commits[at] as DataCommit), note };
    this.#commits = trimmed(this.#commits);
  }

  /** What no snapshot could be asked of, as it was noted last. */
  get skipped(): DataNote['skipped'] {
    return this.#commits.find(({ note }) => note?.skipped !== undefined)?.note?.skipped;
  }
}

/** Nothing before the newest run that has something ready is ever asked for. */
function trimmed(commits: readonly DataCommit[]): DataCommit[] {
  const end = commits.findIndex(hasReady);
  return commits.slice(0, end < 0 ? FAR_ENOUGH : end + 1);
}

export function hasReady({ note }: DataCommit): boolean {
  return Object.values(note?.claims ?? {}).some(({ state }) => state === 'ready');
}
