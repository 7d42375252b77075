import type { Outcome } from '../core/outcome.ts';
import { printLine, printNote } from './output.ts';

/** The part of a single run's report that is about remotes; nothing without one. */

interface Told {
  readonly outcomes: readonly Outcome[];
}

type Of<Type extends Outcome['type']> = Extract<Outcome, { type: Type }>;

function pick<Type extends Outcome['type']>(report: Told, type: Type): readonly Of<Type>[] {
  return report.outcomes.filter((outcome): outcome is Of<Type> => outcome.type === type);
}

/** False when the remote lacks something that is committed, or a person must decide about it. */
export function isPublished(report: Told): boolean {
  return stalls(report).length === 0 && left(report) === undefined;
}

export function printPushes(report: Told): void {
  const pushed = lastOfEach(pick(report, 'pushed'));
  const [first] = pushed;
  if (first !== undefined) {
    const repositories = `${pushed.length} ${pushed.length === 1 ? 'repository' : 'repositories'}`;
    printLine(`pushed ${repositories} to ${new URL(first.url).origin}`);
  }
  for (const { repository, url, isProtected } of pick(report, 'remote-created')) {
    printLine(`made ${url} for ${repository}${isProtected ? ', main is protected' : ''}`);
  }
  for (const stall of stalls(report)) printNote(`stalled ${stall.repository} (${stall.reason}): ${stall.message}`);
  for (const [{ repository, reason }, ...others] of failuresByCode(report)) {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    printNote(`remote of ${repository}${more}: ${reason}`);
  }
  const backlog = left(report);
  if (backlog === undefined) return;
  printNote(
    `not pushed: ${backlog.repositories} of the repositories; all of it is committed here and goes with the next run`,
  );
}

export function renderJsonPushes(report: Told) {
  const strip = <T extends Outcome>({ type: _type, ...facts }: T) => facts;
  const backlog = left(report);
  return {
    pushes: pick(report, 'pushed').map(strip),
    remotesCreated: pick(report, 'remote-created').map(strip),
    adopted: pick(report, 'adopted').map(strip),
    stalled: stalls(report).map(strip),
    pushFailures: pick(report, 'push-failed').map(strip),
    ...(backlog === undefined ? {} : { unpushed: strip(backlog) }),
  };
}

/** Those that were not resumed. */
function stalls(report: Told): readonly Of<'stalled'>[] {
  const open = new Map<string, Of<'stalled'>>();
  for (const outcome of report.outcomes) {
    if (outcome.type === 'stalled') open.set(outcome.repository, outcome);
    if (outcome.type === 'resumed') open.delete(outcome.repository);
  }
  return [...open.values()];
}

/** What waited when the run ended, which is what is told last. */
function left(report: Told): Of<'unpushed'> | undefined {
  const last = report.outcomes.findLast(({ type }) => type === 'unpushed' || type === 'pushed');
  return last?.type === 'unpushed' ? last : undefined;
}

/** One line for what they have in common; who was pushed after all is none of them. */
function failuresByCode(report: Told): readonly (readonly [Of<'push-failed'>, ...Of<'push-failed'>[]])[] {
  const open = new Map<string, Of<'push-failed'>>();
  for (const outcome of report.outcomes) {
    if (outcome.type === 'pushed') open.delete(outcome.repository);
    if (outcome.type === 'push-failed') open.set(outcome.repository, outcome);
  }
  const groups = Map.groupBy(open.values(), ({ code }) => code);
  return [...groups.values()] as [Of<'push-failed'>, ...Of<'push-failed'>[]][];
}

function lastOfEach<T extends { readonly repository: string }>(outcomes: readonly T[]): readonly T[] {
  return [...new Map(outcomes.map((outcome) => [outcome.repository, outcome])).values()];
}
