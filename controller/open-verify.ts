import { readClusterId } from './archive/cluster-id.ts';
import { archivedClusterId } from './archive/compare-space.ts';
import { openAdoption } from './archive/publishing.ts';
import { type RepairStep, repair } from './archive/repair.ts';
import { type Verification, verify } from './archive/verify.ts';
import { connect } from './cluster/connect.ts';
import { openCluster } from './cluster/open-cluster.ts';
import type { ArchiveConfig } from './config.ts';
import type { Clock, Cluster } from './core/ports.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import { compileScope } from './core/scope.ts';
import { type ErrorCode, KeeperError } from './errors.ts';
import { listRepositories, openDataDirectory } from './git/data-directory.ts';
import { isBeingWritten } from './git/is-written.ts';
import { finishReplacements } from './git/replace-repository.ts';
import { type OpenRemote, openRemote } from './open-remote.ts';
import { openSealer } from './secrets/seal.ts';

/** Opens what `verify` looks at: the data directory beside whoever writes it, the cluster and the remote as far as they answer. */

export interface VerifyOptions {
  /** Leave the cluster out. */
  readonly isOffline: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (what: string, objects: number) => void;
}

type Options = VerifyOptions & { readonly rules: RuleSet; readonly clock: Clock };

/** Beyond the longest window: time for the commit itself. */
const COMMIT_MS = 5000;

export async function verifyArchive(config: ArchiveConfig, options: Options): Promise<Verification> {
  const { dataDirectory, secrets, ageRecipients, window, includeOwned } = config;
  const scope = compileScope(config.scope);
  const repositories = await repositoriesIn(config);
  await using world = await openWorld(config, options, repositories);
  const sealing = { policy: secrets, dataDirectory, recipients: ageRecipients, isReadOnly: true };
  const look = {
    scope,
    rules: options.rules,
    clock: options.clock,
    includeOwned,
    clusterId: world.clusterId,
    secretsPolicy: secrets,
    openSealer: () => openSealer(sealing),
    isArchiving: () => isBeingWritten(dataDirectory),
    settleMs: window.maximumMs + COMMIT_MS,
  };
  const live = world.cluster === undefined ? world.unreachable : { ...look, cluster: world.cluster };
  const { signal, onProgress } = options;
  return await verify({ dataDirectory, repositories, signal, onProgress, live, remote: world.remote?.port });
}

/** Throws DATA_DIRECTORY_IN_USE while an archiver runs: that one mends by itself what it meets. */
export async function* repairArchive(config: ArchiveConfig, options: Options): AsyncGenerator<RepairStep> {
  // A data directory that is not there must not be made.
  await repositoriesIn(config);
  await using lock = await openDataDirectory(config.dataDirectory);
  await finishReplacements(lock.directory);
  const repositories = await repositoriesIn(config);
  await using world = await openWorld(config, options, repositories);
  const { clusterId, remote } = world;
  const { clock, signal } = options;
  const adoption = openAdoption({ clock, remote }, { clusterId, once: true, signal }, () => {});
  yield* repair({
    dataDirectory: lock.directory,
    repositories,
    clusterId,
    clock,
    signal,
    guard: () => lock.verify(),
    remote: remote?.port,
    adopt: adoption && ((name, repository) => adoption.adopt(name, repository)),
  });
}

async function repositoriesIn(config: ArchiveConfig): Promise<readonly string[]> {
  const scope = compileScope(config.scope);
  return (await listRepositories(config.dataDirectory)).filter((name) => scope.includesRepository(name));
}

interface World extends AsyncDisposable {
  readonly cluster: Cluster | undefined;
  /** Why it does not answer. */
  readonly unreachable: KeeperError | undefined;
  readonly clusterId: string;
  readonly remote: OpenRemote | undefined;
}

async function openWorld(config: ArchiveConfig, options: Options, repositories: readonly string[]): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const asked = options.isOffline ? undefined : await askCluster(config, opening);
  const cluster = asked instanceof KeeperError ? undefined : asked?.cluster;
  const named = asked instanceof KeeperError ? undefined : asked?.clusterId;
  const clusterId = named ?? (await archivedClusterId(config.dataDirectory, repositories));
  const world = { cluster: cluster ?? absentCluster(), clusterId };
  const remote = config.remote && opening.use(await openRemote(config.remote, world));
  const open = opening.move();
  const unreachable = asked instanceof KeeperError ? asked : undefined;
  return { cluster, unreachable, clusterId, remote, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** What an answer may lack; anything else is a mistake in how we were called. */
const UNANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLUSTER_UNREACHABLE',
  'CLUSTER_BUSY',
  'CREDENTIALS_REFUSED',
]);

async function askCluster(
  config: ArchiveConfig,
  opening: AsyncDisposableStack,
): Promise<{ readonly cluster: Cluster; readonly clusterId: string } | KeeperError> {
  const cluster = openCluster(opening.use(await connect(config)));
  try {
    return { cluster, clusterId: await readClusterId(cluster) };
  } catch (error) {
    if (error instanceof KeeperError && UNANSWERED.has(error.code)) return error;
    throw error;
  }
}

/** Credentials of the remote may lie in the cluster; then the remote cannot be asked either. */
function absentCluster(): Cluster {
  const refuse = (): never => {
    throw new KeeperError('The cluster was not asked', { kind: 'transient', code: 'CLUSTER_UNREACHABLE' });
  };
  return { discover: async () => refuse(), watchCatalogue: refuse, listWatch: refuse, get: async () => refuse() };
}
