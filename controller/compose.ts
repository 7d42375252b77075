import { readFile } from 'node:fs/promises';
import { readClusterId } from './archive/cluster-id.ts';
import { type ArchiveOptions, archive } from './archive/pipeline.ts';
import type { Tally } from './archive/tally.ts';
import { openCluster } from './cluster/open-cluster.ts';

export { openCluster };

import { type Connection, connect } from './cluster/connect.ts';
import type { ArchiveConfig } from './config.ts';
import { compileGlobs } from './core/glob.ts';
import type { Outcome } from './core/outcome.ts';
import type { Clock } from './core/ports.ts';
import { parseRuleFile } from './core/rule-file.ts';
import { compileRules, type RuleSet } from './core/rules/rule-set.ts';
import { compileScope } from './core/scope.ts';
import { KeeperError } from './errors.ts';
import { openDataDirectory } from './git/data-directory.ts';
import { openSealer } from './secrets/seal.ts';

/** Opens the edges for an entry point and closes them in reverse; the only place that knows all of them. */

export const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };

/** Hears of each failure that is tried again, and after how long. */
export type OnRetry = (error: KeeperError, ms: number) => void;

/** Runs the archive flow with everything that its configuration names. Throws KeeperError before anything is written when it cannot. */
export async function* runArchive(
  config: ArchiveConfig,
  options: Pick<ArchiveOptions, 'once' | 'signal'> & { readonly tally: Tally; readonly onRetry?: OnRetry },
): AsyncGenerator<Outcome> {
  const rules = await readRules(config.rulesFile);
  await checkRecipients(config);
  await using connection = await connect(config);
  const cluster = openCluster(connection, options.onRetry);
  // Asked first: a cluster that cannot be reached leaves no directory behind.
  const clusterId = await readClusterId(cluster);
  await using lock = await openDataDirectory(config.dataDirectory);
  const sealing = { policy: config.secrets, dataDirectory: lock.directory, recipients: config.ageRecipients };
  const allows = compileGlobs(config.allowDeletions);
  yield* archive(
    { cluster, rules, openSealer: () => openSealer(sealing), clock: systemClock, tally: options.tally },
    {
      scope: compileScope(config.scope),
      clusterId,
      dataDirectory: lock.directory,
      window: config.window,
      includeOwned: config.includeOwned,
      once: options.once,
      allowsDeletions: allows,
      signal: options.signal,
    },
  );
}

/** Before anything is opened: a key that is none must not leave a directory behind. */
async function checkRecipients(config: ArchiveConfig): Promise<void> {
  if (config.secrets !== 'encrypt') return;
  const { openRecipients } = await import('./secrets/recipients.ts');
  await openRecipients(config.ageRecipients);
}

/** The built-in rules with those of a file over them. */
export async function readRules(file: string | undefined): Promise<RuleSet> {
  if (file === undefined) return compileRules();
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KeeperError(`Cannot read the rules file "${file}"; nothing was changed, check --rules`, {
      kind: 'invalid-input',
      code: 'RULES_INVALID',
      cause,
    });
  }
  return compileRules(parseRuleFile(text, file));
}

/** A connection for verbs that only read. */
export async function openConnection(config: { kubeconfig?: string; context?: string }): Promise<Connection> {
  return connect(config);
}
