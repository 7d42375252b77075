import { oneLine } from '../words.ts';
import { renderDuration } from './durations.ts';
import type { ClaimRecord, DataNote } from './record.ts';

/** How far the volume data of a commit can be trusted to fit together. */

/**
 * quiesced: hooks held the applications still · group: cut at one moment by the driver · crash-consistent: as after a power cut, each
 * claim at its own moment · partial: some claims are missing · pending: not known yet · none: there is nothing.
 */
export type Grade = 'quiesced' | 'group' | 'crash-consistent' | 'partial' | 'pending' | 'none';

export interface Graded {
  readonly grade: Grade;
  /** Between the first cut and the last by the driver's clock, never less than it was; undefined where it does not say. */
  readonly spreadMs: number | undefined;
  /** 'crash-consistent: 3 claims, cut within 4 s', 'partial: 2 of 3 claims (logs: the driver never got ready)'. */
  readonly words: string;
}

const MOST_NAMED = 5;

/** Claims that somebody excluded lower no grade; those that could not be snapshotted do. */
export function gradeOf(note: DataNote): Graded {
  const claims = Object.entries(note.claims ?? {});
  const impossible = Object.entries(note.skipped ?? {}).filter(([, { kind }]) => kind === 'impossible');
  const total = claims.length + impossible.length;
  const of = (state: ClaimRecord['state']) => claims.filter(([, claim]) => claim.state === state);
  const [ready, pending, lost] = [of('ready'), of('pending'), [...of('failed'), ...of('pruned')]];
  const missing = [...lost.map(([name, claim]) => [name, whyNot(claim)] as const), ...impossible.map(skip)];
  const spreadMs = ready.length === 0 ? undefined : spreadOf(ready.map(([, claim]) => claim));
  const graded = (grade: Grade, words: string): Graded => ({ grade, spreadMs, words: `${grade}: ${words}` });

  if (total === 0) return graded('none', 'no claims');
  if (pending.length > 0) {
    const names = pending.map(([name]) => oneLine(name)).slice(0, MOST_NAMED);
    return graded('pending', `${pending.length} of ${claimCount(total)} not ready yet (${names.join(', ')})`);
  }
  if (ready.length === 0) return graded('none', `0 of ${claimCount(total)} (${list(missing)})`);
  if (missing.length > 0) return graded('partial', `${ready.length} of ${claimCount(total)} (${list(missing)})`);
  if (note.quiesced === true)
    return graded('quiesced', `${claimCount(total)}, held still by hooks while they were cut`);
  if (isOneGroup(ready.map(([, claim]) => claim))) {
    return graded('group', `${claimCount(total)}, cut at one moment by the driver`);
  }
  return graded('crash-consistent', `${claimCount(total)}${spreadWords(total, spreadMs)}`);
}

function whyNot(claim: ClaimRecord): string {
  if (claim.state === 'pruned')
    return `pruned${claim.prunedAt === undefined ? '' : ` on ${claim.prunedAt.slice(0, 10)}`}`;
  return claim.why ?? 'failed';
}

function skip([name, { why }]: [string, { readonly why: string }]): readonly [string, string] {
  return [name, why];
}

function list(missing: readonly (readonly [string, string])[]): string {
  const rest = missing.length > MOST_NAMED ? [`${missing.length - MOST_NAMED} more`] : [];
  return [...missing.slice(0, MOST_NAMED).map(([name, why]) => oneLine(`${name}: ${why}`)), ...rest].join('; ');
}

function claimCount(count: number): string {
  return count === 1 ? '1 claim' : `${count} claims`;
}

function isOneGroup(claims: readonly ClaimRecord[]): boolean {
  const groups = new Set(claims.map(({ group }) => group));
  return groups.size === 1 && !groups.has(undefined);
}

function spreadOf(claims: readonly ClaimRecord[]): number | undefined {
  const times = claims.map(({ creationTime }) => (creationTime === undefined ? Number.NaN : Date.parse(creationTime)));
  // Where the driver tells whole seconds, equal times may still be a second apart.
  const isCoarse = claims.length > 1 && claims.some(({ creationTime }) => !creationTime?.includes('.'));
  const spread = Math.max(...times) - Math.min(...times) + (isCoarse ? 1000 : 0);
  return Number.isNaN(spread) ? undefined : spread;
}

function spreadWords(total: number, spreadMs: number | undefined): string {
  if (total === 1) return '';
  if (spreadMs === undefined) return ', the driver does not say when they were cut';
  return `, cut within ${renderDuration(Math.max(spreadMs, 1))}`;
}
