import { observe } from '../core/data/observe.ts';
import { type ClaimRecord, renderNote } from '../core/data/record.ts';
import { type Engine, passing } from './engine.ts';
import { look } from './look.ts';
import { writeNote } from './notes.ts';
import { pause } from './pause.ts';
import type { Run } from './run.ts';

/**
 * Looks at the snapshots of a run until every one is decided, and says in the commit's note how far they are. Errors of the cluster and of
 * the disk are waited out; the deadline of the snapshots counts all the same.
 */

const [SHORTEST_MS, LONGEST_MS] = [100, 2000];
const NOTE_EVERY_MS = 1000;
const RETRY_MS = 1000;

/** False when it was stopped, or nobody archives the repository any more: the next start goes on with it. */
export async function follow(engine: Engine, run: Run, noted: string): Promise<boolean> {
  const { signal } = engine;
  const notes = new NoteWriter(engine, run, noted);
  for (let ms = SHORTEST_MS; !signal.aborted; ms = Math.min(ms * 1.5, LONGEST_MS)) {
    const before = run.pending.length;
    const hadHandles = run.hasHandles;
    const isSeen = await patient(engine, run, () => lookOnce(engine, run));
    if (run.hasHandles) await releaseOnce(engine, run, hadHandles);
    const isDecided = run.pending.length === 0;
    const isUrgent = isDecided || run.hasHandles !== hadHandles;
    const isWritten = await patient(engine, run, () => notes.write(isUrgent));
    if (notes.isOrphaned) return false;
    if (isDecided && isWritten) return true;
    if (run.pending.length !== before) ms = SHORTEST_MS;
    await pause(isSeen && isWritten ? ms : RETRY_MS, signal);
  }
  return false;
}

async function lookOnce(engine: Engine, run: Run): Promise<void> {
  const { clock, policy } = engine.parts;
  const seen = await look(engine, run);
  const now = clock.wall();
  for (const [claim, { member, ...found }] of seen) {
    const record = run.records.get(claim) as ClaimRecord;
    const observed = observe(record, { ...found, now, timeoutMs: policy.timeoutMs });
    run.records.set(claim, member === undefined ? observed : { ...observed, member });
  }
}

/** Applications stand still not a moment longer than the driver needs. */
async function releaseOnce({ parts, signal }: Engine, run: Run, hadHandles: boolean): Promise<void> {
  const isAny = [...run.records.values()].some(({ handle }) => handle !== undefined);
  if (!hadHandles && isAny) run.handlesMs ??= parts.clock.wall() - run.askedAt;
  if (!signal.aborted) await run.release();
}

/** False when it failed; told, and tried again at the next look. */
async function patient({ access, signal }: Engine, { repository }: Run, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    const { code, message } = passing(error);
    access.report({ type: 'snapshots-failed', repository, doing: 'follow', code, reason: message, afterMs: RETRY_MS });
    return false;
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
