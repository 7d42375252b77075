import type { Clock, Cluster, Sealer } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import type { Scope } from '../core/scope.ts';
import type { Vitals } from '../core/vitals.ts';
import type { WindowLimits } from '../core/window.ts';
import type { RemoteAccess } from './publishing.ts';
import type { Guard } from './spaces.ts';
import type { HeldLedger } from './sweep-guard.ts';
import type { Tally } from './tally.ts';
import type { OpenVolumeData } from './volumes.ts';

/** What the archive flow is given. */

export interface ArchiveParts {
  readonly cluster: Cluster;
  readonly rules: RuleSet;
  /** Called once the repositories are found to be ours: it may make a key. */
  readonly openSealer: () => Promise<Sealer>;
  readonly clock: Clock;
  readonly tally?: Tally;
  readonly vitals?: Vitals;
  readonly ledger: HeldLedger;
  /** Saves the volumes beside each commit; nobody does when left out. */
  readonly openVolumeData?: OpenVolumeData | undefined;
  /** Where what is committed is pushed; nowhere when left out. */
  readonly remote?: RemoteAccess | undefined;
}

export interface ArchiveOptions {
  readonly scope: Scope;
  /** As `readClusterId` gives it. */
  readonly clusterId: string;
  readonly dataDirectory: string;
  readonly window: WindowLimits;
  readonly includeOwned: boolean;
  /** List, commit, end. */
  readonly once: boolean;
  /** Of all volumes, after the first lists, whatever the interval says. */
  readonly snapshots?: 'forced' | undefined;
  /** Asked before every commit, push and removal; the run ends with what it throws. */
  readonly guard?: Guard;
  readonly signal: AbortSignal;
}
