import { renderRef } from '../object.ts';
import type { Filling } from './fill-objects.ts';
import type { JournalEntry, KeptVolume, ScaledWork, VolumeWork } from './journal.ts';

export type VolumeEntry = Extract<
  JournalEntry,
  { type: 'filling' | 'filled' | 'scaled' | 'scaled-back' | 'volume-kept' | 'volume-let-go' }
>;

/** What of the volumes' work was begun and not ended, from a journal's entries in their order. */
export class OpenVolumeWork {
  readonly #fillings = new Map<string, Filling>();
  readonly #scaled = new Map<string, ScaledWork>();
  readonly #kept = new Map<string, KeptVolume>();

  take(entry: VolumeEntry): void {
    switch (entry.type) {
      case 'filling': {
        const { type, ...filling } = entry;
        this.#fillings.set(entry.claim, filling);
        break;
      }
      case 'filled':
        this.#fillings.delete(entry.claim);
        break;
      case 'scaled': {
        const { type, ...scaled } = entry;
        this.#scaled.set(renderRef(entry.ref), scaled);
        break;
      }
      case 'scaled-back':
        this.#scaled.delete(renderRef(entry.ref));
        break;
      case 'volume-kept': {
        const { type, ...kept } = entry;
        this.#kept.set(entry.volume, kept);
        break;
      }
      case 'volume-let-go':
        this.#kept.delete(entry.volume);
        break;
      default:
        entry satisfies never;
    }
  }

  /** Undefined: nothing is open. */
  get work(): VolumeWork | undefined {
    const work = {
      fillings: [...this.#fillings.values()],
      scaled: [...this.#scaled.values()],
      kept: [...this.#kept.values()],
    };
    return work.fillings.length + work.scaled.length + work.kept.length === 0 ? undefined : work;
  }
}
