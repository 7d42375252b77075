import { Breath } from './breathe.ts';
import { choosePacks } from './choose-packs.ts';
import { errnoOf, fileFailure } from './errors.ts';
import type { Guard } from './fenced-file.ts';
import { type ObjectStore, openPack } from './object-store.ts';
import { planDeltas } from './plan-deltas.ts';
import { readMergeTable } from './read-merge-table.ts';
import { removePacks } from './remove-pack.ts';
import { writeMerged } from './write-merged.ts';

export interface ConsolidateOptions {
  /** Merge everything into one pack, however large; otherwise old packs much larger than the rest are left alone. */
  readonly full?: boolean;
}

export interface Consolidation {
  /** How many packs became one; 0 when there was nothing to gain. */
  readonly merged: number;
  /** What is there now: packs, and their bytes with indexes. */
  readonly packs: number;
  readonly bytes: number;
  readonly bytesBefore: number;
  readonly objects: number;
}

const MOST_TRIES = 3;

/**
 * Merges packs into one with deltas between versions. Commits may go on meanwhile: they only add packs. The merged pack
 * is durable before the first of the old ones is removed, so a crash leaves at worst both; nothing is ever dropped. Up to
 * `copyBelow` bytes everything is merged, beyond that only what is worth it. `onStep` is called while it moves.
 */
export async function consolidatePacks(
  store: ObjectStore,
  copyBelow: number,
  guard?: Guard,
  onStep?: () => void,
): Promise<Consolidation> {
  const bytesBefore = bytesOf(store);
  for (let tries = 1; ; tries++) {
    try {
      return await mergeChosen(store, { copyBelow, bytesBefore }, guard, onStep);
    } catch (error) {
      const isGone = errnoOf(error) === 'ENOENT';
      if (isGone) {
        await guard?.();
        // A writer from which we took over may still finish a merge of its own: what is there now begins anew.
        store.rescan();
      }
      if (!isGone || tries === MOST_TRIES) throw fileFailure(store.directory, 'consolidate packs', error);
    }
  }
}

async function mergeChosen(
  store: ObjectStore,
  { copyBelow, bytesBefore }: { copyBelow: number; bytesBefore: number },
  guard: Guard | undefined,
  onStep: (() => void) | undefined,
): Promise<Consolidation> {
  const chosen = choosePacks(store.packs, copyBelow);
  const unchanged = { merged: 0, packs: store.packs.length, bytes: bytesBefore, bytesBefore, objects: 0 };
  if (chosen.length === 0) return unchanged;
  const breath = new Breath(onStep);
  const merge = await readMergeTable(chosen, breath);
  if (chosen.length === 1 && merge.hasDeltas[0]) return unchanged;
  await planDeltas(store, merge, breath);
  const { name } = await writeMerged(store, merge, breath, guard);
  // Whoever takes over from here on finds the merged pack whole and keeps it, so the old ones may go at any later time.
  await guard?.();
  store.replace(new Set(chosen.map((pack) => pack.name)), openPack(store.directory, name, false));
  await removePacks(store.packDirectory, chosen);
  return {
    merged: chosen.length,
    packs: store.packs.length,
    bytes: bytesOf(store),
    bytesBefore,
    objects: merge.table.count,
  };
}

function bytesOf(store: ObjectStore): number {
  return store.packs.reduce((sum, pack) => sum + pack.bytes, 0);
}
