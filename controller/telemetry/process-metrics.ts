import { readdirSync, readFileSync } from 'node:fs';
import type { Meter } from './meter.ts';

/**
 * What every process tells, under the names that all clients use. Ours and not the library's: of its own some break Prometheus' rules
 * for names, and others take timers that fire ten and a hundred times a second in a process that is to rest.
 */
export function readProcess(meter: Meter): void {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  meter.replace('cpu', [[{}, (user + system) / 1e6]]);
  meter.set('startTime', {}, performance.timeOrigin / 1000);
  meter.set('residentBytes', {}, rss);
  meter.set('heapBytes', {}, heapUsed);
  meter.set('openFiles', {}, countOpenFiles());
  meter.set('mostFiles', {}, MOST_FILES);
}

/** Linux tells in /proc; elsewhere nothing does. */
function countOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** The soft limit of this process; it does not change by itself. */
const MOST_FILES = readMostFiles();

function readMostFiles(): number {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return Number(match?.[1] ?? 0);
  } catch {
    return 0;
  }
}
