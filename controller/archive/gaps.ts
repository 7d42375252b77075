import type { Outcome } from '../core/outcome.ts';
import type { Gap } from '../core/vitals.ts';

/** What is known to be missing without reading it: a group that does not answer, a resource that is no longer served, a slip of the finger. */
export class Gaps {
  #told: ReadonlyMap<string, Outcome> = new Map();
  #asked: readonly Outcome[] = [];

  /** Takes all that the catalogue lacks; answers what is new, so that each gap is told once until it closes. */
  update(found: readonly Outcome[]): readonly Outcome[] {
    const before = this.#told;
    this.#told = new Map(found.map((gap) => [JSON.stringify(gap), gap]));
    return [...this.#told].flatMap(([key, gap]) => (before.has(key) ? [] : [gap]));
  }

  /** Takes what was asked for by name and was not there at the start. */
  remember(missing: readonly Outcome[]): readonly Outcome[] {
    this.#asked = missing;
    return missing;
  }

  /** Those of now; `isMissing` says whether what was asked for is still not there. */
  all(isMissing: (gap: Gap) => boolean): readonly Gap[] {
    return [...gapsOf(this.#told.values()), ...gapsOf(this.#asked).filter(isMissing)];
  }
}

function gapsOf(outcomes: Iterable<Outcome>): readonly Gap[] {
  return [...outcomes].filter((outcome) => outcome.type === 'skipped');
}
