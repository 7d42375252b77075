import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PushReport } from '../../test/remote/push-child.ts';
import type { BenchContext } from '../bench.ts';
import { makeHistory } from '../commit/history.ts';
import { KeeperStore } from '../commit/stores.ts';
import { flushDisk } from '../measure/flush-disk.ts';
import { type Cost, costOf, runMeasured } from '../measure/run-measured.ts';
import { cloneNative, nativePush } from './pushers.ts';
import type { Serving } from './serving.ts';

/** Everything to an empty remote, by both, each in a process of its own; kubekeeper's start is not in its seconds. */
export interface FirstPushFigures {
  readonly files: number;
  readonly commits: number;
  /** Commits, trees and blobs. */
  readonly objects: number;
  readonly keeper: readonly Cost[];
  readonly git: readonly Cost[];
  readonly keeperBytes: number;
  readonly gitBytes: number;
}

/** As the archiver starts itself (bin/kubekeeper.js). */
const LEAN = ['--max-semi-space-size=4', '--heap-growing-percent=60'];
const environment = { MALLOC_ARENA_MAX: '1' };
const CHILD = fileURLToPath(new URL('../../test/remote/push-child.ts', import.meta.url));

export async function measureFirstPush(
  size: { readonly files: number; readonly commits: number },
  rounds: number,
  serving: Serving,
  context: BenchContext,
): Promise<FirstPushFigures> {
  const name = `first-${size.files}-${size.commits}`;
  const directory = join(context.directory, `${name}.git`);
  const clone = join(context.directory, `${name}-clone.git`);
  await fill(directory, size, context.signal);
  cloneNative(directory, clone);
  const [keeper, git]: [Cost[], Cost[]] = [[], []];
  const bytes = { keeper: 0, git: 0 };
  let objects = 0;
  for (let round = 1; round <= rounds; round++) {
    const [ours, theirs] = [
      await serving.create(`${name}-ours-${round}`),
      await serving.create(`${name}-git-${round}`),
    ];
    flushDisk();
    const run = await runMeasured([process.execPath, ...LEAN, CHILD, directory, ours.url], { ...context, environment });
    const report = JSON.parse(run.output) as PushReport;
    keeper.push({ ...costOf(run), seconds: report.seconds });
    objects = report.objects;
    flushDisk();
    git.push(costOf(await runMeasured(['git', ...nativePush(clone, theirs)], context)));
    bytes.keeper = await serving.bytesOf(ours.name);
    bytes.git = await serving.bytesOf(theirs.name);
  }
  return { ...size, objects, keeper, git, keeperBytes: bytes.keeper, gitBytes: bytes.git };
}

async function fill(
  directory: string,
  { files, commits }: { readonly files: number; readonly commits: number },
  signal: AbortSignal,
): Promise<void> {
  const history = makeHistory(files);
  await using store = await KeeperStore.create(directory, history.files);
  for (let number = 1; number < commits; number++) {
    signal.throwIfAborted();
    await store.commit(history.change(number));
  }
}
