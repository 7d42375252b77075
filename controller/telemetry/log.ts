import { pino } from 'pino';

/** Logs: one JSON line each on standard error. Callers give facts by name; never an object's body, never an error's object. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export interface Log {
  write(level: LogLevel, event: string, facts: Readonly<Record<string, string | number | boolean | undefined>>): void;
}

/** A log whose lines have UTC time, level and a stable event name. */
export function openLog(level: LogLevel): Log {
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
