import type { Outcome } from '../core/outcome.ts';
import type { Log } from './log.ts';
import type { LogLevel } from './log-levels.ts';

/** Outcomes become log lines here and nowhere else. */

const LEVELS: Readonly<Record<Exclude<Outcome['type'], 'merged' | 'requested' | 'snapshots-decided'>, LogLevel>> = {
  catalogue: 'info',
  listed: 'debug',
  synced: 'info',
  skipped: 'warn',
  recovered: 'info',
  committed: 'info',
  held: 'warn',
  consolidated: 'debug',
  'consolidation-failed': 'error',
  pushed: 'info',
  'push-failed': 'warn',
  unpushed: 'warn',
  stalled: 'error',
  resumed: 'info',
  'remote-created': 'info',
  adopted: 'info',
  quarantined: 'error',
  allowed: 'warn',
  'new-line': 'warn',
  'storage-failed': 'error',
  'storage-recovered': 'info',
  'snapshots-asked': 'info',
  'snapshots-impossible': 'warn',
  'snapshots-failed': 'warn',
  'snapshots-removed': 'info',
  'hooks-recalled': 'warn',
  standby: 'info',
  leading: 'info',
};

const MERGED: Readonly<Record<Extract<Outcome, { type: 'merged' }>['result'], LogLevel>> = {
  applied: 'info',
  refused: 'warn',
  failed: 'error',
};

const REQUESTED: Readonly<Record<Extract<Outcome, { type: 'requested' }>['result'], LogLevel>> = {
  done: 'info',
  refused: 'warn',
};

export function observe(log: Log, outcome: Outcome): void {
  if (outcome.type === 'catalogue') {
    const { resources, unavailable, never } = outcome;
    log.write('info', 'catalogue', { resources, unavailable, never: never.length });
    return;
  }
  const { type, ...facts } = outcome;
  log.write(levelOf(outcome), type, facts);
}

function levelOf(outcome: Outcome): LogLevel {
  if (outcome.type === 'merged') return MERGED[outcome.result];
  if (outcome.type === 'snapshots-decided') return outcome.failed + outcome.impossible > 0 ? 'error' : 'info';
  // Told again when there are none any more.
  if (outcome.type === 'snapshots-impossible' && outcome.claims === 0) return 'info';
  return outcome.type === 'requested' ? REQUESTED[outcome.result] : LEVELS[outcome.type];
}
