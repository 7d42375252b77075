import { Gate } from '../core/streams.ts';
import { KeeperError } from '../errors.ts';
import type { Answer, Connection, RequestOptions } from './connect.ts';
import { type Asked, refusal } from './errors.ts';
import { backoffMs, pause, type RetryPolicy } from './retry.ts';

/** Requests of one asker, so many at once, each tried until the server has decided. */

export interface Decided extends Answer {
  /** An earlier try got no answer, or one that says nothing: it may have been carried out. */
  readonly isRepeat: boolean;
}

export interface PatienceOptions {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal: AbortSignal | undefined;
  /** How long one request is tried again after its first failure. */
  readonly patienceMs: number;
}

const AT_ONCE = 16;

/** Somebody waits for the end; no more than `AT_ONCE` ask. */
const RETRY: RetryPolicy = { baseMs: 250, capMs: 4_000 };

/** A server that never answered yet is likely the wrong one, or down for longer. */
const FIRST_PATIENCE_MS = 10_000;

/** A server that starts does not know rights and custom resources yet, and denies both. */
const RECOVERY_MS = 10_000;

/** Longer than the API server works on any request. */
const TIMEOUT_MS = 70_000;

/** A webhook may take ten seconds to fail, and a plan asks it about every object. */
const TRIES_OF_OTHERS = 3;
const KNOWN_FAULT_MS = 30_000;

export class PatientSender {
  readonly server: string;
  readonly #connection: Connection;
  readonly #options: PatienceOptions;
  readonly #gate = new Gate(AT_ONCE);
  /** When each was last met, on the monotonic clock. */
  readonly #faultsAt = new Map<string, number>();
  #hasAnswered = false;
  /** When the server was last seen to be away, on the monotonic clock. */
  #awayAt = Number.NEGATIVE_INFINITY;

  constructor(connection: Connection, options: PatienceOptions) {
    this.server = connection.server;
    this.#connection = connection;
    this.#options = options;
  }

  /** Any answer that decides, also a refusal. Throws KeeperError when there was none in time; aborting throws the signal's reason. */
  async send(path: string, options: RequestOptions = {}): Promise<Decided> {
    const leave = await this.#gate.enter();
    try {
      return await this.#untilDecided(path, this.#complete(options));
    } finally {
      leave();
    }
  }

  #complete(options: RequestOptions): RequestOptions {
    const signals = [options.signal, this.#options.signal].filter((signal) => signal !== undefined);
    return {
      timeoutMs: TIMEOUT_MS,
      ...options,
      headers: { ...options.headers, ...this.#options.headers },
      refusals: 'answer',
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    };
  }

  async #untilDecided(path: string, options: RequestOptions): Promise<Decided> {
    const asked = { method: options.method ?? 'GET', path, server: this.server };
    let firstFailure: number | undefined;
    let isRepeat = false;
    for (let attempt = 1; ; attempt++) {
      options.signal?.throwIfAborted();
      const sent = performance.now();
      const tried = await this.#try(asked, options, attempt);
      if (!(tried instanceof KeeperError)) return { ...tried, isRepeat };
      const now = performance.now();
      firstFailure ??= sent;
      const isBusy = tried.details['status'] === 429;
      isRepeat ||= !isBusy;
      const ms = backoffMs(attempt, Math.random, RETRY, tried.retryAfterMs);
      if (now + ms - firstFailure > this.#patienceMs()) throw tried;
      await pause(ms, options.signal);
    }
  }

  #patienceMs(): number {
    const { patienceMs } = this.#options;
    return this.#hasAnswered ? patienceMs : Math.min(patienceMs, FIRST_PATIENCE_MS);
  }

  /** The answer when it decides; else why not. */
  async #try(asked: Asked, options: RequestOptions, attempt: number): Promise<Answer | KeeperError> {
    try {
      const answer = await this.#connection.request(asked.path, options);
      this.#hasAnswered = true;
      return this.#decides(answer, attempt) ? answer : refusal(asked, answer.status, answer.headers, answer.text);
    } catch (error) {
      if (!(error instanceof KeeperError) || error.kind !== 'transient') throw error;
      this.#awayAt = performance.now();
      return error;
    }
  }

  /** Tried a few times by the first who meets it; then, for a while, nobody waits for it again. */
  #isOthersFault(status: number, text: string, attempt: number): boolean {
    const fault = faultOfOthers(status, text);
    if (fault === undefined) return false;
    const now = performance.now();
    if (attempt < TRIES_OF_OTHERS && now - (this.#faultsAt.get(fault) ?? Number.NEGATIVE_INFINITY) > KNOWN_FAULT_MS)
      return false;
    this.#faultsAt.set(fault, now);
    return true;
  }

  #decides({ status, text }: Answer, attempt: number): boolean {
    if (status === 429 || status === 408) return false;
    if (status >= 500) return this.#isOthersFault(status, text, attempt);
    const isDenied = status === 403 || (status === 404 && !/"details":\s*\{\s*"name"/.test(text));
    return !isDenied || performance.now() - this.#awayAt > RECOVERY_MS;
  }
}

/** The server itself is well: a webhook or an aggregated server that it asks fails, or what it was given is too much for it. */
function faultOfOthers(status: number, text: string): string | undefined {
  const named = /failed calling webhook \\?"[^"\\]*|conversion webhook for [^ ]*|request is too large/.exec(text)?.[0];
  if (named !== undefined || status !== 503) return named;
  return /^(?:service unavailable|error trying to reach service)/.exec(text.trim())?.[0];
}
