import { renderRef } from '../object.ts';
import type { StepResult } from './journal.ts';
import { isLeftUndone, type Plan, type Step, volumesLeftUndone } from './plan.ts';
import { inert } from './plan-markdown.ts';

/** Enough for a person to look at; the journal has all. */
const MOST_LINES = 50;

/** What became of a restore, in a few words and as Markdown. */
export class RestoreSummary {
  readonly #plan: Plan;
  readonly #safetyTag: string | undefined;
  #done = 0;
  readonly #undone: string[] = [];
  readonly #incomplete: string[] = [];
  readonly #different: string[] = [];

  /** `safetyTag` names what lived before. */
  constructor(plan: Plan, safetyTag: string | undefined) {
    this.#plan = plan;
    this.#safetyTag = safetyTag;
  }

  step({ ref }: Step, result: StepResult, reason: string | undefined): void {
    if (result === 'done') this.#done++;
    else this.#undone.push(`${result}: ${renderRef(ref)}${reason === undefined ? '' : `: ${reason}`}`);
  }

  incomplete(object: string, reason: string): void {
    this.#incomplete.push(`incomplete: ${object}: ${reason}`);
  }

  differs(object: string): void {
    this.#different.push(`differs: ${object}`);
  }

  /** 'restored 214 objects, equal'; one line. */
  get words(): string {
    const skipped = this.#plan.steps.filter(isLeftUndone).length + volumesLeftUndone(this.#plan).length;
    const rest = [
      ...count(this.#undone, 'not done'),
      ...(skipped === 0 ? [] : [`${skipped} skipped`]),
      ...count(this.#different, 'differ'),
      ...count(this.#incomplete, 'incomplete'),
    ];
    const objects = this.#done === 1 ? '1 object' : `${this.#done} objects`;
    return `restored ${objects}, ${rest.length === 0 ? 'equal' : rest.join(', ')}`;
  }

  get markdown(): string {
    const lines = [...this.#undone, ...this.#different, ...this.#incomplete];
    const shown = lines.slice(0, MOST_LINES).map((line) => `- ${inert(line)}`);
    const more = lines.length > MOST_LINES ? [`- and ${lines.length - MOST_LINES} more`] : [];
    const before = this.#safetyTag === undefined ? [] : [`What lived before is kept as ${inert(this.#safetyTag)}.`];
    return [...before, [...shown, ...more].join('\n')].filter((part) => part !== '').join('\n\n');
  }
}

function count(lines: readonly string[], what: string): readonly string[] {
  return lines.length === 0 ? [] : [`${lines.length} ${what}`];
}
