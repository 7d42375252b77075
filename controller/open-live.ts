import { readClusterId } from './archive/cluster-id.ts';
import { type Drift, type DriftPoint, lookForDrift } from './archive/drift.ts';
import { connect } from './cluster/connect.ts';
import { openCluster } from './cluster/open-cluster.ts';
import type { LiveConfig } from './config-history.ts';
import type { Evidence } from './core/history/evidence.ts';
import { CLUSTER_REPOSITORY } from './core/object.ts';
import type { Clock } from './core/ports.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import { type ErrorCode, KeeperError } from './errors.ts';
import { countWorkloads } from './history/evidence.ts';
import { openComparingSealer } from './secrets/compare-seal.ts';

/** Opens the cluster, where live is compared with a history. */

export interface LiveOptions {
  readonly rules: RuleSet;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (objects: number) => void;
}

export interface LiveLook {
  readonly drifts: readonly Drift[];
  /** Files whose secret values could not be compared, as `REPOSITORY/PATH`, and why. */
  readonly unknownSecrets: ReadonlySet<string>;
  readonly secretsReason: string | undefined;
}

/** Live against restore points. The key of `dataDirectory` compares secret values. Throws KeeperError when the cluster cannot be reached. */
export async function lookLive(
  config: LiveConfig & { readonly dataDirectory: string },
  points: readonly DriftPoint[],
  options: LiveOptions,
): Promise<LiveLook> {
  await using connection = await connect(config);
  const cluster = openCluster(connection);
  const clusterId = await readClusterId(cluster);
  const { sealer, unknown, reason } = await openComparingSealer(config.dataDirectory);
  const { scope, includeOwned } = config;
  const drifts = await lookForDrift(points, { ...options, cluster, clusterId, sealer, scope, includeOwned });
  return { drifts, unknownSecrets: unknown, secretsReason: reason };
}

/** What an answer may lack; anything else is a mistake in how we were called. */
const UNANSWERED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLUSTER_UNREACHABLE',
  'CLUSTER_BUSY',
  'CREDENTIALS_REFUSED',
]);

/** The evidence for HEAD; 'unknown' when the cluster does not answer. */
export async function gatherEvidence(
  config: LiveConfig & { readonly dataDirectory: string },
  point: DriftPoint,
  options: LiveOptions,
): Promise<Evidence | 'unknown'> {
  try {
    const { drifts, unknownSecrets } = await lookLive(config, [point], options);
    const [drift] = drifts;
    const isWhole = drift !== undefined && drift.unread.length === 0 && unknownSecrets.size === 0;
    const found = drift?.objects.length ?? 0;
    const drifted = isWhole || found > 0 ? found : 'unknown';
    await using connection = await connect(config);
    const at = new Date(options.clock.wall());
    const isCluster = point.name === CLUSTER_REPOSITORY;
    const workloads = isCluster ? undefined : await countWorkloads(openCluster(connection), point.name, options.signal);
    return { at, workloads, drifted };
  } catch (error) {
    if (error instanceof KeeperError && UNANSWERED.has(error.code)) return 'unknown';
    throw error;
  }
}
