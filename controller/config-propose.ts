import {
  parseRemoteConfig,
  type RawSettings,
  REMOTE_SETTINGS,
  type RemoteConfig,
  type Setting,
  usage,
} from './config.ts';
import { parseRestoreConfig, RESTORE_SETTINGS, type RestoreConfig } from './config-restore.ts';
import { EVERYTHING } from './core/restore/plan.ts';

/** The settings of propose and apply-merged: those of restore, and the remote. */

/** What a pull request about the files of one repository cannot say. */
const NOT_PROPOSED = new Set(['into', 'storage-class', 'host', 'image', 'include-owned']);
/** What each pull request says itself. */
const PROPOSED = new Set([
  ...['to', 'from', 'object', 'kinds', 'selector', 'field', 'prune', 'delete-protected', 'existing', 'even-if-managed'],
]);

export const PROPOSE_SETTINGS: readonly Setting[] = [
  ...RESTORE_SETTINGS.filter(({ flag }) => !NOT_PROPOSED.has(flag)),
  ...REMOTE_SETTINGS,
];

export const APPLY_MERGED_SETTINGS: readonly Setting[] = PROPOSE_SETTINGS.filter(({ flag }) => !PROPOSED.has(flag));

export interface ProposeConfig extends RestoreConfig {
  readonly remote: RemoteConfig;
}

export function parseProposeConfig(repository: string, raw: RawSettings): ProposeConfig {
  return { ...parseRestoreConfig(repository, raw), remote: remoteOf(raw) };
}

/** For any repository: which, and to what point, each pull request says. */
export function parseApplyMergedConfig(raw: RawSettings): ProposeConfig {
  return { ...parseRestoreConfig('', raw, { to: 'HEAD' }), selection: EVERYTHING, remote: remoteOf(raw) };
}

function remoteOf(raw: RawSettings): RemoteConfig {
  const { remote } = parseRemoteConfig(raw);
  if (remote === undefined) throw usage('--remote is missing: pull requests are opened there');
  if (remote.forge === 'none') throw usage('--forge none has no pull requests, give github or gitea');
  return remote;
}
