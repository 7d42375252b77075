import { join } from 'node:path';
import type { RemotePlace } from '../../controller/core/remote.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';
import type { BenchContext } from '../bench.ts';
import { type History, makeHistory } from '../commit/history.ts';
import { KeeperStore } from '../commit/stores.ts';
import { flushDisk } from '../measure/flush-disk.ts';
import { cloneNative, fetchNative, pushNative, pushOurs, time } from './pushers.ts';
import type { Serving } from './serving.ts';

/** Many repositories with one change each, pushed side by side. */
export interface ManyFigures {
  readonly repositories: number;
  readonly objects: number;
  readonly sideBySide: number;
  /** Seconds for all of them. */
  readonly keeper: readonly number[];
  readonly git: readonly number[];
}

interface Pair {
  readonly store: KeeperStore;
  readonly clone: string;
  readonly ours: RemotePlace;
  readonly theirs: RemotePlace;
}

export async function measureMany(
  size: { readonly repositories: number; readonly objects: number; readonly sideBySide: number },
  rounds: number,
  serving: Serving,
  context: BenchContext,
): Promise<ManyFigures> {
  const { signal } = context;
  const history = makeHistory(size.objects);
  await using opened = new AsyncDisposableStack();
  const transport = opened.use(openTransport());
  const pairs: Pair[] = [];
  for (let number = 0; number < size.repositories; number++) {
    signal.throwIfAborted();
    const pair = await makePair(number, history, serving, context);
    opened.use(pair.store);
    pairs.push(pair);
  }
  const ways = {
    keeper: ({ store, ours }: Pair) => pushOurs(store.repository, transport, ours, signal),
    git: ({ clone, theirs }: Pair) => pushNative(clone, theirs, signal),
  };
  const figures = { keeper: [] as number[], git: [] as number[] };
  for (const way of [ways.keeper, ways.git]) await sideBySide(size.sideBySide, pairs, way);
  for (let round = 1; round <= rounds; round++) {
    for (const { store, clone } of pairs) {
      await store.commit(history.change(round));
      fetchNative(clone);
    }
    for (const who of ['keeper', 'git'] as const) {
      flushDisk();
      figures[who].push((await time(() => sideBySide<Pair>(size.sideBySide, pairs, ways[who]))) / 1000);
    }
  }
  return { ...size, ...figures };
}

async function makePair(number: number, history: History, serving: Serving, context: BenchContext): Promise<Pair> {
  const directory = join(context.directory, `many-${number}.git`);
  const store = await KeeperStore.create(directory, history.files);
  const clone = join(context.directory, `many-${number}-clone.git`);
  cloneNative(directory, clone);
  const [ours, theirs] = [await serving.create(`many-ours-${number}`), await serving.create(`many-git-${number}`)];
  return { store, clone, ours, theirs };
}

/** So many at a time, in order. */
async function sideBySide<Item>(
  count: number,
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const waiting = items.values();
  const lane = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: count }, lane));
}
