import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests leave in the temporary directory goes with the run, also when that is killed: the closed pipe tells. */
const SWEEPER = `cat > /dev/null; for second in 1 2 3 4 5; do rm -rf "$1" 2> /dev/null && break; sleep 1; done`;

/** Makes a temporary directory for a run and all that it starts. */
export function useTestFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), 'kubekeeper-tests-'));
  const sweeper = spawn('sh', ['-c', SWEEPER, 'sweep', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    // Where it stands must not be what it removes.
    cwd: '/',
  });
  sweeper.unref();
  (sweeper.stdin as unknown as { unref(): void }).unref();
  process.env['TMPDIR'] = folder;
  // Several hundred processes begin with the same modules; without it each compiles them anew.
  process.env['NODE_COMPILE_CACHE'] ??= join(folder, 'compiled');
}
