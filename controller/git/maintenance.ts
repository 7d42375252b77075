import type { BeginWork, Work } from '../core/works.ts';
import { type ConsolidateOptions, type Consolidation, consolidatePacks } from './consolidate.ts';
import type { Guard } from './fenced-file.ts';
import { blobId } from './object-id.ts';
import type { ObjectStore } from './object-store.ts';

export interface MaintenanceOptions {
  /** The fence: asked before what was written becomes visible; what it throws leaves refs and packs as they were. */
  readonly guard?: Guard;
  /** Consolidate by itself after commits; on unless said otherwise. */
  readonly autoConsolidate?: boolean;
  /** Told of every consolidation that began by itself: its result, or why it failed. A failure loses nothing and is tried again after the next commit. */
  readonly onConsolidation?: (outcome: { readonly result: Consolidation } | { readonly error: unknown }) => void;
  /** Told of every write and consolidation while it is under way. */
  readonly begin?: BeginWork;
}

/** Fifty packs is where reading slows down; a write waits before it makes the fiftieth. */
const MOST_PACKS = 49;
/** Repositories that commit in step must not all consolidate at once: each begins somewhere in this range. */
const FEWEST_PACKS = 33;
/** Windows store large trees whole; that many bytes of them are given back earlier. */
const MOST_WINDOW_BYTES = 64 * 1024 * 1024;

/** Up to here a whole repository is copied in a moment: by itself, and when somebody asked for it. */
const COPY_BY_ITSELF = 2 * 1024 * 1024;
const COPY_ON_REQUEST = 64 * 1024 * 1024;

/** One consolidation at a time in the whole process: it is work for the processor. */
let turn: Promise<unknown> = Promise.resolve();

/** Keeps one repository small and quick without a person. */
export class Maintenance {
  readonly #store: ObjectStore;
  readonly #options: MaintenanceOptions;
  readonly #beginAt: number;
  #windowBytes = 0;
  #running: Promise<void> | undefined;
  /** Why the last consolidation that began by itself failed; undefined when it did not. */
  error: unknown;

  constructor(store: ObjectStore, options: MaintenanceOptions) {
    this.#store = store;
    this.#options = options;
    const spread = Number.parseInt(blobId(store.directory).slice(0, 8), 16);
    this.#beginAt = FEWEST_PACKS + (spread % (MOST_PACKS - FEWEST_PACKS));
  }

  /** Undefined where nobody wants to know. */
  begin(what: string): Work | undefined {
    return this.#options.begin?.(what);
  }

  /** To be called before a pack is written: waits when there are too many packs already. */
  async makeRoom(): Promise<void> {
    if (this.#store.packs.length >= MOST_PACKS) await this.#running;
  }

  /** To be called after a pack was written: begins to consolidate in the background when it is time. */
  afterWrite(bytes: number): void {
    this.#windowBytes += bytes;
    const isDue = this.#store.packs.length > this.#beginAt || this.#windowBytes > MOST_WINDOW_BYTES;
    if (!isDue || this.#running !== undefined || this.#options.autoConsolidate === false) return;
    this.#running = this.#runAlone();
  }

  async #runAlone(): Promise<void> {
    try {
      const result = await this.#inTurn(COPY_BY_ITSELF);
      this.error = undefined;
      this.#options.onConsolidation?.({ result });
    } catch (error) {
      this.error = error;
      this.#options.onConsolidation?.({ error });
    } finally {
      this.#running = undefined;
    }
  }

  /** Waits for its turn in the process, then merges. */
  consolidate(options: ConsolidateOptions): Promise<Consolidation> {
    return this.#inTurn(options.full === true ? Number.POSITIVE_INFINITY : COPY_ON_REQUEST);
  }

  #inTurn(copyBelow: number): Promise<Consolidation> {
    const run = async () => {
      this.#windowBytes = 0;
      using work = this.begin('consolidation');
      return await consolidatePacks(this.#store, copyBelow, this.#options.guard, () => work?.step());
    };
    const result = turn.then(run);
    turn = result.catch(() => undefined);
    return result;
  }

  /** Waits for what runs in the background. */
  async settle(): Promise<void> {
    await this.#running;
  }
}
