import { backoffMs, type RetryPolicy } from '../core/backoff.ts';
import type { Unpushed } from '../core/vitals.ts';
import type { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import { type Backlog, backlogOf } from './publish-backlog.ts';
import { Drain, type Effort } from './publish-drain.ts';
import { judge, type Verdict } from './publish-failure.ts';
import { Lane } from './publish-lane.ts';
import { oldestUnpushed } from './publish-line.ts';
import { chooseNext, nextChoiceAt } from './publish-order.ts';
import { Outage, type Outages } from './publish-outage.ts';
import type { PublishParts } from './publish-parts.ts';
import { type Published, publishSpace } from './publish-space.ts';
import { Telling } from './publish-telling.ts';

/**
 * Brings what is committed to the remotes. A commit only marks its repository; the commits themselves are the queue, so an outage
 * of any length costs no memory and what waited goes in one push, in order. One timer and one choice (publish-order.ts) say who is
 * next; what a try is, publish-space.ts says.
 */

const RETRY: RetryPolicy = { baseMs: 1000, capMs: 5 * 60_000 };
/** Nobody tells us when a person has acted, so that is looked for. */
const STALLED_LOOK_MS = 60_000;
/** Even without commits: somebody may have moved the remote. */
const LOOK_EVERY_MS = 5 * 60_000;
/** Many repositories are looked at less often, so that this stays at one request a second. */
const LOOK_MS_PER_REPOSITORY = 1000;

export interface PublisherParts extends PublishParts {
  /** The open repository of this name. */
  readonly repository: (name: string) => Repository | undefined;
  /** Hears of a defect, or of the lead that was lost: the run must end. */
  readonly fail: (error: unknown) => void;
  /** Hears of a repository that was to be finished, and is. */
  readonly finished?: ((name: string) => void) | undefined;
}

export class Publisher implements AsyncDisposable {
  readonly #parts: PublisherParts;
  readonly #lanes = new Map<string, Lane>();
  readonly #outages: Outages = { unreachable: new Outage('unreachable'), credentials: new Outage('credentials') };
  readonly #running = new Map<Lane, { readonly cut: AbortController; readonly ended: Promise<void> }>();
  /** Names whose repositories are not ours to touch now. */
  readonly #released = new Set<string>();
  readonly #stop = new AbortController();
  readonly #telling: Telling;
  #callOff = () => {};
  #isStarted = false;
  #drain: { readonly state: Drain; readonly done: () => void } | undefined;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#telling = new Telling(parts.report, parts.clock.monotonic());
  }

  /** Begins: what these repositories have from earlier runs is pushed, and each remote is looked at. */
  start(names: Iterable<string>): void {
    const now = this.#now();
    for (const name of names) {
      const repository = this.#parts.repository(name);
      const oldest = repository === undefined ? undefined : oldestUnpushed(repository);
      const age = oldest === undefined ? undefined : Math.max(0, this.#parts.clock.wall() - oldest.getTime());
      const lane = this.#lane(name);
      if (age !== undefined) lane.waitingSince = Math.min(lane.waitingSince ?? now, now - age);
    }
    this.#isStarted = true;
    this.#dispatch();
  }

  /** Something was committed, tagged or noted in this repository. */
  mark(name: string): void {
    this.#lane(name).mark(this.#now());
    this.#dispatch();
  }

  /** Lets go of a repository that is about to be moved or replaced: what is under way is cut, and nothing begins until `admit`. */
  async release(name: string): Promise<void> {
    this.#released.add(name);
    const lane = this.#lanes.get(name);
    const running = lane && this.#running.get(lane);
    running?.cut.abort();
    await running?.ended;
  }

  /** There is a repository of this name again, and nothing is known of it. */
  admit(name: string): void {
    this.#released.delete(name);
    const before = this.#lanes.get(name);
    if (before !== undefined) this.#telling.stall(before, undefined);
    this.#lanes.delete(name);
    this.mark(name);
  }

  /** Pushes what this repository has; it is forgotten when the remote has all. */
  finish(name: string): void {
    this.#lane(name).isLast = true;
    this.start([name]);
  }

  /** Each repository that waits, in any order. */
  get waiting(): readonly Unpushed[] {
    const now = this.#now();
    return [...this.#lanes.values()].flatMap(({ name, waitingSince }) =>
      waitingSince === undefined ? [] : [{ repository: name, ageMs: now - waitingSince }],
    );
  }

  /** What no remote has yet. */
  get backlog(): Backlog {
    return backlogOf(this.#lanes.values(), this.#now());
  }

  /** Pushes what waits, as far as the effort goes or until the signal, and tells what is left; to be disposed of afterwards. */
  async drain(effort: Effort, signal?: AbortSignal): Promise<void> {
    if (!this.#isStarted || this.#stop.signal.aborted) return;
    const state = new Drain(effort, this.#now());
    state.begin(this.#reachable(), this.#outages);
    await new Promise<void>((resolve) => {
      this.#drain = { state, done: resolve };
      for (const one of [this.#stop.signal, signal]) one?.addEventListener('abort', () => resolve());
      this.#dispatch();
    });
    this.#drain = undefined;
    const backlog = this.backlog;
    if (backlog.repositories > 0) this.#parts.report({ type: 'unpushed', ...backlog });
  }

  /** Nothing more begins, and what is under way is cut; it goes with the next start. */
  cut(): void {
    this.#stop.abort();
    this.#callOff();
  }

  /** Cuts, and waits for the end of what was under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** Tries under way. */
  get running(): number {
    return this.#running.size;
  }

  #now(): number {
    return this.#parts.clock.monotonic();
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(name, this.#now());
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  /** Lets begin who may, and sees to it that it is called again when more may. */
  #dispatch(): void {
    if (!this.#isStarted || this.#stop.signal.aborted) return;
    const now = this.#now();
    for (;;) {
      const lane = chooseNext(this.#reachable(), this.#outages, now);
      if (lane === undefined) break;
      this.#begin(lane, now);
    }
    this.#telling.backlog(this.#lanes.values(), now);
    if (this.#drain?.state.isOver(this.#reachable(), this.#outages, now) === true) this.#drain.done();
    this.#arm(now);
  }

  /** But those that were let go of. */
  *#reachable(): Generator<Lane> {
    for (const lane of this.#lanes.values()) if (!this.#released.has(lane.name)) yield lane;
  }

  #arm(now: number): void {
    this.#callOff();
    const drained = this.#drain?.state.nextAt(this.#reachable(), this.#outages, now) ?? Number.POSITIVE_INFINITY;
    const told = this.#telling.nextAt(this.#lanes.values(), now);
    const next = Math.min(nextChoiceAt(this.#reachable(), this.#outages, now), drained, told);
    if (next !== Number.POSITIVE_INFINITY) this.#callOff = this.#parts.timer.start(next - now, () => this.#dispatch());
  }

  #begin(lane: Lane, now: number): void {
    lane.begin(now);
    const cut = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, cut.signal]);
    const ended = this.#try(lane, signal)
      .catch(this.#parts.fail)
      .finally(() => {
        this.#running.delete(lane);
        this.#dispatch();
      });
    this.#running.set(lane, { cut, ended });
  }

  async #try(lane: Lane, signal: AbortSignal): Promise<void> {
    try {
      const repository = this.#parts.repository(lane.name);
      const done = repository && (await publishSpace(this.#parts, lane, repository, signal));
      this.#succeeded(lane, done);
    } catch (error) {
      if (signal.aborted) return;
      const verdict = judge(error);
      if (verdict === undefined) throw error;
      this.#failed(lane, verdict);
    }
  }

  #succeeded(lane: Lane, done: Published | undefined): void {
    const now = this.#now();
    for (const outage of Object.values(this.#outages)) outage.answered();
    this.#hurryOthers(lane, now);
    const every = Math.max(LOOK_EVERY_MS, this.#lanes.size * LOOK_MS_PER_REPOSITORY);
    const lookMs = this.#jitter(done?.stall === undefined ? every : STALLED_LOOK_MS);
    lane.succeed(now, now + lookMs);
    this.#telling.stall(lane, done?.stall);
    this.#telling.failure(lane, done?.warning, { code: 'REMOTE_DIVERGED', afterMs: lookMs });
    if (!lane.isLast || lane.waitingSince !== undefined || lane.stall !== undefined) return;
    this.#lanes.delete(lane.name);
    this.#parts.finished?.(lane.name);
  }

  #failed(lane: Lane, verdict: Verdict & { readonly error: KeeperError }): void {
    const now = this.#now();
    const { error, trouble, stalled } = verdict;
    const { random } = this.#parts;
    this.#noteOutages(lane, verdict, now);
    if (error.code !== lane.code) this.#hurryOthers(lane, now);
    const retryAfterMs = error.retryAfterMs ?? 0;
    const waitMs =
      stalled === undefined
        ? backoffMs(lane.failures + 1, random, RETRY, retryAfterMs)
        : Math.max(this.#jitter(STALLED_LOOK_MS), retryAfterMs);
    lane.fail(now, { code: error.code, trouble, dueAt: now + waitMs, notBefore: now + retryAfterMs });
    if (stalled === undefined) this.#telling.failure(lane, error.message, { code: error.code, afterMs: waitMs });
    else this.#telling.stall(lane, { reason: stalled, message: error.message });
  }

  #noteOutages(lane: Lane, { error, trouble }: Verdict & { readonly error: KeeperError }, now: number): void {
    if (trouble !== undefined) this.#outages[trouble].failed(lane.name, now, this.#parts.random, error.retryAfterMs);
    // Whatever it said, it was reached.
    if (trouble !== 'unreachable' && error.code.startsWith('REMOTE_')) this.#outages.unreachable.answered();
  }

  /** What is over for one is probably over for all that failed for the same; they need not wait out their own time. */
  #hurryOthers(recovered: Lane, now: number): void {
    if (recovered.code === undefined) return;
    for (const lane of this.#lanes.values()) {
      if (lane !== recovered && lane.code === recovered.code) lane.hurry(now);
    }
  }

  #jitter(ms: number): number {
    return ms * (1 - this.#parts.random() / 2);
  }
}
