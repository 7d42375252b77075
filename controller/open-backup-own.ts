import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tally } from './archive/tally.ts';
import { runArchive } from './compose.ts';
import type { ArchiveConfig } from './config.ts';
import { type ClaimData, claimsOfNote } from './core/data/claim-data.ts';
import type { DataPolicy } from './core/data/policy.ts';
import type { Outcome } from './core/outcome.ts';
import { KeeperError } from './errors.ts';
import type { Identity } from './git/commit-object.ts';
import { openDataDirectory } from './git/data-directory.ts';
import type { ObjectId } from './git/object-id.ts';
import { openArchive } from './git/open-archive.ts';
import { openRepository } from './git/repository.ts';
import { openHistory } from './history/open-history.ts';
import type { BackupWish } from './open-backup.ts';
import { readAsked } from './open-backup-data.ts';

/** A backup where nobody archives: this process archives once, with snapshots of everything. */

const LOOK_EVERY_MS = 500;
const AUTHOR: Identity = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

export interface Begun {
  readonly wish: BackupWish;
  readonly directory: string;
  /** HEAD as it was. */
  readonly before: ObjectId | undefined;
  /** Undefined: nobody archives there. */
  readonly commit: ObjectId | undefined;
}

/** With a policy for volume data, whoever gave it. */
export type OwnConfig = ArchiveConfig & { readonly data: DataPolicy };

/** All of them at once. */
export async function archiveNow(config: OwnConfig, left: readonly Begun[]): Promise<readonly Outcome[]> {
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
    await sleep(LOOK_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    // A repository that is only being made cannot be read yet.
    const asked = await readAsked({ directory, before, commit: undefined }).catch(() => undefined);
    if (asked !== undefined && !ended.aborted) tell(wish, claimsOfNote(asked.note, asked.snapshots));
  }
}

export function tell({ repository, onProgress }: BackupWish, claims: readonly ClaimData[]): void {
  const asked = claims.filter(({ state }) => state !== 'excluded' && state !== 'impossible');
  const ready = asked.filter(({ state }) => state === 'ready').length;
  if (asked.length > 0) onProgress?.({ repository, ready, claims: asked.length });
}

export async function tagHead(dataDirectory: string, { wish, directory }: Begun): Promise<ObjectId> {
  const head = existsSync(directory) ? await headOf(directory) : undefined;
  if (head === undefined)
    throw usage(`There is no "${wish.repository}" in the cluster to archive; nothing was saved, check the name`);
  if (wish.tag === undefined) return head;
  await using lock = await openDataDirectory(dataDirectory);
  await using repository = await openRepository(directory, { guard: () => lock.verify() });
  await repository.tag(wish.tag, { target: head, ...signed(wish), time: new Date() });
  return head;
}

/** Throws USAGE_INVALID where the tag is there already. */
export async function headOf(directory: string, tag?: string): Promise<ObjectId | undefined> {
  using archive = await openArchive(directory, { trusted: true });
  if (tag === undefined || !archive.refs().has(`refs/tags/${tag}`)) return archive.head;
  throw usage(`The tag "${tag}" exists in "${directory}" already; nothing was changed, choose another name`);
}

/** A backup must not rewrite every Secret, only because a flag was left out. */
export async function refuseOtherSecrets(
  { secrets }: ArchiveConfig,
  { wish, directory, before }: Begun,
): Promise<void> {
  if (before === undefined) return;
  using history = await openHistory(directory, wish.repository, { trusted: true });
  const known = history.file.secrets;
  if (known === secrets) return;
  throw usage(
    `"${wish.repository}" is archived with --secrets ${known}, and this would be ${secrets}; nothing was changed, give the settings of the archive, or its --config`,
  );
}

export function signed({ repository, message = `backup of ${repository}\n`, tagger = AUTHOR }: BackupWish) {
  return { message, tagger };
}

function usage(message: string): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'USAGE_INVALID' });
}
