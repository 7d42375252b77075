import { pino } from 'pino';
import { oneLine } from '../core/words.ts';
import { LOG_LEVELS, type LogLevel } from './log-levels.ts';

/**
 * Logs on standard error: one JSON line each, or on a terminal one line for people. Callers give facts by name; never an object's
 * body, never an error's object.
 */

export type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  write(level: LogLevel, event: string, facts: Facts): void;
}

/** A log whose lines have UTC time, level and a stable event name. */
export function openLog(level: LogLevel, isTerminal = process.stderr.isTTY === true): Log {
  if (isTerminal) return openTerminalLog(level);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return { write: (at, event, facts) => logger[at](facts, event) };
}

function openTerminalLog(least: LogLevel): Log {
  return {
    write(level, event, facts) {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)) return;
      process.stderr.write(`${renderLine(level, event, facts, new Date())}\n`);
    },
  };
}

/** '12:01:02 committed repository=shop subject="web: image 1 -> 2"'; what is worse than info says so. */
export function renderLine(level: LogLevel, event: string, facts: Facts, time: Date): string {
  const loud = level === 'warn' || level === 'error' ? `${level.toUpperCase()} ` : '';
  const words = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${renderFact(value)}`);
  return [time.toISOString().slice(11, 19), `${loud}${event}`, ...words].join(' ');
}

function renderFact(value: Facts[string]): string {
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  return typeof value === 'string' && !/^[\w./:@-]+$/.test(value) ? oneLine(JSON.stringify(value)) : String(value);
}
