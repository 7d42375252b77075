import { type StepResult, stepKey } from '../core/restore/journal.ts';
import { countSteps, isLeftUndone, type Plan, type Step, volumesLeftUndone } from '../core/restore/plan.ts';
import type { VolumePlan } from '../core/restore/volume-plan.ts';
import { EXIT } from '../errors.ts';
import type { CarryOutEvent } from '../restore/carry-out.ts';
import type { ReadBack } from '../restore/read-back.ts';
import { printLine, printNote, quoteWord } from './output.ts';
import { openProgress } from './progress.ts';

/** What a restore tells as it goes, and what came of it. */

interface Ended {
  readonly step: Step;
  readonly result: StepResult;
  readonly reason?: string;
  readonly notes: readonly string[];
}

const DONE: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'updated',
  replace: 'replaced',
  delete: 'deleted',
};

/** What came of one restore. */
export interface Told {
  readonly code: number;
  /** For `-o json`. */
  readonly document: object;
}

interface Named {
  readonly safetyTag: string | undefined;
  /** That was restored from. */
  readonly repository: string;
  /** That was restored into. */
  readonly target: string;
  readonly dataDirectory: string;
}

export class RestoreReport {
  readonly #format: 'text' | 'json';
  readonly #progress = openProgress();
  readonly #ended: Ended[] = [];
  readonly #incomplete: { readonly object: string; readonly reason: string }[] = [];
  readonly #volumes: Extract<CarryOutEvent, { type: 'volume' }>[] = [];
  #readBack: ReadBack | undefined;
  #stoppedBy: string | undefined;

  readonly #prefix: string;

  /** `prefix` stands before what is told of one of several namespaces. */
  constructor(format: 'text' | 'json', prefix = '') {
    this.#format = format;
    this.#prefix = prefix;
  }

