import { randomBytes } from 'node:crypto';
import { hostname, uptime } from 'node:os';
import type { CandidacyOptions } from './archive/candidacy.ts';
import { lead, type Term } from './archive/lead.ts';
import type { Connection } from './cluster/connect.ts';
import { leasePlace, openLeaseStore } from './cluster/lease.ts';
import type { ElectionConfig } from './config.ts';
import type { Outcome } from './core/outcome.ts';
import type { Clock } from './core/ports.ts';
import type { DirectoryLock, LockTerm } from './git/directory-lock.ts';

/** Puts a run under an election, part of compose.ts: who may write is decided by the Lease, and held at the data directory. */

/** The leadership that a run acts under. */
export interface Leadership {
  readonly term: Term;
  readonly lockTerm: LockTerm;
}

/** The time since the machine started: unlike Node's own monotonic clock it goes on while the machine sleeps, as the Lease does. */
const electionClock: Clock = { wall: () => Date.now(), monotonic: () => uptime() * 1000 };

/** Runs once this replica leads; at once, and without leadership, where no election is configured. */
export async function* elect(
  election: ElectionConfig | undefined,
  parts: Pick<CandidacyOptions, 'timings' | 'onRetry'> & {
    readonly connection: Connection;
    readonly clusterId: string;
    readonly signal: AbortSignal;
  },
  run: (leadership: Leadership | undefined) => AsyncIterable<Outcome>,
): AsyncGenerator<Outcome> {
  if (election === undefined) return yield* run(undefined);
  const { connection, clusterId, ...options } = parts;
  const place = leasePlace(election.lease);
  const lease = `${clusterId}/${place.namespace}/${place.name}`;
  // A name for this process: who starts again on the same host is another candidate.
  const identity = `${hostname()}_${randomBytes(8).toString('hex')}`;
  yield* lead(openLeaseStore(connection, place), electionClock, { ...options, identity }, (term) =>
    run({ term, lockTerm: { lease, epoch: term.epoch, identity } }),
  );
}

/** What every write asks before it can be seen: the lock is still ours, and so is the lead. Throws LEADERSHIP_LOST. */
export function guardOf(lock: DirectoryLock, leadership: Leadership | undefined): () => Promise<void> {
  return async () => {
    await lock.verify();
    // Last, since it waits for nothing: between this look at the clock and the write there is no other work.
    leadership?.term.requireLead();
  };
}
