import type { RepairStep } from '../archive/repair.ts';
import type { RepositoryAnswer, Verification } from '../archive/verify.ts';
import type { LiveAnswer } from '../archive/verify-answer.ts';
import type { RemoteAnswer } from '../archive/verify-remote.ts';
import type { OutputFormat } from '../config.ts';
import { EXIT, exitCodeOf } from '../errors.ts';
import { printLine, printNote, renderTable } from './output.ts';

/** The report of `verify`: a row per repository with its three answers, then what is behind each that is not well. */

export interface VerifyReport {
  readonly seen: Verification;
  readonly steps: readonly RepairStep[];
  readonly dataDirectory: string;
  readonly format: OutputFormat;
}

/** The differences of one repository that are named; `-o json` has all. */
const MOST_NAMED = 20;

/** Prints and answers the exit code: 1 for findings and differences, else 5 (unreachable) or 3 for what could not be checked. */
export function printVerification(report: VerifyReport): number {
  if (report.format === 'json') printLine(JSON.stringify(renderJson(report), null, 2));
  else printText(report);
  return exitOf(report.seen);
}

function exitOf({ repositories, unread, unreachable }: Verification): number {
  if (repositories.some(isWrong)) return EXIT.failed;
  if (unreachable !== undefined) return exitCodeOf(unreachable);
  const isUnchecked = repositories.some(
    ({ live, remote }) => live.state === 'unchecked' || remote?.state === 'unchecked',
  );
  return isUnchecked || unread.length > 0 ? EXIT.partial : EXIT.done;
}

function isWrong({ soundness, live, remote }: RepositoryAnswer): boolean {
  const isMoved = remote?.state === 'moved' || remote?.state === 'gone';
  return soundness.findings.length > 0 || live.state === 'different' || isMoved;
}

function printText({ seen, dataDirectory }: VerifyReport): void {
  const { repositories, unread, unreachable, changing } = seen;
  if (repositories.length === 0) printLine(`there is no repository in ${dataDirectory}`);
  else printLine(renderTable([['repository', 'sound', 'live', 'remote'], ...repositories.map(rowOf)]));
  const details = repositories.flatMap(detailsOf);
  if (details.length > 0) printLine();
  for (const line of details) printLine(line);
  if (changing > 0) printLine(`${changing} ${plural(changing, 'object')} changed while they were compared; look again`);
  for (const gap of unread) {
    const place = gap.namespace === undefined ? gap.resource : `${gap.resource} in ${gap.namespace}`;
    printNote(`not compared: ${place}: ${gap.reason}`);
  }
  if (unreachable !== undefined) printNote(`not compared with the live state: ${unreachable.message}`);
  if (repositories.some(({ soundness }) => soundness.isDamaged)) {
    printNote(
      'mend damaged repositories with: kubekeeper verify --repair (while no archiver runs; everything damaged is kept)',
    );
  }
}

function rowOf({ repository, exists, soundness, live, remote }: RepositoryAnswer): readonly string[] {
  const count = soundness.findings.length + soundness.unlisted;
  const sound = !exists ? 'missing' : count === 0 ? 'yes' : `${count} ${plural(count, 'finding')}`;
  return [repository, sound, liveCell(live), remoteCell(remote)];
}

function liveCell(live: LiveAnswer): string {
  switch (live.state) {
    case 'equal':
      return live.unread.length === 0 ? 'equal' : `equal but ${live.unread.length} not compared`;
    case 'different':
      return `${live.differences.length} different`;
    case 'unchecked':
      return 'not compared';
    case 'left out':
      return '-';
    default:
      return live satisfies never;
  }
}

function remoteCell(remote: RemoteAnswer | undefined): string {
  if (remote === undefined) return '-';
  if (remote.state === 'waiting') return `${remote.commits} ${plural(remote.commits, 'commit')} to push`;
  return remote.state === 'unchecked' ? 'not asked' : remote.state;
}

function detailsOf({ repository, soundness, live, remote }: RepositoryAnswer): readonly string[] {
  const lines = soundness.findings.map(({ where, problem }) => `${where} ${problem}`);
  if (soundness.unlisted > 0) lines.push(`${soundness.unlisted} findings more`);
  if (live.state === 'different') {
    for (const { path, what, reason } of live.differences.slice(0, MOST_NAMED)) {
      lines.push(`${path} is ${what}${reason === '' ? '' : `: ${reason}`}`);
    }
    const rest = live.differences.length - MOST_NAMED;
    if (rest > 0) lines.push(`${rest} differences more, -o json names all`);
  }
  if (live.state === 'unchecked') lines.push(`not compared: ${live.reason}`);
  if (remote !== undefined && 'reason' in remote) lines.push(`remote: ${remote.reason}`);
  return lines.map((line) => `${repository}: ${line}`);
}

function renderJson({ seen, steps, dataDirectory }: VerifyReport) {
  return {
    version: 1,
    dataDirectory,
    repositories: seen.repositories.map(({ soundness, ...answer }) => ({
      ...answer,
      sound: soundness.findings.length === 0 && soundness.unlisted === 0,
      ...soundness,
    })),
    unread: seen.unread.map(({ resource, namespace, reason, code }) => ({ resource, namespace, reason, code })),
    changing: seen.changing,
    ...(seen.unreachable === undefined ? {} : { unreachable: seen.unreachable.message }),
    repaired: steps,
  };
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}
