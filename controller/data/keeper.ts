import { nextRunAt, type RunHistory } from '../core/data/cadence.ts';
import type { DataPolicy } from '../core/data/policy.ts';
import type { KeeperError } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import type { Engine } from './engine.ts';
import { FAR_ENOUGH, History, hasReady } from './history.ts';
import { PruneIndex } from './prune-index.ts';
import { newest, readDataCommits } from './read-history.ts';

/** What is known of one repository, and the timer that asks for its next snapshots. */

const [FIRST_REST_MS, LONGEST_REST_MS] = [5000, 300_000];
/** A timer holds no more than 24 days. */
const LONGEST_TIMER_MS = 86_400_000;
/** Where nothing can be snapshotted, it may become possible without any change in the namespace. */
const LOOK_AGAIN_MS = 60_000;

export class Keeper {
  readonly repository: string;
  readonly #engine: Pick<Engine, 'parts' | 'access' | 'signal'>;
  #history: { readonly of: Repository; readonly value: History } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restMs = FIRST_REST_MS;
  #notBefore = 0;
  #lookAt: number | undefined;
  /** Commits that are being made: until they are there, nothing new is due. */
  #open = 0;
  /** Why claims cannot be snapshotted, as it was told last. */
  told = '';
  readonly pruneIndex = new PruneIndex();
  /** Somebody waits for snapshots that could not be asked for. */
  isForced = false;

  constructor(repository: string, engine: Pick<Engine, 'parts' | 'access' | 'signal'>) {
    this.repository = repository;
    this.#engine = engine;
  }

  /** Undefined when the repository is not archived. Read once, and again when another line has the name. */
  async history(): Promise<History | undefined> {
    this.#history = await this.#engine.access.within(this.repository, async (repository) => {
      if (this.#history?.of === repository) return this.#history;
      const limit = newest(repository, FAR_ENOUGH);
      const onOdd = (error: KeeperError) => this.#odd(error);
      const commits = await readDataCommits(repository, { limit, until: hasReady, onOdd });
      return { of: repository, value: new History(commits) };
    });
    return this.known;
  }

  /** As it was read last; before that there is nothing to be kept up. */
  get known(): History | undefined {
    return this.#history?.value;
  }

  /** For the next commit: while what failed rests, it is as if the last run were not decided yet. */
  runsAt(now: number, history: History): RunHistory {
    const { runs } = history;
    if (now >= this.#notBefore) return runs;
    const resting = { commit: '', askedAt: now, snapshots: new Map(), state: 'pending' as const };
    return { ...runs, last: { ...(runs.last ?? resting), state: 'pending' } };
  }

  /** A commit is about to be made; `end` once it is there, or not. */
  begin(): void {
    this.#open++;
  }

  end(): void {
    this.#open--;
    this.arm();
  }

  /** What was asked for did not come off: not at once again. Answers how long. */
  rest(): number {
    const ms = this.#restMs;
    this.#restMs = Math.min(ms * 2, LONGEST_REST_MS);
    this.#notBefore = this.#now() + ms;
    return ms;
  }

  /** What was asked for is on its way. */
  wake(): void {
    this.#restMs = FIRST_REST_MS;
    this.#notBefore = 0;
  }

  /** There are claims: the cadence counts. */
  busy(): void {
    this.#lookAt = undefined;
  }

  /** There is nothing to ask for: at the next change of the namespace, and where something is impossible now and then. */
  idle(isImpossible: boolean): void {
    const { minimumIntervalMs } = this.#engine.parts.policy.cadence;
    this.#lookAt = isImpossible ? this.#now() + Math.max(minimumIntervalMs, LOOK_AGAIN_MS) : Number.POSITIVE_INFINITY;
  }

  /** Again after every commit and whenever a run is decided. */
  arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const at = this.#dueAt(this.#engine.parts.policy);
    if (at === undefined || at === Number.POSITIVE_INFINITY || this.#engine.signal.aborted) return;
    const ms = Math.min(Math.max(0, at - this.#now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      if (this.#now() >= at) this.#engine.access.due(this.repository);
      else this.arm();
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #dueAt({ cadence }: DataPolicy): number | undefined {
    const { known } = this;
    if (known === undefined || this.#open > 0) return undefined;
    if (this.isForced) return this.#notBefore;
    const next = this.#lookAt ?? nextRunAt(known.runs, cadence, this.#now());
    return next === undefined ? undefined : Math.max(next, this.#notBefore);
  }

  #now(): number {
    return this.#engine.parts.clock.wall();
  }

  #odd({ code, message }: KeeperError): void {
    const { repository } = this;
    this.#engine.access.report({
      type: 'snapshots-failed',
      repository,
      doing: 'recall',
      code,
      reason: message,
      afterMs: 0,
    });
  }
}
