import type { PodHooks } from '../core/data/hooks.ts';
import type { ExecSession, PodExec } from '../core/data/hooks-exec.ts';
import type { HeldPod, HookJournal } from '../core/data/hooks-journal.ts';
import type { HookStep } from '../core/data/hooks-step.ts';
import { KeeperError } from '../errors.ts';
import { arm, endHeld, faultOf, fire, hold, type PodPlace, type Ran, runSurely, runToEnd } from './quiesce-sessions.ts';

/**
 * The hooks of one pod: what lets it go is made sure of first, then pre hooks and held ones, each in their order. At the release the held ones
 * end, the last first, then the post hooks run in their order.
 */
export class PodHold {
  readonly problems: string[] = [];
  #isQuiet = true;
  readonly #hooks: PodHooks;
  readonly #place: PodPlace;
  readonly #journal: HookJournal;
  readonly #held: { readonly step: HookStep; readonly session: ExecSession }[] = [];
  /** What lets go of the pod is prepared; else nothing was held. */
  #isSure = false;
  /** By post hook; undefined: it is run by us. */
  readonly #armed: (ExecSession | undefined)[] = [];

  constructor(hooks: PodHooks, parts: { exec: PodExec; journal: HookJournal; longestMs: number }) {
    this.#hooks = hooks;
    this.#journal = parts.journal;
    this.#place = { exec: parts.exec, namespace: hooks.namespace, pod: hooks.pod, longestMs: parts.longestMs };
  }

  /** Every hook came off so far that counts. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** Throws the signal's reason, then too it has to be released. */
  async prepare(signal: AbortSignal): Promise<void> {
    if (!(await this.#makeSure(signal))) return;
    for (const step of this.#hooks.pre) {
      const { fault } = await runToEnd(this.#place, step, signal);
      if (!this.#take(step, fault)) return;
    }
    for (const step of this.#hooks.held) {
      const found = await hold(this.#place, step, signal);
      if ('session' in found) this.#held.push({ step, session: found.session });
      else if (!this.#take(step, found.refused)) return;
    }
  }

  /** Bounded by the hooks' times. */
  async release(): Promise<void> {
    const early = new Set<ExecSession>();
    for (const session of [...this.#held.map(({ session }) => session), ...this.#armed]) {
      if (session?.end !== undefined) early.add(session);
    }
    for (const { step, session } of this.#held.reverse()) {
      this.#take(step, early.has(session) ? tooEarly(session) : await endHeld(session, step));
    }
    if (!this.#isSure) {
      for (const session of this.#armed) session?.leave();
      return;
    }
    let areOver = true;
    for (const [index, step] of this.#hooks.post.entries()) {
      const session = this.#armed[index];
      if (session !== undefined && early.has(session)) this.#take(step, 'may have run before the snapshots were cut');
      const { fault, state } = await this.#let(step, session);
      this.#take(step, fault);
      areOver &&= state === 'over';
    }
    if (!areOver) await this.#onDisk((journal) => journal.put(this.#entry));
    else if (this.#armed.includes(undefined)) await this.#onDisk((journal) => journal.remove(this.#entry.uid));
  }

  get #entry(): HeldPod {
    const { namespace, pod, uid } = this.#hooks;
    return { namespace, pod, uid };
  }

  /** False: nothing may be held, for nothing would let go. */
  async #makeSure(signal: AbortSignal): Promise<boolean> {
    const answers = await Promise.all(
      this.#hooks.post.map(async (step, index) => {
        this.#armed[index] = undefined;
        const answer = await arm(this.#place, step, signal);
        if (answer !== 'no shell' && 'session' in answer) this.#armed[index] = answer.session;
        return { step, answer };
      }),
    );
    for (const { step, answer } of answers) {
      if (answer === 'no shell' || !('refused' in answer)) continue;
      this.#fail(step, answer.refused);
      return false;
    }
    const isAlone = answers.some(({ answer }) => answer === 'no shell');
    this.#isSure = !isAlone || (await this.#onDisk((journal) => journal.put(this.#entry)));
    return this.#isSure;
  }

  async #onDisk(work: (journal: HookJournal) => Promise<void>): Promise<boolean> {
    try {
      await work(this.#journal);
      return true;
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error;
      this.#isQuiet = false;
      this.problems.push(`pod ${this.#hooks.pod}: ${error.message}`);
      return false;
    }
  }

  async #let(step: HookStep, session: ExecSession | undefined): Promise<Ran> {
    const fault = session === undefined ? 'lost' : await fire(session, step);
    // Twice is better than never: a second thaw fails, a missing one freezes.
    if (fault === 'lost') return runSurely(this.#place, step, new AbortController().signal);
    return { fault, state: 'over' };
  }

  /** False: what comes after it must not run. */
  #take(step: HookStep, fault: string | undefined): boolean {
    if (fault === undefined) return true;
    this.#fail(step, fault);
    return step.isOptional;
  }

  #fail({ label, isOptional }: HookStep, fault: string): void {
    this.problems.push(`pod ${this.#hooks.pod}: ${label} ${fault}${isOptional ? ' (does not count)' : ''}`);
    if (!isOptional) this.#isQuiet = false;
  }
}

function tooEarly({ end }: ExecSession): string {
  const fault = end === undefined ? undefined : faultOf(end);
  return `${fault ?? 'ended'} before the snapshots were cut`;
}
