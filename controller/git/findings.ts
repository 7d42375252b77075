/** What a check found in a repository. */
export interface Finding {
  /** A file relative to the repository, `object ID`, or a ref. */
  readonly where: string;
  /** Goes on behind `where` as a sentence: 'is missing'. */
  readonly problem: string;
  /** damage: something is lost or cannot be trusted · warning: all can be read, and Git or we would trip over it. */
  readonly severity: 'damage' | 'warning';
}

export interface Findings {
  readonly findings: readonly Finding[];
  /** How many more there are that are not listed. */
  readonly unlisted: number;
  readonly isDamaged: boolean;
  /** What was looked at. */
  readonly objects: number;
  readonly commits: number;
}

const MOST_LISTED = 100;

/** Collects findings, each once; a repository that is one ruin must not fill the memory with words. */
export class FindingList {
  readonly #known = new Set<string>();
  readonly #list: Finding[] = [];
  #unlisted = 0;
  #isDamaged = false;

  damage(where: string, problem: string): void {
    this.#add({ where, problem, severity: 'damage' });
  }

  warning(where: string, problem: string): void {
    this.#add({ where, problem, severity: 'warning' });
  }

  /** What to do first stands first. */
  finish(counts: Pick<Findings, 'objects' | 'commits'>): Findings {
    const findings = [...this.#list].sort((left, right) => rank(left) - rank(right));
    return { findings, unlisted: this.#unlisted, isDamaged: this.#isDamaged, ...counts };
  }

  #add(finding: Finding): void {
    this.#isDamaged ||= finding.severity === 'damage';
    if (this.#known.has(finding.where)) return;
    if (this.#list.length >= MOST_LISTED) {
      this.#unlisted += 1;
      return;
    }
    this.#known.add(finding.where);
    this.#list.push(finding);
  }
}

function rank(finding: Finding): number {
  return finding.severity === 'damage' ? 0 : 1;
}
