import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import type { Unpushed } from '../core/vitals.ts';
import type { EndedLines } from './lines-ended.ts';
import { Adoption } from './publish-adopt.ts';
import type { Effort } from './publish-drain.ts';
import type { PublishParts } from './publish-parts.ts';
import { systemTimer, type Timer } from './publish-timer.ts';
import { Publisher } from './publisher.ts';
import type { RemotePort } from './remote-port.ts';
import type { Guard, Spaces } from './spaces.ts';

/** How one run of the archive takes part in publishing: adopt before it, push beside it, and what is still pushed at its end. */

export interface RemoteAccess {
  readonly port: RemotePort;
  /** What stands for {cluster} in the remote's URL. */
  readonly cluster: string;
  /** The system's own when left out. */
  readonly timer?: Timer;
}

/** After the signal that stops the run: Kubernetes kills after 30 s, and what comes after the pushes needs a little. */
const STOP_WITHIN_MS = 22_000;
const SINGLE_RUN: Effort = { totalMs: 10 * 60_000, eachMs: 60_000 };

interface Parts {
  readonly clock: Clock;
  readonly remote?: RemoteAccess | undefined;
}

interface Options {
  readonly clusterId: string;
  readonly once: boolean;
  readonly guard?: Guard;
  readonly signal: AbortSignal;
}

/** Undefined without a remote. */
export function openAdoption(
  parts: Parts & Pick<PublishParts, 'isOther'>,
  options: Options,
  report: (outcome: Outcome) => void,
): Adoption | undefined {
  if (parts.remote === undefined) return undefined;
  const { isOther, remote } = parts;
  return new Adoption({ ...partsOf({ ...parts, remote }, options, report), isOther }, options.signal);
}

/** Undefined without a remote. */
export function openPublishing(
  parts: Parts,
  options: Options,
  run: {
    readonly spaces: Spaces;
    /** Those that nothing more is committed to. */
    readonly ended: Pick<EndedLines, 'get' | 'close'>;
    readonly part: NonNullable<PublishParts['part']>;
    readonly report: (outcome: Outcome) => void;
    readonly fail: (error: unknown) => void;
  },
): Publishing | undefined {
  if (parts.remote === undefined) return undefined;
  const publisher = new Publisher({
    ...partsOf({ ...parts, remote: parts.remote }, options, run.report),
    repository: (name) => run.spaces.get(name)?.repository ?? run.ended.get(name),
    part: run.part,
    finished: (name) => run.ended.close(name),
    fail: run.fail,
  });
  return new Publishing(publisher, run.spaces, { ...options, clock: parts.clock });
}

function partsOf(
  { clock, remote }: Parts & { readonly remote: RemoteAccess },
  { clusterId, guard }: Options,
  report: (outcome: Outcome) => void,
): PublishParts {
  const { port, cluster, timer = systemTimer } = remote;
  return { port, cluster, timer, clock, random: Math.random, clusterId, report, guard };
}

export class Publishing implements AsyncDisposable {
  readonly #publisher: Publisher;
  readonly #spaces: Spaces;
  readonly #options: Pick<Options, 'once' | 'signal'> & { readonly clock: Clock };
  #stoppedAt: number | undefined;

  constructor(
    publisher: Publisher,
    spaces: Spaces,
    options: Pick<Options, 'once' | 'signal'> & { readonly clock: Clock },
  ) {
    this.#publisher = publisher;
    this.#spaces = spaces;
    this.#options = options;
    options.signal.addEventListener('abort', this.#stopped);
    if (options.signal.aborted) this.#stopped();
  }

  start(): void {
    this.#publisher.start(this.#spaces.all().map(({ name }) => name));
  }

  /** Something was committed, tagged or noted in this repository. */
  mark(repository: string): void {
    this.#publisher.mark(repository);
  }

  /** Lets go of a repository that is about to be moved or replaced, until `admit`. */
  async release(repository: string): Promise<void> {
    await this.#publisher.release(repository);
  }

  /** There is a repository of this name again, or for the first time. */
  admit(repository: string): void {
    this.#publisher.admit(repository);
  }

  /** Nothing more is committed to it: it is pushed and then forgotten. */
  finish(repository: string): void {
    this.#publisher.finish(repository);
  }

  get waiting(): readonly Unpushed[] {
    return this.#publisher.waiting;
  }

  /** What is committed is pushed as far as it goes: a single run waits for its remotes, a stopped one only briefly. */
  async drain(): Promise<void> {
    const { once, signal, clock } = this.#options;
    if (once && !signal.aborted) return await this.#publisher.drain(SINGLE_RUN, signal);
    const since = this.#stoppedAt ?? clock.monotonic();
    const totalMs = Math.max(0, since + STOP_WITHIN_MS - clock.monotonic());
    await this.#publisher.drain({ totalMs, eachMs: 0 });
  }

  /** Nobody wants the rest. */
  cut(): void {
    this.#publisher.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#stopped);
    await this.#publisher[Symbol.asyncDispose]();
  }

  readonly #stopped = () => {
    this.#stoppedAt = this.#options.clock.monotonic();
  };
}
