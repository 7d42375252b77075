import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { quantile } from './statistics.ts';

/** What the figures were measured on; nothing that names the machine. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly git: string;
  readonly fileSystem: string;
  /** Median of a 4 KB write that is synced to the disk. */
  readonly syncedWriteMs: number;
  /** Processes that wanted a core in the minute before the bench began. */
  readonly loadBefore: number;
}

export function describeMachine(directory: string): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${platform()} ${release().split('-')[0]} ${arch()}`,
    node: process.versions.node,
    git: execFileSync('git', ['--version'], { encoding: 'utf8' }).trim().replace('git version ', ''),
    fileSystem: fileSystemOf(directory),
    syncedWriteMs: measureSyncedWrite(directory),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** The type of the mount with the longest prefix of this path. */
function fileSystemOf(directory: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  let best = { point: '', type: 'unknown' };
  for (const [, point = '', type = 'unknown'] of mounts.map((line) => line.split(' '))) {
    const holds = directory === point || directory.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (holds && point.length >= best.point.length) best = { point, type };
  }
  return best.type;
}

function measureSyncedWrite(directory: string): number {
  const path = join(directory, 'synced-write');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096, 'x');
  const samples = Array.from({ length: 32 }, () => {
    const started = performance.now();
    writeSync(file, block);
    fsyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  rmSync(path);
  return quantile(samples, 0.5);
}
