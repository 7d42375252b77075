import { backoffMs, type RetryPolicy } from '../core/backoff.ts';
import { isAncestor } from '../git/ancestry.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Repository } from '../git/repository.ts';
import type { Unknown } from './lines-part.ts';
import { noAnswer } from './publish-errors.ts';
import { judge } from './publish-failure.ts';
import { countCommits, isOurPast, isOwn } from './publish-line.ts';
import { askState, isNotFound } from './publish-look.ts';
import { type PublishParts, TRANSFER_LIMIT_MS } from './publish-parts.ts';
import { MAIN, NOTES, TAGS, TRACKING } from './publish-refs.ts';
import { timeLimit, wait } from './publish-timer.ts';
import type { Advertisement } from './remote-port.ts';

/**
 * Before anything is archived: where ours is empty or behind what this archive itself pushed (a lost disk, a replica that takes
 * over), the remote's history is taken over and goes on, so that nobody begins a second one. When the remote does not answer,
 * archiving begins all the same, and the two lines are joined later.
 */

/** From the start of the run on, for all repositories together. */
const PATIENCE_WITHOUT_HISTORY_MS = 60_000;
/** Where the disk was not lost, little is at stake. */
const PATIENCE_MS = 10_000;
const TRY_MS = 10_000;
const LEAST_TRY_MS = 1000;
const RETRY: RetryPolicy = { baseMs: 500, capMs: 5000 };

export class Adoption {
  readonly #parts: PublishParts;
  readonly #signal: AbortSignal;
  readonly #startedAt: number;
  /** URLs of remotes that have no `main`, or did not answer in time: not asked again when their repository is made. */
  readonly #asked = new Set<string>();
  /** The last that was asked did not answer. */
  #isSilent = false;
  #hasAnswered = false;
  /** Some repository has a history here. */
  #hasDisk = false;

  constructor(parts: PublishParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#startedAt = parts.clock.monotonic();
  }

  /** Does the remote have a history of this repository, which is not here? */
  async hasHistory(name: string): Promise<boolean> {
    const seen = await this.#ask(name);
    const has = seen?.refs.has(MAIN) === true;
    if (!has) this.#asked.add(this.#url(name));
    return has;
  }

  /** Moves an open repository forward to what this archive pushed earlier; leaves it alone in every other case. */
  async adopt(name: string, repository: Repository): Promise<void> {
    if (repository.head !== undefined) this.#hasDisk = true;
    if (this.#asked.delete(this.#url(name))) return;
    const seen = await this.#ask(name);
    const theirs = seen?.refs.get(MAIN);
    if (seen === undefined || theirs === undefined || isOurPast(repository, theirs)) return;
    if (await this.#isOther({ name, repository, theirs })) return;
    // What is not answered now is seen again when it is pushed.
    if (!(await this.#fetch(name, repository, [theirs]))) return;
    if (!this.#isAhead(repository, theirs)) return;
    const commits = countCommits(repository.store, repository.head, theirs);
    await repository.fastForward(theirs);
    const left = repository.ref(TRACKING);
    await repository.updateRef(TRACKING, { from: left, to: theirs });
    await this.#adoptOthers(name, repository, seen);
    this.#parts.report({ type: 'adopted', repository: name, id: theirs, commits });
  }

  /** Of what was never pushed nothing says that the remote's history is ours. */
  async #isOther(unknown: Unknown): Promise<boolean> {
    const { repository } = unknown;
    if (repository.head === undefined || repository.ref(TRACKING) !== undefined) return false;
    try {
      return (await this.#parts.isOther?.(unknown, this.#signal)) ?? false;
    } catch (error) {
      if (this.#signal.aborted || judge(error) !== undefined) return true;
      throw error;
    }
  }

  #isAhead(repository: Repository, theirs: ObjectId): boolean {
    const { head, store } = repository;
    if (head !== undefined && !isAncestor(store, head, theirs)) return false;
    return isOwn(store, theirs, this.#parts.clusterId);
  }

  /** Tags and notes belong to the history. Those that are here stay as they are. */
  async #adoptOthers(name: string, repository: Repository, seen: Advertisement): Promise<void> {
    const { store } = repository;
    const lacking = [...seen.refs].filter(([ref, id]) =>
      ref === NOTES ? repository.ref(ref) !== id : ref.startsWith(TAGS) && repository.ref(ref) === undefined,
    );
    if (!(await this.#fetch(name, repository, [...new Set(lacking.map(([, id]) => id))]))) return;
    for (const [ref, to] of lacking) {
      const from = repository.ref(ref);
      if (from === undefined || isAncestor(store, from, to)) await repository.updateRef(ref, { from, to });
    }
  }

  async #fetch(name: string, repository: Repository, wants: readonly ObjectId[]): Promise<boolean> {
    const missing = wants.filter((id) => !repository.store.has(id));
    if (missing.length === 0) return true;
    const place = this.#parts.port.place(name);
    const reason = () => noAnswer(name, place, TRANSFER_LIMIT_MS / 1000);
    try {
      using limit = timeLimit(this.#parts.timer, TRANSFER_LIMIT_MS, this.#signal, reason);
      await this.#parts.port.fetch(repository, place, missing, limit.signal);
      return true;
    } catch (error) {
      if (this.#signal.aborted || judge(error) !== undefined) return false;
      throw error;
    }
  }

  /**
   * Undefined when there is no answer in time, or no repository. The patience is for a server that is away: where others were
   * answered, one that hangs has a single try.
   */
  async #ask(name: string): Promise<Advertisement | undefined> {
    for (let attempt = 1; !this.#signal.aborted; attempt++) {
      const patienceMs = this.#hasDisk ? PATIENCE_MS : PATIENCE_WITHOUT_HISTORY_MS;
      const left = this.#startedAt + patienceMs - this.#parts.clock.monotonic();
      if (left <= 0 && this.#isSilent) break;
      const limit = left > 0 ? Math.min(TRY_MS, Math.max(left, LEAST_TRY_MS)) : TRY_MS;
      const { seen, mayWait } = await this.#askOnce(name, limit);
      if (seen !== undefined || !mayWait || this.#hasAnswered) return seen;
      const pause = backoffMs(attempt, this.#parts.random, RETRY);
      if (pause >= left) break;
      await wait(this.#parts.timer, pause, this.#signal);
    }
    return undefined;
  }

  async #askOnce(name: string, limitMs: number): Promise<{ seen: Advertisement | undefined; mayWait: boolean }> {
    try {
      const seen = await askState(this.#parts, name, limitMs, this.#signal);
      this.#answered();
      return { seen, mayWait: false };
    } catch (error) {
      if (this.#signal.aborted) return { seen: undefined, mayWait: false };
      const verdict = judge(error);
      if (verdict === undefined) throw error;
      if (isNotFound(error)) this.#asked.add(this.#url(name));
      if (verdict.trouble === undefined) this.#answered();
      else this.#isSilent = true;
      return { seen: undefined, mayWait: verdict.stalled === undefined && !isNotFound(error) };
    }
  }

  #url(name: string): string {
    return this.#parts.port.place(name).url;
  }

  #answered(): void {
    this.#isSilent = false;
    this.#hasAnswered = true;
  }
}
