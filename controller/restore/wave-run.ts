import { resourceName } from '../core/object.ts';
import type { Step } from '../core/restore/plan.ts';
import { sideBySide } from '../core/streams.ts';
import type { StepEnd } from './events.ts';
import type { Run } from './run.ts';
import { runStep } from './step-run.ts';
import { waitFor } from './waits.ts';

/** The steps of one wave, side by side. One that fails stops none of the others. */

export const SIDE_BY_SIDE = 16;

/** Definitions mostly wait, and all of them for the same. */
const DEFINITIONS_SIDE_BY_SIDE = 64;

export async function runWave(run: Run, steps: readonly Step[]): Promise<void> {
  const isDefining = steps[0]?.wave === 'definitions';
  const width = isDefining ? DEFINITIONS_SIDE_BY_SIDE : SIDE_BY_SIDE;
  const before = run.counts.done;
  const failed: { readonly step: Step; readonly end: StepEnd }[] = [];
  await sideBySide(inOrder(steps), width, async (step) => {
    const end = await runStep(run, step);
    if (end.result === 'failed' && step.action === 'create') failed.push({ step, end });
    else finish(run, step, end);
  });
  const isWorthwhile = run.counts.done > before && !run.isStopped;
  // What one of them named was perhaps made after it.
  await sideBySide(failed, width, async ({ step, end }) => {
    finish(run, step, isWorthwhile ? await runStep(run, step) : end);
  });
  if (isDefining) await untilServed(run);
}

/** Bindings name roles. */
function inOrder(steps: readonly Step[]): readonly Step[] {
  const isLate = ({ ref }: Step) => /^(?:cluster)?rolebindings\./.test(ref.resource);
  return [...steps.filter((step) => !isLate(step)), ...steps.filter(isLate)];
}

function finish(run: Run, step: Step, end: StepEnd): void {
  if (end.result !== 'done') run.noteMissing(step, end.reason ?? 'the restore was stopped');
  run.end(step, end);
}

async function untilServed(run: Run): Promise<void> {
  if (run.defined.size === 0) return;
  const missing = async () => {
    run.forgetCatalogue();
    const { resources } = await run.catalogue();
    const served = new Set(resources.map(resourceName));
    return [...run.defined].filter((name) => !served.has(name));
  };
  try {
    const waited = await waitFor(run, run.limits.definitionMs, async () => {
      const names = await missing();
      return names.length === 0 ? { value: undefined } : `${names.slice(0, 3).join(', ')} to be served`;
    });
    if (waited.is === 'there') return;
    const ref = (name: string) => ({ resource: 'customresourcedefinitions.apiextensions.k8s.io', name });
    for (const name of await missing()) run.noteMissing({ ref: ref(name) }, 'it is established and not served');
  } catch (error) {
    // Who needs them asks again.
    run.failureOf(error);
  }
}
