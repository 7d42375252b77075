import type { Outcome } from '../core/outcome.ts';
import { printLine, printNote } from './output.ts';

/** The part of a single run's report that is about volume data; nothing without a policy for it. */

interface Told {
  readonly outcomes: readonly Outcome[];
}

type Of<Type extends Outcome['type']> = Extract<Outcome, { type: Type }>;

/** False when data that was asked for is not there, or could not be asked for. */
export function areVolumesSaved(report: Told): boolean {
  const decided = lastOfEach(pick(report, 'snapshots-decided'));
  const isWhole = decided.every(({ failed, impossible }) => failed + impossible === 0);
  return isWhole && impossible(report).length === 0 && unasked(report).length === 0;
}

export function printVolumes(report: Told): void {
  for (const { repository, words, failed, impossible } of lastOfEach(pick(report, 'snapshots-decided'))) {
    const line = `volumes of ${repository}: ${words}`;
    if (failed + impossible === 0) printLine(line);
    else printNote(line);
  }
  const decided = new Set(pick(report, 'snapshots-decided').map(({ repository }) => repository));
  for (const { repository, reasons } of impossible(report))
    if (!decided.has(repository)) printNote(`volumes of ${repository}: no snapshot is possible (${reasons})`);
  for (const { repository, reason } of unasked(report)) printNote(`volumes of ${repository}: ${reason}`);
  for (const { repository, why, count } of pick(report, 'snapshots-removed'))
    printLine(`removed ${count} ${count === 1 ? 'snapshot' : 'snapshots'} of ${repository} (${why})`);
}

export function renderJsonVolumes(report: Told) {
  const strip = <T extends Outcome>({ type: _type, ...facts }: T) => facts;
  return {
    volumes: lastOfEach(pick(report, 'snapshots-decided')).map(strip),
    impossibleVolumes: impossible(report).map(strip),
    volumeFailures: unasked(report).map(strip),
    removedSnapshots: pick(report, 'snapshots-removed').map(strip),
  };
}

/** Told again, with none, when it has passed. */
function impossible(report: Told): readonly Of<'snapshots-impossible'>[] {
  return lastOfEach(pick(report, 'snapshots-impossible')).filter(({ claims }) => claims > 0);
}

/** Failures that no later success made good. */
function unasked(report: Told): readonly Of<'snapshots-failed'>[] {
  const open = new Map<string, Of<'snapshots-failed'>>();
  for (const outcome of report.outcomes) {
    if (outcome.type === 'snapshots-failed') open.set(outcome.repository, outcome);
    if (outcome.type === 'snapshots-decided') open.delete(outcome.repository);
  }
  return [...open.values()];
}

function pick<Type extends Outcome['type']>(report: Told, type: Type): readonly Of<Type>[] {
  return report.outcomes.filter((outcome): outcome is Of<Type> => outcome.type === type);
}

function lastOfEach<T extends { readonly repository: string }>(outcomes: readonly T[]): readonly T[] {
  return [...new Map(outcomes.map((outcome) => [outcome.repository, outcome])).values()];
}
