import { pause } from '../core/pause.ts';
import { passingOf } from '../core/restore/passing.ts';
import type { Step } from '../core/restore/plan.ts';
import type { WriteAnswer } from '../core/restore/ports.ts';
import { ended, type StepEnd } from './events.ts';
import type { Run } from './run.ts';
import { TELL_EVERY_MS } from './waits.ts';

const [SHORTEST_MS, LONGEST_MS] = [250, 2_000];

/** The answer of the server, waiting as long as its refusal is one that passes; or how the step ends when it does not. */
export async function persist(
  run: Run,
  step: Pick<Step, 'ref'>,
  send: () => Promise<WriteAnswer>,
): Promise<WriteAnswer | { readonly ok: 'ended'; readonly end: StepEnd }> {
  const began = run.clock.monotonic();
  const { readyMs } = run.limits;
  let told = Number.NEGATIVE_INFINITY;
  let waitedFor: string | undefined;
  for (let ms = SHORTEST_MS; ; ms = Math.min(ms * 1.5, LONGEST_MS)) {
    const answer = await send();
    const passing = answer.ok ? undefined : passingOf(answer.refused, step.ref);
    if (passing === undefined) {
      if (waitedFor !== undefined) run.waitingSince.delete(waitedFor);
      return answer;
    }
    const now = run.clock.monotonic();
    const since = run.waitingSince.get(passing.key) ?? now;
    run.waitingSince.set(passing.key, since);
    waitedFor = passing.key;
    if (now - since >= readyMs) return { ok: 'ended', end: ended('timed-out', `it waited for ${passing.words}`) };
    if (run.isStopped) return { ok: 'ended', end: ended('failed', `stopped while it waited for ${passing.words}`) };
    if (now - told >= TELL_EVERY_MS) {
      run.emit({ type: 'waiting', for: passing.words, ms: Math.round(now - began), deadlineMs: readyMs });
      told = now;
    }
    await pause(ms, run.signal);
  }
}
