import {
  parseRemoteConfig,
  type RawSettings,
  REMOTE_SETTINGS,
  type RemoteConfig,
  requirePullRequests,
  type Setting,
} from './config.ts';
import { parseRestoreConfig, RESTORE_SETTINGS, type RestoreConfig } from './config-restore.ts';
import { without } from './config-shared.ts';
import { EVERYTHING } from './core/restore/plan.ts';

/** The settings of propose and apply-merged: those of restore, and the remote. */

/** What a pull request about the files of one repository cannot say. */
const NOT_PROPOSED = ['into', 'storage-class', 'host', 'image', 'include-owned', 'existing-data'];
/** What each pull request says itself. */
const PROPOSED = [
  ...[
    'to',
    'from',
    'object',
    'kinds',
    'selector',
    'field',
    'prune',
    'delete-protected',
    'existing',
    'even-if-managed',
    'volumes',
  ],
];

export const PROPOSE_SETTINGS: readonly Setting[] = [...without(RESTORE_SETTINGS, ...NOT_PROPOSED), ...REMOTE_SETTINGS];

export const APPLY_MERGED_SETTINGS: readonly Setting[] = without(PROPOSE_SETTINGS, ...PROPOSED);

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
  return requirePullRequests(parseRemoteConfig(raw), '--remote is missing: pull requests are opened there');
}
