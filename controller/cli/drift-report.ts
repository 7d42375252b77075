import type { Drift } from '../archive/drift.ts';
import type { HistorySourceConfig } from '../config-history.ts';
import { renderRef } from '../core/object.ts';
import { readCommit } from '../git/commit-queue.ts';
import type { Wanted } from '../history/objects.ts';
import type { History } from '../history/open-history.ts';
import type { LiveLook } from '../open-live.ts';
import { jsonOfDifference, printDifference } from './differences-report.ts';
import { commandLine, renderTags, shortId, stamp } from './history-text.ts';
import { printLine, printNote, renderTable } from './output.ts';
import { unknownSecretsOf, unreadOf } from './unread-report.ts';

/** What a look at the cluster found against restore points: one in full, many as a line each, or as JSON. */

/** With which live is compared. The looks' drifts come in the same order. */
export interface Point {
  readonly history: History;
  readonly commit: string;
  readonly wanted: Wanted;
}

export function objectsOf(drift: Drift, { wanted }: Point) {
  return drift.objects.filter(({ ref }) => wanted.includes(ref));
}

function describePoint({ history, commit }: Point): string {
  const tags = renderTags(history.tags.get(commit) ?? []);
  return `${shortId(commit)}${tags === '' ? '' : ` ${tags}`} of ${stamp(readCommit(history.archive.store, commit).time)}`;
}

export function printOne(point: Point, { drifts: [drift] }: LiveLook, source: HistorySourceConfig): void {
  const objects = drift === undefined ? [] : objectsOf(drift, point);
  for (const object of objects) printDifference(object);
  const [first] = objects;
  if (first === undefined) {
    printLine(`equal to ${describePoint(point)}`);
    return;
  }
  printLine(
    `${objects.length} ${objects.length === 1 ? 'object differs' : 'objects differ'} from ${describePoint(point)}`,
  );
  const hint = ['plan', point.history.name, '--to', shortId(point.commit), '--object', renderRef(first.ref)];
  printNote(`put it back: ${commandLine(hint, source)}`);
}

export function printLines(points: readonly Point[], { drifts }: LiveLook): void {
  const rows = drifts.map((drift, index) => {
    const point = points[index] as Point;
    const count = objectsOf(drift, point).length;
    return [
      point.history.name,
      count === 0 ? 'equal' : `${count} ${count === 1 ? 'object differs' : 'objects differ'}`,
      describePoint(point),
    ];
  });
  if (rows.length > 0) printLine(renderTable(rows));
}

export function printJson(points: readonly Point[], look: LiveLook, isAll: boolean): void {
  const namespaces = look.drifts.map((drift, index) => {
    const point = points[index] as Point;
    const { history, commit, wanted } = point;
    const one = {
      drifts: [drift],
      unknownSecrets: new Set([...look.unknownSecrets].filter((place) => place.startsWith(`${drift.point.name}/`))),
      secretsReason: look.secretsReason,
    };
    return {
      repository: history.name,
      from: { commit, time: readCommit(history.archive.store, commit).time, tags: history.tags.get(commit) ?? [] },
      equal: objectsOf(drift, point).length === 0,
      objects: objectsOf(drift, point).map(jsonOfDifference),
      unread: unreadOf(one, wanted),
      unknownSecrets: unknownSecretsOf(one, wanted),
    };
  });
  printLine(JSON.stringify(isAll ? { version: 1, namespaces } : { version: 1, ...namespaces[0] }, null, 2));
}
