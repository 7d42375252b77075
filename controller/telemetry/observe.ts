import type { Outcome } from '../core/outcome.ts';
import type { Log, LogLevel } from './log.ts';

/** Outcomes become log lines here and nowhere else. */

const LEVELS: Readonly<Record<Outcome['type'], LogLevel>> = {
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
  standby: 'info',
  leading: 'info',
};

export function observe(log: Log, outcome: Outcome): void {
  if (outcome.type === 'catalogue') {
    const { resources, unavailable, never } = outcome;
    log.write('info', 'catalogue', { resources, unavailable, never: never.length });
    return;
  }
  const { type, ...facts } = outcome;
  log.write(LEVELS[type], type, facts);
}
