import type { ContainerPlace, ExecEnd, ExecSession, PodExec } from '../core/data/hooks-exec.ts';
import type { HookStep } from '../core/data/hooks-step.ts';
import { bounded, inSeconds, orLeave, type Refused, settled } from './quiesce-bounds.ts';
import { runAtEnd, withEndOfInput } from './quiesce-guard.ts';

/** The three ways in which a hook's command is run. Each says in words what went wrong; nothing throws but the signal's reason. */

export interface PodPlace {
  readonly exec: PodExec;
  readonly namespace: string;
  readonly pod: string;
  /** Sessions that wait for us end by themselves after so long. */
  readonly longestMs: number;
}

/** A session that waits for its end. */
export interface Waiting {
  readonly session: ExecSession;
}

const ARM_MS = 15_000;

export interface Ran {
  /** In words; undefined: it came off. */
  readonly fault: string | undefined;
  /** over: it ran to an end, good or bad. late: it may still run. */
  readonly state: 'over' | 'late' | 'not run';
}

export async function runToEnd(place: PodPlace, step: HookStep, signal: AbortSignal): Promise<Ran> {
  const end = await bounded(step.timeoutMs, signal, async (within) => {
    const session = await place.exec.start(at(place, step), step.command, { input: false, signal: within });
    return settled(session, within);
  });
  if (end === 'late') return { fault: `did not end within ${inSeconds(step.timeoutMs)}`, state: 'late' };
  if ('refused' in end) return { fault: end.refused, state: 'not run' };
  return { fault: faultOf(end), state: end.kind === 'exited' ? 'over' : 'not run' };
}

const TRIES = 3;
const WAIT_MS = 1000;

/** As `runToEnd`; what did not run is tried again, since something may be frozen until it has. */
export async function runSurely(place: PodPlace, step: HookStep, signal: AbortSignal): Promise<Ran> {
  for (let attempt = 1; ; attempt++) {
    const ran = await runToEnd(place, step, signal);
    if (ran.state !== 'not run' || attempt === TRIES) return ran;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

/** A session that runs the step's command when it is told to, or by itself when we are gone. 'no shell': the container cannot do that. */
export async function arm(
  place: PodPlace,
  step: HookStep,
  signal: AbortSignal,
): Promise<Waiting | 'no shell' | Refused> {
  const command = runAtEnd(step.command, place.longestMs);
  const found = await startHeld(place, step, command, 1, ARM_MS, signal);
  if (found === 'late') return { refused: `could not be prepared within ${inSeconds(ARM_MS)}` };
  if ('refused' in found) return found;
  if (found.wrote) return { session: found.session };
  return hasNoShell(await found.session.ended)
    ? 'no shell'
    : { refused: 'could not be prepared: the connection ended' };
}

/** A session that has said by a line of its own that it holds. */
export async function hold(place: PodPlace, step: HookStep, signal: AbortSignal): Promise<Waiting | Refused> {
  const begin = (command: readonly string[], lines: number) =>
    startHeld(place, step, command, lines, step.timeoutMs, signal);
  const guarded = await begin(withEndOfInput(step.command, place.longestMs), 2);
  const found = (await isWithoutShell(guarded)) ? await begin(step.command, 1) : guarded;
  if (found === 'late') return { refused: `did not write a line within ${inSeconds(step.timeoutMs)}` };
  if ('refused' in found) return found;
  if (found.wrote) return { session: found.session };
  return { refused: `${faultOf(await found.session.ended) ?? 'ended'} before it wrote a line` };
}

/** Lets a held session end. Undefined when it came off. */
export async function endHeld(session: ExecSession, { timeoutMs }: HookStep): Promise<string | undefined> {
  session.endInput();
  return endOf(session, timeoutMs, 'after its input ended');
}

/** Lets an armed session run its command. 'lost': whether it ran is not known. */
export async function fire(session: ExecSession, { timeoutMs }: HookStep): Promise<string | 'lost' | undefined> {
  session.nudge();
  const fault = await endOf(session, timeoutMs, '');
  return session.end?.kind === 'lost' ? 'lost' : fault;
}

/** Undefined: it ended well. */
export function faultOf(end: ExecEnd): string | undefined {
  switch (end.kind) {
    case 'exited':
      return end.exitCode === 0 ? undefined : `ended with exit code ${end.exitCode}`;
    case 'not-started':
      return `was not started: ${end.why}`;
    case 'lost':
      return 'was cut off from us: the connection ended';
    case 'unseen':
      return undefined;
    default:
      return end satisfies never;
  }
}

type Started = { readonly session: ExecSession; readonly wrote: boolean } | Refused | 'late';

/** Then nothing of the hook has run yet. */
async function isWithoutShell(started: Started): Promise<boolean> {
  if (started === 'late' || 'refused' in started || (await started.session.wrote(1))) return false;
  return hasNoShell(await started.session.ended);
}

/** Of a session whose shell wrote nothing. Some runtimes say so by an exit code. */
function hasNoShell({ kind }: ExecEnd): boolean {
  return kind === 'not-started' || kind === 'exited';
}

async function startHeld(
  place: PodPlace,
  step: HookStep,
  command: readonly string[],
  lines: number,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Started> {
  return bounded(patienceMs, signal, async (within) => {
    const session = await place.exec.start(at(place, step), command, { input: true, signal: within });
    const wrote = await orLeave(session, within, session.wrote(lines));
    return { session, wrote };
  });
}

async function endOf(session: ExecSession, timeoutMs: number, when: string): Promise<string | undefined> {
  const end = await bounded(timeoutMs, undefined, (within) => settled(session, within));
  if (end === 'late') return `did not end within ${inSeconds(timeoutMs)} ${when}`.trimEnd();
  return 'refused' in end ? end.refused : faultOf(end);
}

function at({ namespace, pod }: PodPlace, { container }: HookStep): ContainerPlace {
  return { namespace, pod, container };
}
