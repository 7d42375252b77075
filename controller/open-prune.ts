import { AUTHOR } from './archive/commit-space.ts';
import { connect } from './cluster/connect.ts';
import { openRestoreTarget } from './cluster/open-restore-target.ts';
import type { RetentionPlan } from './core/data/retention.ts';
import type { RetentionPolicy } from './core/data/retention-policy.ts';
import { namespaceOf } from './core/line.ts';
import { type Pruned, type PruneParts, planPrune, prune } from './data/prune.ts';
import { readDataCommits } from './data/read-history.ts';
import type { KeeperError } from './errors.ts';
import { archiveIdOf } from './git/archive-id.ts';
import { openDataDirectory } from './git/data-directory.ts';
import { openArchive } from './git/open-archive.ts';
import { openRepository } from './git/repository.ts';
import { systemClock } from './system-clock.ts';

/** Volume data that goes by a policy, by hand: what would go, and where nobody archives, its going. */

/** By repository. Only Git is looked at: what a restore in the cluster uses stays besides. */
export async function planPrunes(
  dataDirectory: string,
  repositories: readonly string[],
  options: { readonly retention: RetentionPolicy; readonly onOdd: (error: KeeperError) => void },
): Promise<ReadonlyMap<string, RetentionPlan>> {
  const { retention, onOdd } = options;
  const plans = new Map<string, RetentionPlan>();
  for (const name of repositories) {
    using archive = await openArchive(`${dataDirectory}/${name}.git`, { trusted: true });
    plans.set(name, planPrune(await readDataCommits(archive, { onOdd }), retention, systemClock.wall()));
  }
  return plans;
}

export interface PruneConfig {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly dataDirectory: string;
  readonly retention: RetentionPolicy;
}

/** By repository, one after the other; each is told when it is done. Throws DATA_DIRECTORY_IN_USE while an archiver runs. */
export async function* pruneNow(
  config: PruneConfig,
  repositories: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly [repository: string, pruned: Pruned]> {
  await using connection = await connect(config);
  await using lock = await openDataDirectory(config.dataDirectory);
  const guard = () => lock.verify();
  const parts: PruneParts = {
    target: openRestoreTarget(connection, { signal }),
    retention: config.retention,
    archiveId: await archiveIdOf(lock.directory),
    clock: systemClock,
    author: AUTHOR,
    guard,
    signal,
  };
  for (const name of repositories) {
    signal.throwIfAborted();
    await using repository = await openRepository(`${lock.directory}/${name}.git`, { guard });
    yield [name, await prune(parts, namespaceOf(name), repository)];
  }
}
