import { existsSync } from 'node:fs';
import { Tally } from './archive/tally.ts';
import { runArchive } from './compose.ts';
import { type ArchiveConfig, parseArchiveConfig } from './config.ts';
import type { RestoreConfig } from './config-restore.ts';
import { arrayAt, CLUSTER_REPOSITORY, objectAt, stringAt } from './core/object.ts';
import { askForPoint, type Done } from './git/ask-archiver.ts';
import { listRepositories, openDataDirectory } from './git/data-directory.ts';
import { openRepository } from './git/repository.ts';
import { openRestorePoint, type RestorePoint } from './restore/restore-point.ts';
import { readIdentities } from './secrets/identity.ts';

/**
 * The safety commit: what lives before a restore is in Git and tagged `pre/...`, or the restore does not begin. A running archiver is asked
 * for it; where none runs, this process archives the namespace once.
 */

export interface Safety {
  /** The repository of what will be changed. */
  readonly repository: string;
  /** 'pre/restore-20261121-201500'. */
  readonly name: string;
  readonly message: string;
  readonly tagger: { readonly name: string; readonly email: string };
  readonly signal: AbortSignal;
}

const ANSWER_MS = 120_000;

/** Undefined: nothing of it lives and nothing was ever archived, so there is nothing to save. */
export async function makeSafetyPoint(
  config: RestoreConfig,
  point: RestorePoint,
  safety: Safety,
): Promise<Done | undefined> {
  const made = await makeSafetyPoints(config, [{ point, safety }]);
  return made.get(safety.repository);
}

/** Several at once: one archive saves them all. */
export async function makeSafetyPoints(
  config: RestoreConfig,
  wanted: readonly { readonly point: RestorePoint; readonly safety: Safety }[],
): Promise<ReadonlyMap<string, Done>> {
  const made = new Map<string, Done>();
  const left: (typeof wanted)[number][] = [];
  for (const one of wanted) {
    const done = await ask(config.dataDirectory, one.safety);
    if (done === undefined) left.push(one);
    else made.set(one.safety.repository, done);
  }
  const [first] = left;
  if (first === undefined) return made;
  const { signal } = first.safety;
  const own = await archiveConfigOf(
    config,
    first.point,
    left.map(({ safety }) => safety.repository),
  );
  for await (const _outcome of runArchive(own, { once: true, signal, tally: new Tally() })) signal.throwIfAborted();
  for (const { safety } of left) {
    const done = await tagHead(config.dataDirectory, safety);
    if (done !== undefined) made.set(safety.repository, done);
  }
  return made;
}

async function ask(dataDirectory: string, { signal, ...point }: Safety): Promise<Done | undefined> {
  if (!existsSync(dataDirectory)) return undefined;
  return await askForPoint(dataDirectory, point, { signal, timeoutMs: ANSWER_MS });
}

async function tagHead(dataDirectory: string, { repository: name, ...safety }: Safety): Promise<Done | undefined> {
  const directory = `${dataDirectory}/${name}.git`;
  if (!existsSync(directory)) return undefined;
  await using lock = await openDataDirectory(dataDirectory);
  await using repository = await openRepository(directory, { guard: () => lock.verify() });
  const { head } = repository;
  if (head === undefined) return undefined;
  const { message, tagger } = safety;
  await repository.tag(safety.name, { target: head, message, tagger, time: new Date() });
  return { commit: head, tag: safety.name };
}

/** With the secrets policy of what is there, so that no sealed value is rewritten. */
export async function archiveConfigOf(
  config: RestoreConfig,
  point: RestorePoint,
  repositories: readonly string[],
): Promise<ArchiveConfig> {
  const directory = `${config.dataDirectory}/${repositories[0]}.git`;
  await using known = existsSync(directory)
    ? await openRestorePoint(directory, 'HEAD').catch(() => undefined)
    : undefined;
  const model = known ?? point;
  const { kubeconfig, context, rulesFile, includeOwned, dataDirectory } = config;
  const recipients = model.file.secrets === 'encrypt' ? await recipientsOf(model, config) : [];
  // No Secret is cluster-scoped: a clone of the cluster's repository alone tells no recipient, and needs none.
  const isBare = recipients.length === 0 && repositories.every((name) => name === CLUSTER_REPOSITORY);
  const settings = {
    ...{ kubeconfig, context, dataDir: dataDirectory, includeOwned, rules: rulesFile },
    namespaces: repositories,
    secrets: model.file.secrets === 'encrypt' && isBare ? 'fingerprint' : model.file.secrets,
    ageRecipient: recipients,
  };
  return parseArchiveConfig(settings);
}

/**
 * Whom the archive was encrypted for last; where this repository has no secret, another one of the same archive tells, and else it is for
 * whoever restores.
 */
async function recipientsOf(model: RestorePoint, config: RestoreConfig): Promise<readonly string[]> {
  if (config.ageRecipients.length > 0) return config.ageRecipients;
  const own = await recipientsIn(model);
  if (own.length > 0) return own;
  const names = existsSync(config.dataDirectory) ? await listRepositories(config.dataDirectory) : [];
  for (const name of names) {
    // One that was only begun has nothing to tell.
    await using other = await openRestorePoint(`${config.dataDirectory}/${name}.git`, 'HEAD').catch(() => undefined);
    const found = other === undefined ? [] : await recipientsIn(other);
    if (found.length > 0) return found;
  }
  return config.identityFile === undefined ? [] : [...(await readIdentities(config.identityFile)).recipients];
}

async function recipientsIn(point: RestorePoint): Promise<readonly string[]> {
  for (const entry of point.entries) {
    if (entry.resource !== 'secrets') continue;
    const block = objectAt(await point.read(entry), 'sops');
    const recipients = arrayAt(block, 'age').flatMap((one) => stringAt(one, 'recipient') ?? []);
    if (recipients.length > 0) return recipients;
  }
  return [];
}
