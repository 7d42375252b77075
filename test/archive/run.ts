import { archive } from '../../controller/archive/archive.ts';
import type { ArchiveOptions, ArchiveParts } from '../../controller/archive/parts.ts';
import type { HeldLedger } from '../../controller/archive/sweep-guard.ts';
import { Tally } from '../../controller/archive/tally.ts';
import type { Outcome } from '../../controller/core/outcome.ts';
import type { Clock, Cluster, Sealer } from '../../controller/core/ports.ts';
import type { Rule } from '../../controller/core/rules/rule.ts';
import { compileRules } from '../../controller/core/sanitise.ts';
import { compileScope } from '../../controller/core/scope.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import { systemClock } from '../../controller/system-clock.ts';

/** The archive flow in this process, on any Cluster. */

export interface RunOptions
  extends Partial<Pick<ArchiveOptions, 'clusterId' | 'includeOwned' | 'window' | 'guard' | 'snapshots'>>,
    Pick<ArchiveParts, 'remote' | 'openVolumeData'> {
  /** What a person allowed to go. */
  readonly ledger?: HeldLedger;
  readonly clock?: Clock;
  readonly rules?: readonly Rule[];
  readonly sealer?: Sealer;
  readonly namespaces?: readonly string[];
  readonly tally?: Tally;
}

export async function archiveScripted(
  cluster: Cluster,
  dataDirectory: string,
  options: RunOptions = {},
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const outcome of start(cluster, dataDirectory, true, new AbortController().signal, options)) {
    outcomes.push(outcome);
  }
  return outcomes;
}

/** A watching flow; `until` reads outcomes as they come, `stop` ends it and waits. */
export function watchScripted(cluster: Cluster, dataDirectory: string, options: RunOptions = {}) {
  const abort = new AbortController();
  const outcomes: Outcome[] = [];
  const waiting = new Set<() => void>();
  const windows = { window: { silenceMs: 50, maximumMs: 500 }, ...options };
  const ended = (async () => {
    for await (const outcome of start(cluster, dataDirectory, false, abort.signal, windows)) {
      outcomes.push(outcome);
      for (const look of waiting) look();
    }
  })();
  return {
    outcomes,
    until: (what: string, fits: (outcome: Outcome) => boolean, from = 0) =>
      new Promise<Outcome>((resolve, reject) => {
        const look = () => {
          const found = outcomes.slice(from).find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        const timer = setTimeout(() => reject(new Error(`waited for ${what}: ${JSON.stringify(outcomes)}`)), 5000);
        waiting.add(look);
        ended.catch(reject);
        look();
      }),
    async stop() {
      abort.abort();
      await ended;
    },
  };
}

async function* start(
  cluster: Cluster,
  dataDirectory: string,
  once: boolean,
  signal: AbortSignal,
  options: RunOptions,
): AsyncGenerator<Outcome> {
  const sealing = { policy: 'fingerprint', dataDirectory, recipients: [] } as const;
  const scope = { namespaces: options.namespaces ?? [], excludeNamespaces: [], resources: [], excludeResources: [] };
  yield* archive(
    {
      cluster,
      rules: compileRules(options.rules ?? []),
      openSealer: async () => options.sealer ?? openSealer(sealing),
      clock: options.clock ?? systemClock,
      tally: options.tally ?? new Tally(),
      ledger: options.ledger ?? NOTHING_ALLOWED,
      remote: options.remote,
      openVolumeData: options.openVolumeData,
    },
    {
      scope: compileScope(scope),
      clusterId: options.clusterId ?? 'cluster-1',
      dataDirectory,
      window: options.window ?? { silenceMs: 5000, maximumMs: 30_000 },
      includeOwned: options.includeOwned ?? false,
      ...(options.guard === undefined ? {} : { guard: options.guard }),
      snapshots: options.snapshots,
      once,
      signal,
    },
  );
}

const NOTHING_ALLOWED: HeldLedger = {
  record: async () => undefined,
  allowed: () => undefined,
  forget: async () => undefined,
};

export function committed(outcomes: readonly Outcome[]) {
  return outcomes.filter((outcome) => outcome.type === 'committed');
}
