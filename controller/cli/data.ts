import { CONFIG_SETTING, parseOutputFormat } from '../config.ts';
import { readSettings } from '../config-file.ts';
import { parseSource, SOURCE_SETTINGS } from '../config-history.ts';
import { type DataPoint, dataPoints } from '../core/data/data-points.ts';
import { renderDuration } from '../core/data/durations.ts';
import { type DataCommit, retentionPoints } from '../core/data/points.ts';
import type { DataPolicy } from '../core/data/policy.ts';
import { planRetention, type RetentionVerdict } from '../core/data/retention.ts';
import { readDataCommits } from '../data/read-history.ts';
import { EXIT } from '../errors.ts';
import { openNamedHistory } from '../open-history.ts';
import { renderBytes, renderClaims } from './claim-lines.ts';
import { renderTags, shortId, stamp } from './history-text.ts';
import { printLine, printNote } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper data`: the volume data of a namespace, point by point, and why it is kept. */

export const dataCommand: Verb = {
  name: 'data',
  summary: 'Show the volume data of a namespace: when it was cut, its state, size and age, and why it is kept',
  arguments: [['<namespace>', 'the namespace']],
  settings: [CONFIG_SETTING, ...SOURCE_SETTINGS],
  switches: [
    ['--pruned', 'also what is gone by the policy'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper data shop',
    'kubekeeper data shop --config policy.yaml',
    'kubectl exec -n kubekeeper-system deploy/kubekeeper -- kubekeeper data shop -o json',
  ],
  async run([namespace = ''], given) {
    const { raw, data: policy } = await readSettings(given);
    const format = parseOutputFormat(raw);
    using history = await openNamedHistory(parseSource(raw), namespace);
    const commits = await readDataCommits(history.archive, { onOdd: (error) => printNote(error.message) });
    const points = dataPoints(commits);
    const shown = { points, verdicts: verdictsOf(commits, policy), now: Date.now() };
    if (format === 'json') printJson(namespace, shown, policy);
    else printText(namespace, shown, { policy, withPruned: given['pruned'] === true });
    return EXIT.done;
  },
};

interface Shown {
  readonly points: readonly DataPoint[];
  /** By commit; of none without a policy. */
  readonly verdicts: ReadonlyMap<string, RetentionVerdict>;
  readonly now: number;
}

function verdictsOf(
  commits: readonly DataCommit[],
  policy: DataPolicy | undefined,
): ReadonlyMap<string, RetentionVerdict> {
  if (policy === undefined) return new Map();
  const { verdicts } = planRetention(retentionPoints(commits), policy.retention, Date.now());
  return new Map(verdicts.map((verdict) => [verdict.point.id, verdict]));
}

function printText(
  namespace: string,
  { points, verdicts, now }: Shown,
  { policy, withPruned }: { readonly policy: DataPolicy | undefined; readonly withPruned: boolean },
): void {
  const there = points.filter(({ isPruned }) => withPruned || !isPruned);
  for (const point of there) {
    const tags = point.tags.length === 0 ? '' : `  ${renderTags(point.tags)}`;
    const at = stamp(new Date(point.askedAt));
    printLine(`${at}  ${shortId(point.commit)}  ${ageOf(point, now)} old  ${point.graded.words}${tags}`);
    printLine(renderClaims(point.claims));
    printLine(`  ${pointing(point)}${keptWords(point, verdicts)}`);
  }
  const pruned = points.length - there.length;
  if (pruned > 0) printNote(`${pruned} more ${pruned === 1 ? 'was' : 'were'} pruned, --pruned shows them`);
  if (points.length === 0) printNote(`no volume data of "${namespace}": no commit asked for any`);
  else if (policy === undefined) printNote('no policy given (--config): all is kept');
  else
    printNote(`${renderBytes(sizeOf(there)) || '0 B'} in ${there.length} ${there.length === 1 ? 'point' : 'points'}`);
}

function ageOf({ askedAt }: DataPoint, now: number): string {
  return renderDuration(Math.max(0, now - askedAt));
}

function pointing({ commits }: DataPoint): string {
  return commits.length === 1 ? '1 commit points at it' : `${commits.length} commits point at it`;
}

function keptWords({ commit, isPruned }: DataPoint, verdicts: Shown['verdicts']): string {
  const verdict = verdicts.get(commit);
  if (verdict === undefined || isPruned) return '';
  return `; ${verdict.keep ? 'kept' : 'goes'}: ${verdict.reasons.join(', ')}`;
}

/** As much as the drivers say that a claim must have to hold it: what it takes on the storage is theirs to know. */
function sizeOf(points: readonly DataPoint[]): number {
  const ready = points.flatMap(({ claims }) => claims).filter(({ state }) => state === 'ready');
  return ready.reduce((sum, { restoreSize = 0 }) => sum + restoreSize, 0);
}

function printJson(repository: string, { points, verdicts, now }: Shown, policy: DataPolicy | undefined): void {
  const document = {
    version: 1,
    repository,
    hasPolicy: policy !== undefined,
    points: points.map(({ graded, askedAt, ...point }) => {
      const verdict = verdicts.get(point.commit);
      return {
        ...point,
        askedAt: new Date(askedAt),
        ageMs: now - askedAt,
        grade: graded.grade,
        spreadMs: graded.spreadMs,
        words: graded.words,
        ...(verdict === undefined ? {} : { keep: verdict.keep, reasons: verdict.reasons }),
      };
    }),
  };
  printLine(JSON.stringify(document, null, 2));
}
