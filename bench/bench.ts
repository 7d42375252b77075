import type { Section } from './report/section.ts';
import type { World, WorldSize } from './world/world.ts';

/** One question about speed or size, answered by measuring; `Figures` is what lies in bench/results/NAME.json. */
export interface Bench<Figures = unknown> {
  readonly name: string;
  readonly title: string;
  /** One line for `--help`. */
  readonly summary: string;
  measure(context: BenchContext): Promise<Figures>;
  /** Figures in words; pure, so that RESULTS.md can be written again without measuring. */
  describe(figures: Figures): Section;
}

export interface BenchContext {
  /** Small numbers: does it run at all? What it measures says nothing. */
  readonly isQuick: boolean;
  /** Empty at the start, gone at the end. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Progress, for a person. */
  tell(text: string): void;
  /** A real control plane with these objects; the last one is kept for the next bench that asks for the same. */
  world(size: WorldSize): Promise<World>;
}
