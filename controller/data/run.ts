import type { Hold } from '../core/data/quiesce.ts';
import type { ClaimRecord, DataNote } from '../core/data/record.ts';

/** Snapshots that were asked for together, from the asking until every one is decided. */
export class Run {
  readonly repository: string;
  /** As in the names and labels of its snapshots. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  /** The newest commit when it was asked for; '' before the first. */
  readonly after: string;
  /** By claim. */
  readonly records: Map<string, ClaimRecord>;
  /** Claims whose snapshot the API server has not taken yet: that there is none says nothing. */
  readonly unasked: Set<string>;
  /** Handles that the driver keeps whatever happens to the objects. */
  readonly retained = new Set<string>();
  /** The commit that names it. */
  commit: string | undefined;
  /** Everything was asked for, or refused. */
  asking: Promise<void> = Promise.resolve();
  hold: Hold | undefined;
  /** Since it was asked for, when the last handle was there. */
  handlesMs: number | undefined;
  readonly #note: DataNote;
  #quiesced: boolean | undefined;
  readonly #problems = new Set<string>();

  constructor(what: {
    readonly repository: string;
    readonly id: string;
    readonly askedAt: number;
    readonly after?: string;
    readonly records: ReadonlyMap<string, ClaimRecord>;
    /** What of the note does not change. */
    readonly note: DataNote;
    readonly unasked: Iterable<string>;
  }) {
    this.repository = what.repository;
    this.id = what.id;
    this.askedAt = what.askedAt;
    this.after = what.after ?? '';
    this.records = new Map(what.records);
    this.unasked = new Set(what.unasked);
    this.#note = what.note;
  }

  get note(): DataNote {
    const problems = [...new Set([...(this.#note.problems ?? []), ...this.#problems])];
    return {
      ...this.#note,
      askedAt: this.#note.askedAt ?? new Date(this.askedAt).toISOString(),
      ...(this.#quiesced === undefined ? {} : { quiesced: this.#quiesced }),
      ...(problems.length === 0 ? {} : { problems: problems.slice(0, MOST_PROBLEMS) }),
      claims: Object.fromEntries(this.records),
    };
  }

  /** VolumeSnapshots by claim: what the commit says. Nothing that was refused already. */
  get named(): ReadonlyMap<string, string> {
    const asked = [...this.records].filter(([, { state }]) => state !== 'failed');
    return new Map(asked.map(([claim, { volumeSnapshot }]) => [claim, volumeSnapshot]));
  }

  get pending(): readonly (readonly [string, ClaimRecord])[] {
    return [...this.records].filter(([, { state }]) => state === 'pending');
  }

  /** Nothing is waited for that the applications would have to stand still for. */
  get hasHandles(): boolean {
    return this.unasked.size === 0 && this.pending.every(([, { handle }]) => handle !== undefined);
  }

  tell(problem: string): void {
    this.#problems.add(problem.slice(0, LONGEST_PROBLEM));
  }

  /** Lets the applications go on; once. */
  async release(): Promise<void> {
    const hold = this.hold;
    this.hold = undefined;
    if (hold === undefined) return;
    const { quiesced, problems } = await hold.release();
    this.#quiesced = quiesced;
    for (const problem of problems) this.tell(problem);
  }
}

const [MOST_PROBLEMS, LONGEST_PROBLEM] = [20, 300];
