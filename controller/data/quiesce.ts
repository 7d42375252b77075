import type { HookSpec } from '../api/hooks.ts';
import { type HookPlan, planHooks } from '../core/data/hooks.ts';
import type { PodExec } from '../core/data/hooks-exec.ts';
import type { HookJournal } from '../core/data/hooks-journal.ts';
import type { Hold, Quiescer, Released } from '../core/data/quiesce.ts';
import type { KubeObject } from '../core/object.ts';
import { PodHold } from './quiesce-pod.ts';
import { recallPods } from './quiesce-recall.ts';

/** Holds the applications of a namespace still while their volumes are snapshotted: all pods at once, never one after the other. */

export interface QuiesceParts {
  readonly exec: PodExec;
  readonly journal: HookJournal;
  /** Of the policy; annotations on pods win. */
  readonly hooks: readonly HookSpec[];
  /** Undefined when it is gone. */
  readonly readPod: (
    namespace: string,
    name: string,
    signal: AbortSignal,
  ) => Promise<KubeObject | 'forbidden' | undefined>;
  /** From the moment when all is held; then it is let go although nobody asked. 60 s. */
  readonly longestHoldMs?: number;
}

const LONGEST_HOLD_MS = 60_000;
/** The pods' own timers must never come before ours. */
const SLACK_MS = 30_000;

export function openQuiescer(parts: QuiesceParts): Quiescer {
  const { longestHoldMs = LONGEST_HOLD_MS } = parts;
  return {
    hold: async (namespace, { pods, claims }, signal) => {
      const plan = planHooks(namespace, pods, claims, parts.hooks);
      if (plan.pods.length === 0 && plan.problems.length === 0) return undefined;
      const longestMs = preparationOf(plan) + longestHoldMs + SLACK_MS;
      const holds = plan.pods.map((hooks) => new PodHold(hooks, { ...parts, longestMs }));
      const hold = new NamespaceHold(holds, plan.problems, longestHoldMs);
      const prepared = await Promise.allSettled(holds.map((one) => one.prepare(signal)));
      const failed = prepared.find((one) => one.status === 'rejected');
      if (failed !== undefined) {
        await hold.release();
        throw failed.reason;
      }
      hold.begin();
      return hold;
    },
    recall: (signal) => recallPods(parts, signal),
  };
}

/** The longest that a pod may take until it is held. */
function preparationOf({ pods }: HookPlan): number {
  const times = pods.map(({ pre, held }) => [...pre, ...held].reduce((sum, { timeoutMs }) => sum + timeoutMs, 0));
  return Math.max(0, ...times);
}

class NamespaceHold implements Hold {
  readonly #pods: readonly PodHold[];
  readonly #problems: readonly string[];
  readonly #longestMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOverdue = false;
  #released: Promise<Released> | undefined;

  constructor(pods: readonly PodHold[], problems: readonly string[], longestMs: number) {
    this.#pods = pods;
    this.#problems = problems;
    this.#longestMs = longestMs;
  }

  begin(): void {
    this.#timer = setTimeout(() => {
      this.#isOverdue = true;
      this.#released ??= this.#release();
    }, this.#longestMs);
  }

  release(): Promise<Released> {
    clearTimeout(this.#timer);
    this.#released ??= this.#release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<Released> {
    await Promise.all(this.#pods.map((pod) => pod.release()));
    const overdue = `let go after ${this.#longestMs / 1000} s, before all snapshots were cut`;
    const problems = [
      ...this.#problems,
      ...this.#pods.flatMap((pod) => pod.problems),
      ...(this.#isOverdue ? [overdue] : []),
    ];
    const isQuiet = this.#problems.length === 0 && this.#pods.every((pod) => pod.isQuiet);
    return { quiesced: isQuiet && !this.#isOverdue, problems };
  }
}
