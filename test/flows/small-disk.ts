import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a fixed size, in a mount namespace of its own: it goes with the process that holds it, killed or not. */

export interface SmallDisk extends AsyncDisposable {
  /** For any process of this machine. */
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
}

/** Needs root, as mount(2) does. */
export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-small-'));
  // cat ends with the pipe to this process, and the mount with cat.
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "$1" && echo ready && exec cat`;
  const holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  await Promise.race([
    once(holder.stdout, 'data'),
    ended.then(([code]) => {
      throw new Error(`The mount of a small disk failed with ${code}`);
    }),
  ]);
  const path = `/proc/${holder.pid}/root${directory}`;
  const filler = join(path, 'filler');
  return {
    path,
    fill: () => fillWith(filler),
    free: () => rm(filler),
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function fillWith(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const size of [1024 * 1024, 4096]) {
      for (;;) await file.write(Buffer.alloc(size, 'x')).catch(endOfRoom);
    }
  } catch (error) {
    if (!(error instanceof EndOfRoom)) throw error;
    await file.write(Buffer.alloc(4096)).catch(() => undefined);
  } finally {
    await file.close();
  }
}

class EndOfRoom extends Error {}

function endOfRoom(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOSPC' ? new EndOfRoom() : error;
}
