import { join } from 'node:path';
import { openTransport } from '../../controller/git/remote/transport.ts';
import type { BenchContext } from '../bench.ts';
import { makeHistory } from '../commit/history.ts';
import { KeeperStore } from '../commit/stores.ts';
import { flushDisk } from '../measure/flush-disk.ts';
import { cloneNative, fetchNative, pushNative, pushOurs, time } from './pushers.ts';
import type { Serving } from './serving.ts';

/** One new commit at a time, pushed by both. */
export interface OneChangeFigures {
  readonly objects: number;
  /** Milliseconds. */
  readonly keeper: readonly number[];
  readonly git: readonly number[];
  /** Of the request with the pack. */
  readonly keeperBytes: readonly number[];
  readonly gitBytes: readonly number[];
}

export async function measureOneChange(
  objects: number,
  rounds: number,
  serving: Serving,
  context: BenchContext,
): Promise<OneChangeFigures> {
  const { signal } = context;
  const history = makeHistory(objects);
  const directory = join(context.directory, `one-${objects}.git`);
  const clone = join(context.directory, `one-${objects}-clone.git`);
  await using keeper = await KeeperStore.create(directory, history.files);
  await using transport = openTransport();
  const [ours, theirs] = [await serving.create(`ours-${objects}`), await serving.create(`theirs-${objects}`)];
  const pushBoth = {
    keeper: () => pushOurs(keeper.repository, transport, ours, signal),
    git: () => pushNative(clone, theirs, signal),
  };
  cloneNative(directory, clone);
  await pushBoth.keeper();
  await pushBoth.git();
  const figures = {
    keeper: [] as number[],
    git: [] as number[],
    keeperBytes: [] as number[],
    gitBytes: [] as number[],
  };
  for (let round = 1; round <= rounds; round++) {
    signal.throwIfAborted();
    await keeper.commit(history.change(round));
    fetchNative(clone);
    const before = { keeper: await serving.bytesOf(ours.name), git: await serving.bytesOf(theirs.name) };
    flushDisk();
    // In turn: whoever comes second finds the server's programs warm.
    for (const who of round % 2 === 0 ? (['keeper', 'git'] as const) : (['git', 'keeper'] as const)) {
      figures[who].push(await time(pushBoth[who]));
    }
    figures.keeperBytes.push((await serving.bytesOf(ours.name)) - before.keeper);
    figures.gitBytes.push((await serving.bytesOf(theirs.name)) - before.git);
  }
  return { objects, ...figures };
}
