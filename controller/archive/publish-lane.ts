import type { StalledReason } from '../core/outcome.ts';
import type { ErrorCode } from '../errors.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { Trouble } from './publish-failure.ts';

/** Why a repository waits for a person. */
export interface Stall {
  readonly reason: StalledReason;
  readonly message: string;
}

/**
 * What is known of one repository's way to its remote: a handful of facts, however long it waits and however much is committed
 * meanwhile, because the commits themselves are the queue. All times are monotonic milliseconds.
 */
export class Lane {
  readonly name: string;
  /** Nothing more is committed to its repository: it is forgotten when the remote has all. */
  isLast = false;
  /** When the oldest commit was made that no remote has; undefined when the remote has all. */
  waitingSince: number | undefined;
  /** When it is tried or, with nothing to push, looked at again. */
  dueAt: number;
  /** What the server asked for (Retry-After); nothing brings a try forward before that. */
  notBefore = Number.NEGATIVE_INFINITY;
  /** Of the try under way. */
  startedAt: number | undefined;
  /** When the last try began. */
  triedAt = Number.NEGATIVE_INFINITY;
  /** When it first failed since it last did not. */
  failedAt: number | undefined;
  /** Tries that failed in a row. */
  failures = 0;
  /** Of the last failure; undefined when the last try did not fail. */
  code: ErrorCode | undefined;
  /** What it failed for that may concern the whole server. */
  trouble: Trouble | undefined;
  /** The failure that was told last, so that it is told once. */
  told = '';
  stall: Stall | undefined;
  /** The `main` of somebody else that was looked into last: what it is does not change while it stays. */
  foreign: ObjectId | undefined;
  /** This process has pushed it, or found that there is nothing to push: from now on nobody else's commits are an earlier life's. */
  isKnown = false;
  /** We made its remote in this process, so it is ours to protect once there is a branch. */
  isCreated = false;
  /** Marked after the try under way had taken what it pushes. */
  #laterSince: number | undefined;

  constructor(name: string, now: number) {
    this.name = name;
    this.dueAt = now;
  }

  get isRunning(): boolean {
    return this.startedAt !== undefined;
  }

  /** Something was committed, tagged or noted. Who waits out a failure goes on waiting. */
  mark(now: number): void {
    if (this.isRunning) this.#laterSince ??= now;
    else this.waitingSince ??= now;
    if (this.failures === 0) this.dueAt = Math.min(this.dueAt, now);
  }

  begin(now: number): void {
    this.startedAt = now;
    this.triedAt = now;
    this.dueAt = Number.POSITIVE_INFINITY;
  }

  /** The try under way knows now what it pushes: all that was marked until this moment. */
  take(): void {
    this.waitingSince ??= this.#laterSince;
    this.#laterSince = undefined;
  }

  /** The remote has what the try took; the next look is at `lookAt`. */
  succeed(now: number, lookAt: number): void {
    this.waitingSince = this.#laterSince;
    this.dueAt = this.#laterSince === undefined ? lookAt : now;
    this.#end();
    this.failures = 0;
    this.failedAt = undefined;
    this.code = undefined;
    this.trouble = undefined;
    this.isKnown = true;
  }

  fail(now: number, next: Pick<Lane, 'code' | 'trouble' | 'dueAt' | 'notBefore'>): void {
    this.waitingSince ??= this.#laterSince;
    this.#end();
    this.failures++;
    this.failedAt ??= now;
    Object.assign(this, next);
  }

  /** Not before the server wants it. */
  hurry(now: number): void {
    if (!this.isRunning) this.dueAt = Math.min(this.dueAt, Math.max(now, this.notBefore));
  }

  #end(): void {
    this.startedAt = undefined;
    this.#laterSince = undefined;
  }
}