  take(event: CarryOutEvent): void {
    switch (event.type) {
      case 'wave':
        this.#progress.tell(`${event.wave}: ${event.steps} ${event.steps === 1 ? 'object' : 'objects'}`);
        break;
      case 'step':
        this.#ended.push(event);
        if (event.result !== 'done')
          this.#note(`${event.result}: ${nameOf(event.step)}: ${event.reason ?? 'no reason given'}`);
        else this.#progress.tell(`${DONE[event.step.action]} ${nameOf(event.step)} (${this.#ended.length})`);
        break;
      case 'waiting':
        this.#note(
          `waiting for ${event.for} (${Math.round(event.ms / 1000)} of ${Math.round(event.deadlineMs / 1000)} s)`,
        );
        break;
      case 'incomplete':
        this.#incomplete.push(event);
        this.#note(`incomplete: ${event.object}: ${event.reason}`);
        break;
      case 'volume':
        this.#volumes.push(event);
        if (event.result === 'filled') this.#progress.tell(`filled ${event.claim}`);
        else this.#note(`persistentvolumeclaims/${event.claim}: ${event.words}`);
        break;
      case 'done':
        if (event.stoppedBy !== undefined)
          this.#stoppedBy = event.stoppedBy === 'abort' ? 'interrupted' : event.stoppedBy.message;
        break;
      case 'read-back':
        this.#readBack = event.result;
        break;
      default:
        event satisfies never;
    }
  }

  nothing(plan: Plan): Told {
    const isWhole = !plan.steps.some(isLeftUndone) && volumesLeftUndone(plan).length === 0;
    const kept = plan.steps.length;
    const right = kept === 0 ? '' : `, ${kept} ${kept === 1 ? 'stays' : 'stay'} as the plan says`;
    if (this.#format === 'text')
      this.#note(
        isWhole
          ? `nothing to restore: ${plan.equal} objects are equal${right}`
          : 'nothing of it can be done; nothing was changed',
      );
    const code = isWhole ? EXIT.done : EXIT.partial;
    const equal = plan.steps.every(({ isRight }) => isRight === true);
    return { code, document: this.#document(plan, { equal, safetyTag: undefined }) };
  }

  /** Tells the end. */
  end(plan: Plan, named: Named): Told {
    this.#progress.end();
    const undone = this.#ended.filter(({ result }) => result !== 'done');
    const skipped = plan.steps.filter(isLeftUndone);
    const kept = volumesLeftUndone(plan);
    const different = this.#readBack?.different ?? [];
    const isEqual =
      this.#stoppedBy === undefined && undone.length === 0 && different.length === 0 && this.#incomplete.length === 0;
    const { safetyTag } = named;
    const document = this.#document(plan, { equal: isEqual && skipped.length + kept.length === 0, safetyTag });
    if (this.#format === 'text') {
      const hasReplaced = plan.volumes?.some(({ action }) => action === 'replace') === true;
      this.#text({ undone, skipped, kept, different, isEqual, hasReplaced, ...named });
    }
    const left = undone.length + skipped.length + kept.length + this.#incomplete.length;
    const isPartly = this.#stoppedBy !== undefined || left > 0;
    const finished = isPartly ? EXIT.partial : different.length > 0 ? EXIT.failed : EXIT.done;
    return { code: this.#stoppedBy === 'interrupted' ? EXIT.interrupted : finished, document };
  }

  #text(
    told: {
      readonly undone: readonly Ended[];
      readonly skipped: readonly Step[];
      readonly kept: readonly VolumePlan[];
      readonly different: ReadBack['different'];
      readonly isEqual: boolean;
      readonly hasReplaced: boolean;
    } & Named,
  ): void {
    const { undone, skipped, kept, different, isEqual, hasReplaced } = told;
    const { safetyTag, repository, target, dataDirectory } = told;
    const back = hasReplaced ? ' --existing-data replace' : '';
    const where = dataDirectory === './kubekeeper-data' ? '' : ` --data-dir ${quoteWord(dataDirectory)}`;
    for (const { step, notes } of this.#ended) for (const note of notes) this.#note(`${nameOf(step)}: ${note}`);
    for (const one of different) {
      printLine(`${this.#prefix}differs   ${one.object}${one.reason === undefined ? '' : `  ${one.reason}`}`);
      for (const { long } of one.fields) printLine(`          ${long}`);
    }
    const done = this.#ended.length - undone.length;
    const filled = this.#volumes.length;
    const data = filled === 0 ? '' : `, with data of ${filled} ${filled === 1 ? 'claim' : 'claims'}`;
    const objects = `${done} ${done === 1 ? 'object' : 'objects'}${data}`;
    const rest = [
      ...(undone.length === 0 ? [] : [`${undone.length} not done`]),
      ...(skipped.length === 0 ? [] : [`${skipped.length} skipped`]),
      ...(kept.length === 0 ? [] : [`data of ${kept.length} not replaced`]),
      ...(different.length === 0 ? [] : [`${different.length} differ`]),
      ...(this.#incomplete.length === 0 ? [] : [`${this.#incomplete.length} incomplete`]),
    ];
    if (this.#stoppedBy !== undefined) printLine(`${this.#prefix}stopped after ${objects}: ${this.#stoppedBy}`);
    else printLine(`${this.#prefix}restored ${objects}, ${rest.length === 0 && isEqual ? 'equal' : rest.join(', ')}`);
    if (this.#stoppedBy !== undefined) this.#note(`go on with: kubekeeper restore ${repository} --resume${where}`);
    else if (safetyTag !== undefined)
      this.#note(`take it back: kubekeeper restore ${target} --to ${safetyTag} --prune${back}${where}`);
  }

  #document(
    plan: Plan,
    { equal, safetyTag }: { readonly equal: boolean; readonly safetyTag: string | undefined },
  ): object {
    // In the order of the plan: which of sixteen ends first says nothing.
    const order = new Map(plan.steps.map((step, index) => [stepKey(step), index]));
    const placeOf = ({ step }: Ended) => order.get(stepKey(step)) ?? order.size;
    const ended = this.#ended.toSorted((left, right) => placeOf(left) - placeOf(right));
    const steps = ended.map(({ step, result, reason, notes }) => ({
      action: step.action,
      ref: step.ref,
      result,
      reason,
      notes,
    }));
    const left = plan.steps.filter(({ action }) => action === 'skip' || action === 'keep');
    return {
      version: 1,
      repository: plan.repository,
      plan: plan.hash,
      commit: plan.commit,
      counts: countSteps(plan.steps),
      equal,
      safetyTag,
      stoppedBy: this.#stoppedBy,
      steps,
      left: left.map(({ action, ref, reason }) => ({ action, ref, reason })),
      volumes: (plan.volumes ?? []).map((volume) => ({
        ...volume,
        result: this.#volumes.find(({ claim }) => claim === volume.claim)?.result,
      })),
      incomplete: this.#incomplete,
      different: this.#readBack?.different ?? [],
    };
  }

  #note(line: string): void {
    this.#progress.end();
    printNote(`${this.#prefix}${line}`);
  }
}

function nameOf({ ref }: Step): string {
  return `${ref.resource}/${ref.name}`;
}
