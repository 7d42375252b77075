import type { RawSettings } from '../config.ts';
import { parseRestoreConfig, type RestoreConfig } from '../config-restore.ts';
import type { RestoreMappings, RestoreRecord, RestoreRules } from '../core/restore/journal.ts';
import { KeeperError } from '../errors.ts';
import { unfinishedRestore } from '../git/restore-journal.ts';
import { readRules } from '../rules-file.ts';

/** A restore that was stopped, to be gone on with: what it was asked for stands in its journal. */

export interface Resumed {
  readonly config: RestoreConfig;
  readonly record: RestoreRecord;
}

/** Who connects, and with which secrets, comes from the command line again: no journal holds that. */
export async function resumedConfig(repository: string, raw: RawSettings): Promise<Resumed> {
  const given = parseRestoreConfig(repository, raw, { to: 'HEAD' });
  const record = await unfinishedRestore(given.dataDirectory, repository);
  if (record === undefined) {
    throw new KeeperError(
      `No restore of "${repository}" in "${given.dataDirectory}" was stopped; nothing was changed, begin one with --to`,
      { kind: 'invalid-input', code: 'USAGE_INVALID' },
    );
  }
  const { commit, from, selection, target, mappings, rules } = record.header;
  const config = {
    ...given,
    ...(rules === undefined ? {} : await sameRules(given, rules)),
    to: commit,
    selection,
    ...(mappings === undefined ? {} : mapped(mappings)),
    ...(from === undefined ? {} : { from }),
    ...(target.namespace === '' || target.namespace === repository ? {} : { into: target.namespace }),
    ...(target.asUser === undefined ? {} : { asUser: target.asUser, asGroups: record.header.asGroups ?? [] }),
  };
  return { config, record };
}

function mapped({ storageClasses, hosts, images }: RestoreMappings) {
  const renamed = hosts === undefined || hosts === 'clear' ? hosts : new Map(hosts);
  return { storageClasses: new Map(storageClasses), hosts: renamed, images };
}

/** Other rules would make another plan: half of the restore by the one, half by the other. */
async function sameRules(
  given: RestoreConfig,
  { version, file, includeOwned }: RestoreRules,
): Promise<Pick<RestoreConfig, 'rulesFile' | 'includeOwned'>> {
  if (given.includeOwned && !includeOwned)
    throw refused(given, 'without --include-owned; leave it out, or begin another restore with --to');
  const rulesFile = given.rulesFile ?? file;
  const { version: now } = await readRules(rulesFile);
  if (ownPart(now) !== ownPart(version)) {
    const begun = file === undefined ? 'without --rules' : `with the rules that "${file}" held then`;
    throw refused(given, `${begun}; go on with those, or begin another restore with --to`);
  }
  return { ...(rulesFile === undefined ? {} : { rulesFile }), includeOwned };
}

/** Of the user's own rules: the built-in ones come with the version of kubekeeper, and a restore may be gone on with by a newer one. */
function ownPart(version: string): string {
  return version.split('+', 2)[1] ?? '';
}

function refused({ repository }: RestoreConfig, begun: string): KeeperError {
  return new KeeperError(`Nothing was changed: the restore of "${repository}" that was stopped was begun ${begun}`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
