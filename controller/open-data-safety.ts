import type { RestoreConfig } from './config-restore.ts';
import type { ClaimData } from './core/data/claim-data.ts';
import { oneLine } from './core/words.ts';
import { KeeperError } from './errors.ts';
import type { Done } from './git/ask-archiver.ts';
import { backupNow } from './open-backup.ts';
import { archiveConfigOf, type Safety } from './open-safety.ts';
import type { RestorePoint } from './restore/restore-point.ts';

/** The safety point of a restore that replaces data: nothing of it begins before fresh snapshots of what it replaces are ready. */

export interface DataSafety extends Safety {
  /** Whose data is replaced. */
  readonly claims: readonly string[];
  readonly onProgress: (words: string) => void;
}

/** A running archiver is asked, or this process archives the namespace once. Throws KeeperError REQUEST_REFUSED unless each claim has a ready snapshot. */
export async function makeDataSafetyPoint(
  config: RestoreConfig,
  point: RestorePoint,
  safety: DataSafety,
): Promise<Done> {
  const { repository, name: tag, message, tagger, signal, claims, onProgress } = safety;
  const made = await backupNow(await archiveConfigOf(config, point, [repository]), {
    ...{ repository, tag, message, tagger, signal },
    onProgress: ({ ready, claims: all }) => onProgress(`snapshots of what lives: ${ready} of ${all} ready`),
  });
  const states = new Map(made.claims.map((one) => [one.name, one]));
  const missing = claims.filter((claim) => states.get(claim)?.state !== 'ready');
  if (missing.length > 0) throw unsafe(missing.map((claim) => whyNot(claim, states.get(claim))));
  return { commit: made.commit, tag };
}

function whyNot(claim: string, found: ClaimData | undefined): string {
  const told = found === undefined ? 'it was not snapshotted' : (found.why ?? found.state);
  return `${claim}: ${oneLine(told)}`;
}

function unsafe(reasons: readonly string[]): KeeperError {
  return new KeeperError(
    `The data that would be replaced has no fresh snapshot (${reasons.join('; ')}); nothing was changed, restore beside it with --into, or see what kubekeeper backup says`,
    { kind: 'stalled', code: 'REQUEST_REFUSED' },
  );
}
