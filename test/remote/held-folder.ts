import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder that goes with its holder, also when that one is killed. */
export interface HeldFolder extends Disposable {
  readonly path: string;
}

export function holdFolder(prefix: string): HeldFolder {
  const path = mkdtempSync(join(tmpdir(), prefix));
  // In a session of its own, so that what ends us leaves it alive; it sees its standard input end with us.
  const guard = spawn('sh', ['-c', 'cat > /dev/null; rm -rf -- "$0"', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as Socket).unref();
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
      guard.stdin.end();
    },
  };
}
