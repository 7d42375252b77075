import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tally } from './archive/tally.ts';
import { runArchive } from './compose.ts';
import type { ArchiveConfig } from './config.ts';
import { type ClaimData, claimsOfNote } from './core/data/claim-data.ts';
import { type DataPolicy, dataPolicyOf } from './core/data/policy.ts';
import type { Outcome } from './core/outcome.ts';
import { KeeperError } from './errors.ts';
import { askForBackup } from './git/ask-archiver.ts';
import type { Identity } from './git/commit-object.ts';
import { openDataDirectory } from './git/data-directory.ts';
import type { ObjectId } from './git/object-id.ts';
import { openArchive } from './git/open-archive.ts';
import { openRepository } from './git/repository.ts';
import { openHistory } from './history/open-history.ts';
import { type BackupData, lookAtClaims, readAsked, waitForData } from './open-backup-data.ts';

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
const PROGRESS_EVERY_MS = 500;
const LATE_LOOKS = 40;
const AUTHOR: Identity = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

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

interface Begun {
  readonly wish: BackupWish;
  readonly directory: string;
  /** HEAD as it was. */
  readonly before: ObjectId | undefined;
  /** Undefined: nobody archives there. */
  readonly commit: ObjectId | undefined;
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

/** Throws USAGE_INVALID where the tag is there already. */
async function headOf(directory: string, tag?: string): Promise<ObjectId | undefined> {
  using archive = await openArchive(directory, { trusted: true });
  if (tag === undefined || !archive.refs().has(`refs/tags/${tag}`)) return archive.head;
  throw usage(`The tag "${tag}" exists in "${directory}" already; nothing was changed, choose another name`);
}

/** A backup must not rewrite every Secret, only because a flag was left out. */
async function refuseOtherSecrets({ secrets }: ArchiveConfig, { wish, directory, before }: Begun): Promise<void> {
  if (before === undefined) return;
  using history = await openHistory(directory, wish.repository, { trusted: true });
  const known = history.file.secrets;
  if (known === secrets) return;
  throw usage(
    `"${wish.repository}" is archived with --secrets ${known}, and this would be ${secrets}; nothing was changed, give the settings of the archive, or its --config`,
  );
}

function signed({ repository, message = `backup of ${repository}\n`, tagger = AUTHOR }: BackupWish) {
  return { message, tagger };
}

type OwnConfig = ArchiveConfig & { readonly data: DataPolicy };

async function archiveNow(config: OwnConfig, left: readonly Begun[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const namespaces = left.map(({ wish }) => wish.repository);
  const narrow = { ...config, scope: { ...config.scope, namespaces, excludeNamespaces: [] } };
  const signal = AbortSignal.any(left.map(({ wish }) => wish.signal));
  const ended = new AbortController();
  const watching = Promise.all(left.map((one) => watchProgress(one, ended.signal)));
  try {
    for await (const outcome of runArchive(narrow, { once: true, snapshots: 'forced', signal, tally: new Tally() })) {
      if (outcome.type !== 'listed') outcomes.push(outcome);
    }
  } finally {
    ended.abort();
    await watching;
  }
  signal.throwIfAborted();
  return outcomes;
}

/** While our archive runs, its notes say how far it is. */
async function watchProgress({ wish, directory, before }: Begun, ended: AbortSignal): Promise<void> {
  while (wish.onProgress !== undefined && !ended.aborted) {
    await sleep(PROGRESS_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    // A repository that is only being made cannot be read yet.
    const asked = await readAsked({ directory, before, commit: undefined }).catch(() => undefined);
    if (asked !== undefined && !ended.aborted) tell(wish, claimsOfNote(asked.note, asked.snapshots));
  }
}

function tell({ repository, onProgress }: BackupWish, claims: readonly ClaimData[]): void {
  const asked = claims.filter(({ state }) => state !== 'excluded' && state !== 'impossible');
  const ready = asked.filter(({ state }) => state === 'ready').length;
  if (asked.length > 0) onProgress?.({ repository, ready, claims: asked.length });
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
  // A cluster that answers late: the archiver asks in a commit of its own, soon after.
  for (let look = 0; look < LATE_LOOKS && isMissing && by === 'archiver'; look++) {
    await sleep(PROGRESS_EVERY_MS, undefined, { signal });
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

async function tagHead(dataDirectory: string, { wish, directory }: Begun): Promise<ObjectId> {
  const head = existsSync(directory) ? await headOf(directory) : undefined;
  if (head === undefined)
    throw usage(`There is no "${wish.repository}" in the cluster to archive; nothing was saved, check the name`);
  if (wish.tag === undefined) return head;
  await using lock = await openDataDirectory(dataDirectory);
  await using repository = await openRepository(directory, { guard: () => lock.verify() });
  await repository.tag(wish.tag, { target: head, ...signed(wish), time: new Date() });
  return head;
}

function usage(message: string): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'USAGE_INVALID' });
}
