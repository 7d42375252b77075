import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openRepository } from '../../controller/git/repository.ts';
import type { BenchContext } from '../bench.ts';
import { flushDisk } from '../measure/flush-disk.ts';
import { spreadOf } from '../report/statistics.ts';
import { type History, makeHistory } from './history.ts';
import { collectedBytes, objectBytes } from './pack-bytes.ts';
import { GitStore, KeeperStore } from './stores.ts';

/** One changed object, straight into the stores. */
export interface StoreFigures {
  readonly objects: number;
  /** Milliseconds; kubekeeper's of one round are the median of the round's commits. */
  readonly keeper: readonly number[];
  readonly slowestKeeper: number;
  readonly git: readonly number[];
  readonly gitSynced: readonly number[];
  readonly bytes: {
    readonly commits: number;
    readonly before: Bytes;
    readonly after: Bytes;
    /** As the last commit left it, before a consolidation was asked for. */
    readonly unattended: number;
    readonly packs: number;
  };
}

export interface Bytes {
  readonly keeper: number;
  readonly gc: number;
  readonly repack: number;
}

/** Of kubekeeper per commit of Git: they cost so little, and bytes want a history of hundreds. */
const COMMITS_A_ROUND = 10;

export async function measureStores(objects: number, rounds: number, context: BenchContext): Promise<StoreFigures> {
  const directory = join(context.directory, `store-${objects}`);
  const figures = await measureIn(directory, objects, rounds, context);
  await rm(directory, { recursive: true });
  return figures;
}

async function measureIn(
  directory: string,
  objects: number,
  rounds: number,
  context: BenchContext,
): Promise<StoreFigures> {
  const path = join(directory, 'keeper.git');
  const history = makeHistory(objects);
  const keeper = await KeeperStore.create(path, history.files);
  await keeper.repository.consolidate({ full: true });
  const before = await bytesOf(path);
  const times = await timeCommits(keeper, directory, { history, rounds, signal: context.signal });
  const unattended = await objectBytes(path);
  await using repository = await openRepository(path);
  const { packs } = await repository.consolidate();
  const after = await bytesOf(path);
  return { objects, ...times, bytes: { commits: rounds * COMMITS_A_ROUND, before, after, unattended, packs } };
}

/** Closes kubekeeper's store at the end, which waits for a consolidation under way. */
async function timeCommits(
  store: KeeperStore,
  directory: string,
  { history, rounds, signal }: { readonly history: History; readonly rounds: number; readonly signal: AbortSignal },
): Promise<Pick<StoreFigures, 'keeper' | 'git' | 'gitSynced' | 'slowestKeeper'>> {
  await using keeper = store;
  const git = await GitStore.create(join(directory, 'git'), history.files, []);
  const gitSynced = await GitStore.create(join(directory, 'git-synced'), history.files, ['core.fsync=all']);
  flushDisk();
  const times = { keeper: [] as number[], git: [] as number[], gitSynced: [] as number[] };
  let [change, slowestKeeper] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    const own: number[] = [];
    for (let commit = 0; commit < COMMITS_A_ROUND; commit++) own.push(await keeper.commit(history.change(++change)));
    times.keeper.push(spreadOf(own).median);
    slowestKeeper = Math.max(slowestKeeper, ...own);
    times.git.push(await git.commit(history.change(change)));
    times.gitSynced.push(await gitSynced.commit(history.change(change)));
  }
  return { ...times, slowestKeeper };
}

async function bytesOf(repository: string): Promise<Bytes> {
  return { keeper: await objectBytes(repository), ...(await collectedBytes(repository)) };
}
