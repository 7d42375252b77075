import type { Gap, Offered } from '../core/vitals.ts';
import type { Meter } from './meter.ts';
import { MOST_REPOSITORIES, MOST_UNPUSHED } from './metric.ts';

/** What is a state of the flow and no event: asked for at each scrape. */

/** What telemetry needs of archive/tally.ts, which it may not know. */
export interface Counts {
  all(): readonly {
    readonly resource: string;
    readonly objects: number;
    readonly changed: number;
    readonly held: number;
    readonly leftOut: ReadonlyMap<string, number>;
  }[];
}

/** Told as 0 too, so that an empty panel is never taken for a healthy one. */
export const GAP_CODES = ['RESOURCE_FORBIDDEN', 'RESOURCE_NOT_SERVED', 'RESOURCE_UNAVAILABLE', 'CLUSTER_UNREACHABLE'];

export function readCounts(meter: Meter, counts: Counts): void {
  const rows = counts.all();
  const series = (of: (row: (typeof rows)[number]) => number) =>
    rows.map((row) => [{ resource: row.resource }, of(row)] as const);
  meter.replace(
    'objectsRead',
    series((row) => row.objects),
  );
  meter.replace(
    'changes',
    series((row) => row.changed),
  );
  meter.replace(
    'heldChanges',
    series((row) => row.held),
  );
  meter.replace('leftOut', rows.flatMap(leftOutOf));
}

export function readFlow(meter: Meter, flow: Offered): void {
  meter.set('repositories', {}, flow.repositories());
  meter.set('openWindows', {}, flow.openWindows());
  meter.replace('skippedResources', countCodes(flow.gaps()));
  const held = flow.held().slice(0, MOST_REPOSITORIES);
  meter.replace('heldDeletions', named(held.map(({ repository, deletions }) => [repository, deletions])));
  const oldest = flow.unpushed().toSorted((left, right) => right.ageMs - left.ageMs);
  const told = oldest.slice(0, MOST_UNPUSHED);
  meter.set('unpushedRepositories', {}, oldest.length);
  meter.set('oldestUnpushed', {}, (oldest[0]?.ageMs ?? 0) / 1000);
  meter.replace('unpushed', named(told.map(({ repository, ageMs }) => [repository, ageMs / 1000])));
}

/** One series per repository. */
export function named(values: Iterable<readonly [repository: string, value: number]>) {
  return [...values].map(([repository, value]) => [{ target_namespace: repository }, value] as const);
}

function leftOutOf({ resource, leftOut }: ReturnType<Counts['all']>[number]) {
  return [...leftOut].map(([reason, count]) => [{ resource, reason }, count] as const);
}

function countCodes(gaps: readonly Gap[]) {
  const counts = new Map(GAP_CODES.map((code) => [code, 0]));
  for (const { code } of gaps) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, count]) => [{ code }, count] as const);
}
