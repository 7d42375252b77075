import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArchiveConfig } from './config.ts';
import { type DataPolicy, dataPolicyOf } from './core/data/policy.ts';
import type { Outcome } from './core/outcome.ts';
import { askForBackup } from './git/ask-archiver.ts';
import type { Identity } from './git/commit-object.ts';
import type { ObjectId } from './git/object-id.ts';
import { type BackupData, lookAtClaims, waitForData } from './open-backup-data.ts';
import {
  archiveNow,
  type Begun,
  headOf,
  type OwnConfig,
  refuseOtherSecrets,
  signed,
  tagHead,
  tell,
} from './open-backup-own.ts';

/**
 * A commit and fresh snapshots of all volumes of a namespace, now, and what became of them. A running archiver is asked; where none runs,
 * this process archives the namespace once.
 */

export interface BackupWish {
  readonly repository: string;
  /** On the commit, as soon as it is made, whatever becomes of the snapshots. */
  readonly tag?: string | undefined;
  /** Of the tag. */
  readonly message?: string;
  readonly tagger?: Identity;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface BackupProgress {
  readonly repository: string;
  readonly ready: number;
  /** That are asked for. */
  readonly claims: number;
}

export interface BackedUp extends BackupData {
  readonly repository: string;
  readonly commit: ObjectId;
  readonly tag?: string;
  /** Who archived. */
  readonly by: 'archiver' | 'us';
}

export interface Backup {
  readonly results: readonly BackedUp[];
  /** Of our own archive, where nobody else's runs. */
  readonly outcomes: readonly Outcome[];
}

/** Its first lists may be under way; after them it reads everything once more. */
const ANSWER_MS = 120_000;
const LATE = { looks: 40, everyMs: 500 };

/** Throws KeeperError when the namespace could not be archived; what its volumes could not do is in the answer. */
export async function backupNow(config: ArchiveConfig, wish: BackupWish): Promise<BackedUp> {
  const { results } = await backupAll(config, [wish]);
  return results[0] as BackedUp;
}

/** Several at once: one archive takes those that no running archiver takes. */
export async function backupAll(config: ArchiveConfig, wishes: readonly BackupWish[]): Promise<Backup> {
  const policy = config.data ?? (dataPolicyOf({ data: {} }) as DataPolicy);
  const own = { ...config, data: policy };
  const begun: Begun[] = [];
  for (const wish of wishes) begun.push(await ask(config.dataDirectory, wish));
  const left = begun.filter(({ commit }) => commit === undefined);
  for (const one of left) await refuseOtherSecrets(config, one);
  const outcomes = left.length === 0 ? [] : await archiveNow(own, left);
  const made: Made[] = [];
  for (const one of begun) made.push({ ...one, head: one.commit ?? (await tagHead(config.dataDirectory, one)) });
  return { results: await Promise.all(made.map((one) => finish(own, one, outcomes))), outcomes };
}

interface Made extends Begun {
  readonly head: ObjectId;
}

async function ask(dataDirectory: string, wish: BackupWish): Promise<Begun> {
  const { repository, tag, signal } = wish;
  const directory = `${dataDirectory}/${repository}.git`;
  const before = existsSync(directory) ? await headOf(directory, tag) : undefined;
  const request = { repository, ...(tag === undefined ? {} : { name: tag }), ...signed(wish) };
  const patience = { signal, timeoutMs: ANSWER_MS };
  const commit = existsSync(dataDirectory) ? await askForBackup(dataDirectory, request, patience) : undefined;
  return { wish, directory, before, commit };
}

async function finish(config: OwnConfig, made: Made, outcomes: readonly Outcome[]): Promise<BackedUp> {
  const { wish, directory, before, head } = made;
  const { repository, tag, signal } = wish;
  const by = made.commit === undefined ? 'us' : 'archiver';
  const wait = (commit: ObjectId | undefined) =>
    waitForData(config.dataDirectory, { directory, before, commit }, { signal, tell: (claims) => tell(wish, claims) });
  const why = whyNot(repository, by === 'us' ? outcomes : undefined);
  let data = (await wait(head)) ?? (await lookAtClaims(config, repository, { why, signal }));
  const isMissing = data.claims.some(({ state }) => state === 'missing');
  // A cluster that answers late: the archiver asks in a commit of its own, soon after. A tag would be on the one before.
  const mayBeLate = isMissing && by === 'archiver' && tag === undefined;
  for (let look = 0; look < LATE.looks && mayBeLate; look++) {
    await sleep(LATE.everyMs, undefined, { signal });
    const late = await wait(undefined);
    if (late === undefined) continue;
    data = late;
    break;
  }
  return { repository, commit: data.asked ?? head, ...(tag === undefined ? {} : { tag }), by, ...data };
}

/** The newest reason, where the archive was ours. */
function whyNot(repository: string, outcomes: readonly Outcome[] | undefined): string {
  const failed = outcomes?.findLast((one) => one.type === 'snapshots-failed' && one.repository === repository);
  if (failed?.type === 'snapshots-failed') return failed.reason;
  return outcomes === undefined
    ? 'no snapshot was asked for; the log of the running archiver says why'
    : 'no snapshot was asked for';
}
