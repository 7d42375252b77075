import { failed, observe } from '../core/data/observe.ts';
import { type ClaimRecord, renderNote } from '../core/data/record.ts';
import { pause } from '../core/pause.ts';
import { KeeperError } from '../errors.ts';
import { type Engine, passing } from './engine.ts';
import { look, type Seen } from './look.ts';
import { endLook } from './look-through.ts';
import { writeNote } from './notes.ts';
import type { Run } from './run.ts';

/**
 * Looks at the snapshots of a run until every one is decided, and says in the commit's note how far they are. Errors of the cluster and of
 * the disk are waited out; the deadline of the snapshots counts all the same.
 */

const [SHORTEST_MS, LONGEST_MS] = [100, 2000];
const NOTE_EVERY_MS = 1000;
const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [1000, 30_000];

/** False when it was stopped, or nobody archives the repository any more: the next start goes on with it. */
export async function follow(engine: Engine, run: Run, noted: string): Promise<boolean> {
  const { signal } = engine;
  const notes = new NoteWriter(engine, run, noted);
  const [looks, writes] = [new Patience(engine, run), new Patience(engine, run)];
  for (let ms = SHORTEST_MS; !signal.aborted; ms = Math.min(ms * 1.5, LONGEST_MS)) {
    const before = run.pending.length;
    const hadHandles = run.hasHandles;
    await looks.try(() => lookOnce(engine, run));
    if (run.hasHandles) await releaseOnce(engine, run, hadHandles);
    const isDecided = run.pending.length === 0;
    const isUrgent = isDecided || run.hasHandles !== hadHandles;
    const isWritten = await writes.try(() => notes.write(isUrgent));
    if (notes.isOrphaned) return false;
    if (isDecided && isWritten) return true;
    if (run.pending.length !== before) ms = SHORTEST_MS;
    await pause(Math.max(ms, looks.ms, writes.ms), signal);
  }
  return false;
}

async function lookOnce(engine: Engine, run: Run): Promise<void> {
  const { clock, policy } = engine.parts;
  const seen = await lookOrLose(engine, run);
  // Not before: what took long to be told may be good news.
  const now = clock.wall();
  for (const [claim, { member, isLost, ...found }] of seen) {
    const record = run.records.get(claim) as ClaimRecord;
    const observed = observe(record, { ...found, now, timeoutMs: policy.timeoutMs });
    // What goes with its VolumeSnapshot is not there to stay: the next look keeps it first.
    if (observed.state === 'ready' && !run.retained.has(claim)) continue;
    if (isLost && observed.state !== 'pending') await endLook(engine, observed);
    run.records.set(claim, member === undefined ? observed : { ...observed, member });
  }
}

/** Where snapshots are not served any more, nothing is ever heard of these again. */
async function lookOrLose(engine: Engine, run: Run): Promise<ReadonlyMap<string, Seen>> {
  const { clock, policy } = engine.parts;
  try {
    return await look(engine, run);
  } catch (error) {
    const isServed = !(error instanceof KeeperError) || error.code !== 'RESOURCE_NOT_SERVED';
    if (isServed || clock.wall() - run.askedAt < policy.timeoutMs) throw error;
    for (const [claim, record] of run.pending) run.records.set(claim, failed(record, error.message));
    return new Map();
  }
}

/** Applications stand still not a moment longer than the driver needs. */
async function releaseOnce({ parts, signal }: Engine, run: Run, hadHandles: boolean): Promise<void> {
  const isAny = [...run.records.values()].some(({ handle }) => handle !== undefined);
  if (!hadHandles && isAny) run.handlesMs ??= parts.clock.wall() - run.askedAt;
  if (!signal.aborted) await run.release();
}

/** Tells a failure, and waits longer after each in a row. */
class Patience {
  readonly #engine: Engine;
  readonly #run: Run;
  ms = 0;

  constructor(engine: Engine, run: Run) {
    this.#engine = engine;
    this.#run = run;
  }

  /** False when it failed. */
  async try(work: () => Promise<void>): Promise<boolean> {
    const { access, signal } = this.#engine;
    try {
      await work();
      this.ms = 0;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { code, message } = passing(error);
      this.ms = Math.min(Math.max(this.ms * 2, FIRST_RETRY_MS), LONGEST_RETRY_MS);
      const told = { repository: this.#run.repository, doing: 'follow', code, reason: message } as const;
      access.report({ type: 'snapshots-failed', ...told, afterMs: this.ms });
      return false;
    }
  }
}

/** A note is a commit: what changes within a second is one, unless somebody waits for it. */
class NoteWriter {
  readonly #engine: Engine;
  readonly #run: Run;
  /** As it is in the repository. */
  #noted: string;
  #at: number;
  isOrphaned = false;

  constructor(engine: Engine, run: Run, noted: string) {
    this.#engine = engine;
    this.#run = run;
    this.#noted = noted;
    this.#at = engine.parts.clock.monotonic();
  }

  async write(isUrgent: boolean): Promise<void> {
    const { note, repository, commit } = this.#run;
    const text = renderNote(note);
    const now = this.#engine.parts.clock.monotonic();
    if (text === this.#noted || commit === undefined || (!isUrgent && now - this.#at < NOTE_EVERY_MS)) return;
    this.isOrphaned = !(await writeNote(this.#engine, repository, commit, note));
    this.#noted = text;
    this.#at = now;
  }
}
