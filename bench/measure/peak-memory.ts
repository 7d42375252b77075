import { readFileSync } from 'node:fs';

const INTERVAL_MS = 25;

/** Follows a process and its descendants; `stop` answers the most resident memory that any one of them had, in bytes. */
export function watchPeakMemory(pid: number | undefined): { stop(): number } {
  let peak = 0;
  const look = () => {
    if (pid !== undefined) peak = Math.max(peak, peakOfTree(pid));
  };
  look();
  // The kernel keeps each process's own high-water mark, so only the last moments before its end can be missed.
  const timer = setInterval(look, INTERVAL_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

/** VmHWM and VmRSS of proc(5), in bytes; zeros when the process is gone. */
export function readMemory(pid: number): { readonly peak: number; readonly resident: number } {
  const status = readOrEmpty(`/proc/${pid}/status`);
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { peak: bytes('VmHWM'), resident: bytes('VmRSS') };
}

function peakOfTree(pid: number): number {
  const children = readOrEmpty(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean);
  return Math.max(readMemory(pid).peak, ...children.map((child) => peakOfTree(Number(child))));
}

/** A process may end between two looks; then there is nothing to read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}
