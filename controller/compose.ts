import { archive } from './archive/archive.ts';
import { readClusterId } from './archive/cluster-id.ts';
import type { ArchiveOptions } from './archive/parts.ts';
import type { RepairStep } from './archive/repair.ts';
import type { HeldLedger } from './archive/sweep-guard.ts';
import type { Tally } from './archive/tally.ts';
import type { Verification } from './archive/verify.ts';
import { openCluster } from './cluster/open-cluster.ts';

export { openCluster };

import type { DriftPoint } from './archive/drift.ts';
import { type Connection, connect, type UpgradingConnection } from './cluster/connect.ts';
import type { ArchiveConfig } from './config.ts';
import type { LiveConfig } from './config-history.ts';
import type { ElectionTimings } from './core/election.ts';
import type { Evidence } from './core/history/evidence.ts';
import type { Outcome } from './core/outcome.ts';
import type { Cluster } from './core/ports.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import { compileScope } from './core/scope.ts';
import type { OnSign } from './core/signs.ts';
import type { Vitals } from './core/vitals.ts';
import { elect, guardOf, type Leadership } from './elect.ts';
import type { KeeperError } from './errors.ts';
import { openDataDirectory } from './git/data-directory.ts';
import { forgetHeld, readAllowed, writeHeld } from './git/held-deletions.ts';
import { gatherEvidence, type LiveLook, type LiveOptions, lookLive } from './open-live.ts';
import { type OpenRemote, openRemote } from './open-remote.ts';
import { repairArchive, type VerifyOptions, verifyArchive } from './open-verify.ts';
import { readRules } from './rules-file.ts';
import { openSealer } from './secrets/seal.ts';
import { systemClock } from './system-clock.ts';

/** Opens the edges for an entry point and closes them in reverse; the only place that knows all of them. */

/** Hears of each failure that is tried again, and after how long. */
export type OnRetry = (error: KeeperError, ms: number) => void;

/** What the entry point gives beside the configuration. */
export type RunOptions = Pick<ArchiveOptions, 'once' | 'signal' | 'snapshots'> & {
  readonly tally: Tally;
  readonly vitals?: Vitals;
  readonly onRetry?: OnRetry;
  readonly onSign?: OnSign | undefined;
  /** Of the election; client-go's when left out. */
  readonly timings?: ElectionTimings;
};

/** Runs the archive flow with everything that its configuration names. Throws KeeperError before anything is written when it cannot. */
export async function* runArchive(config: ArchiveConfig, options: RunOptions): AsyncGenerator<Outcome> {
  const rules = await readRules(config.rulesFile);
  await checkRecipients(config);
  await using connection = await connect(config);
  const cluster = openCluster(connection, options.onRetry, options.onSign);
  // Asked first: a cluster that cannot be reached leaves no directory behind.
  const clusterId = await readClusterId(cluster);
  await using remote = config.remote && (await openRemote(config.remote, { cluster, clusterId }));
  const run = (leadership: Leadership | undefined) =>
    archiveUnder(leadership, config, { ...options, rules, connection, cluster, clusterId, remote });
  yield* elect(config.election, { ...options, connection, clusterId }, run);
}

type Prepared = RunOptions & {
  readonly rules: RuleSet;
  readonly connection: UpgradingConnection;
  readonly cluster: Cluster;
  readonly clusterId: string;
  readonly remote: OpenRemote | undefined;
};

/** The lock, then the repositories, which are taken from whoever wrote before, then the archive. */
async function* archiveUnder(
  leadership: Leadership | undefined,
  config: ArchiveConfig,
  { rules, connection, cluster, clusterId, remote, ...options }: Prepared,
): AsyncGenerator<Outcome> {
  await using lock = await openDataDirectory(config.dataDirectory, leadership?.lockTerm);
  const guard = guardOf(lock, leadership);
  const sealing = { policy: config.secrets, dataDirectory: lock.directory, recipients: config.ageRecipients };
  const openVolumeData = await openData(config, connection, lock.directory);
  yield* archive(
    {
      cluster,
      rules,
      openSealer: () => openSealer(sealing),
      clock: systemClock,
      tally: options.tally,
      ...(options.vitals === undefined ? {} : { vitals: options.vitals }),
      ledger: openLedger(lock.directory, guard),
      openVolumeData,
      remote,
    },
    {
      scope: compileScope(config.scope),
      clusterId,
      dataDirectory: lock.directory,
      window: config.window,
      includeOwned: config.includeOwned,
      once: options.once,
      snapshots: options.snapshots,
      signal: leadership?.term.signal ?? options.signal,
      guard,
    },
  );
}

/** Loaded only where volumes are saved. */
async function openData({ data: policy }: ArchiveConfig, connection: UpgradingConnection, dataDirectory: string) {
  if (policy === undefined) return undefined;
  const { openVolumes } = await import('./open-volume-data.ts');
  return await openVolumes(connection, dataDirectory, { policy, clock: systemClock });
}

/** Held deletions, as files of the data directory. */
function openLedger(directory: string, guard: () => Promise<void>): HeldLedger {
  return {
    record: async (held) => {
      await guard();
      await writeHeld(directory, { ...held, since: new Date(systemClock.wall()).toISOString() });
    },
    allowed: (repository) => readAllowed(directory, repository),
    forget: async (repository) => {
      await guard();
      await forgetHeld(directory, repository);
    },
  };
}

/** Before anything is opened: a key that is none must not leave a directory behind. */
async function checkRecipients(config: ArchiveConfig): Promise<void> {
  if (config.secrets !== 'encrypt') return;
  const { openRecipients } = await import('./secrets/recipients.ts');
  await openRecipients(config.ageRecipients);
}

/** A connection for verbs that only read. */
export async function openConnection(config: { kubeconfig?: string; context?: string }): Promise<Connection> {
  return connect(config);
}

/** What `verify` looks at, and `verify --repair` mends; both read the rules as the archive does. */
export async function runVerify(config: ArchiveConfig, options: VerifyOptions): Promise<Verification> {
  return verifyArchive(config, { ...options, rules: await readRules(config.rulesFile), clock: systemClock });
}

export async function* runRepair(config: ArchiveConfig, options: VerifyOptions): AsyncGenerator<RepairStep> {
  yield* repairArchive(config, { ...options, rules: await readRules(config.rulesFile), clock: systemClock });
}

type LookOptions = Omit<LiveOptions, 'rules' | 'clock'>;
type LookConfig = LiveConfig & { readonly dataDirectory: string };

/** Live against restore points, as the archive reads it. */
export async function runLook(
  config: LookConfig,
  points: readonly DriftPoint[],
  options: LookOptions,
): Promise<LiveLook> {
  return lookLive(config, points, { ...options, rules: await readRules(config.rulesFile), clock: systemClock });
}

/** What is true of a namespace now that its HEAD is called good. */
export async function runEvidence(
  config: LookConfig,
  head: DriftPoint,
  options: LookOptions,
): Promise<Evidence | 'unknown'> {
  return gatherEvidence(config, head, { ...options, rules: await readRules(config.rulesFile), clock: systemClock });
}
