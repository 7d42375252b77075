import type { ResourceTally } from '../archive/tally.ts';
import type { OutputFormat } from '../config.ts';
import type { Outcome } from '../core/outcome.ts';
import { EXIT } from '../errors.ts';
import { printLine, printNote, renderTable } from './output.ts';
import { isPublished, printPushes, renderJsonPushes } from './report-pushes.ts';
import { areVolumesSaved, printVolumes, renderJsonVolumes } from './report-volumes.ts';

/** The report of a single run: a line per resource, what was left out and skipped and why, what was committed. */

/** What happened. */
interface Told {
  readonly outcomes: readonly Outcome[];
}

export interface Report extends Told {
  readonly dataDirectory: string;
  readonly tallies: readonly ResourceTally[];
}

/** Prints and answers the exit code: 3 when something that was asked for could not be archived, 4 when a right or guard refused it. */
export function printReport(report: Report, format: OutputFormat): number {
  if (format === 'json') printLine(JSON.stringify(renderJsonReport(report), null, 2));
  else printTextReport(report);
  return exitOf(report);
}

type Skipped = Extract<Outcome, { type: 'skipped' }>;
type Committed = Extract<Outcome, { type: 'committed' }>;
type Held = Extract<Outcome, { type: 'held' }>;
type Quarantined = Extract<Outcome, { type: 'quarantined' }>;

function pick<T extends Outcome['type']>(report: Told, type: T): readonly Extract<Outcome, { type: T }>[] {
  return report.outcomes.filter((outcome): outcome is Extract<Outcome, { type: T }> => outcome.type === type);
}

/** A run that had to begin again says the same again. */
function pickOnce<T extends 'skipped' | 'held'>(report: Told, type: T): readonly Extract<Outcome, { type: T }>[] {
  return [...new Map(pick(report, type).map((outcome) => [JSON.stringify(outcome), outcome])).values()];
}

/** Every object was archived, and pushed where there is a remote. */
export function isWhole(report: Told): boolean {
  const gaps = [pick(report, 'skipped'), pick(report, 'held'), pick(report, 'quarantined')];
  return gaps.every((found) => found.length === 0) && isPublished(report);
}

/** Every gap is said aloud with 3; where nothing could be archived because it is all refused, the refusal is the result. */
function exitOf(report: Report): number {
  if (isWhole(report)) return areVolumesSaved(report) ? EXIT.done : EXIT.partial;
  const skipped = pick(report, 'skipped');
  const nothing = report.tallies.every((tally) => tally.objects === 0);
  const refused = skipped.length > 0 && skipped.every((gap) => gap.code === 'RESOURCE_FORBIDDEN');
  return nothing && refused ? EXIT.refused : EXIT.partial;
}

function printTextReport(report: Report): void {
  const rows = report.tallies
    .filter((tally) => tally.objects > 0 || tally.changed > 0)
    .map((tally) => [
      tally.resource,
      `${tally.objects} ${plural(tally.objects, 'object')}`,
      `${tally.changed} changed`,
    ]);
  if (rows.length > 0) printLine(renderTable(rows));
  printLeftOut(report);
  printUnarchived(report);
  printCommits(pick(report, 'committed'), report.dataDirectory);
  printVolumes(report);
  printPushes(report);
}

/** What was not archived or not pushed, and why. */
export function printGaps(report: Told): void {
  printUnarchived(report);
  printPushes(report);
}

function printUnarchived(report: Told): void {
  for (const aside of byName(pick(report, 'quarantined'))) printNote(quarantinedLine(aside));
  for (const gap of pickOnce(report, 'skipped')) printNote(`skipped ${placeOf(gap)}: ${gap.reason}`);
  for (const held of pickOnce(report, 'held')) printNote(heldLine(held));
}

function quarantinedLine({ repository, reason, movedTo, savedCommits, from }: Quarantined): string {
  const source = { remote: 'from its remote', salvage: 'from what can be read', nothing: 'nothing could be read' }[
    from
  ];
  return `quarantined ${repository}: ${reason}; the damaged repository is kept as ${movedTo}, ${savedCommits} ${plural(savedCommits, 'commit')} of it live on in a new one (${source})`;
}

function heldLine(held: Held): string {
  return `held ${held.repository}: a list found ${held.deletions} of ${held.files} objects gone; nothing was deleted from Git; if that is right, say so with "kubekeeper allow-deletions ${held.repository}" and archive again`;
}

function printLeftOut(report: Report): void {
  const rows = report.tallies.flatMap((tally) =>
    [...tally.leftOut].map(([reason, count]) => [`  ${tally.resource}`, String(count), reason]),
  );
  rows.push(...neverArchived(report).map(({ resource, reason }) => [`  ${resource}`, 'all', reason]));
  if (rows.length === 0) return;
  printLine();
  printLine('left out ("kubekeeper explain RESOURCE" tells more):');
  printLine(renderTable(rows));
}

function neverArchived(report: Report): readonly { resource: string; reason: string }[] {
  return pick(report, 'catalogue').at(-1)?.never ?? [];
}

function printCommits(commits: readonly Committed[], directory: string): void {
  printLine();
  if (commits.length === 0) {
    printLine('nothing changed since the last archive');
    return;
  }
  printLine(`${commits.length} ${plural(commits.length, 'commit')}:`);
  const sorted = byName(commits);
  printLine(renderTable(sorted.map((commit) => [`  ${commit.repository}`, commit.id.slice(0, 10), commit.subject])));
  printLine();
  printLine(`read them with: git -C ${directory}/${sorted[0]?.repository}.git log --stat`);
}

function renderJsonReport(report: Report) {
  return {
    version: 1,
    dataDirectory: report.dataDirectory,
    resources: report.tallies.map(({ resource, objects, changed, held, leftOut }) => ({
      resource,
      objects,
      changed,
      held,
      leftOut: [...leftOut].map(([reason, count]) => ({ reason, count })),
    })),
    neverArchived: neverArchived(report),
    quarantined: pick(report, 'quarantined').map(({ type: _type, ...aside }) => aside),
    skipped: pickOnce(report, 'skipped').map(({ type: _type, ...gap }) => gap),
    held: pickOnce(report, 'held').map(({ type: _type, ...held }) => held),
    commits: pick(report, 'committed').map(({ type: _type, ...commit }) => commit),
    ...renderJsonVolumes(report),
    ...renderJsonPushes(report),
  };
}

function placeOf(gap: Skipped): string {
  return gap.namespace === undefined ? gap.resource : `${gap.resource} in ${gap.namespace}`;
}

function byName<T extends { readonly repository: string }>(outcomes: readonly T[]): readonly T[] {
  return outcomes.toSorted((left, right) => (left.repository < right.repository ? -1 : 1));
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}
