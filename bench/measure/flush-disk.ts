import { execFileSync } from 'node:child_process';

/** sync(1): what the last run left unwritten must not be waited for by the next one's fsync. */
export function flushDisk(): void {
  execFileSync('sync');
}
