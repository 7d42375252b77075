import type { RawSettings } from '../config.ts';
import { parseRestoreConfig, type RestoreConfig } from '../config-restore.ts';
import type { RestoreMappings, RestoreRecord } from '../core/restore/journal.ts';
import { KeeperError } from '../errors.ts';
import { unfinishedRestore } from '../git/restore-journal.ts';

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
  const { commit, from, selection, target, mappings } = record.header;
  const config = {
    ...given,
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
