import {
  ARCHIVE_SETTINGS,
  CONNECTION_SETTINGS,
  list,
  parseConnectionConfig,
  parseDataDirectory,
  parseRulesConfig,
  type RawSettings,
  RULE_SETTINGS,
  type Setting,
  text,
  usage,
} from './config.ts';
import { DATA_DIRECTORY_SETTINGS, only, REPOSITORY_SETTING } from './config-shared.ts';
import type { ScopeOptions } from './core/scope.ts';

/** The settings of what reads a history: changes, diff, show, tags, drift; and of what names a state in it: tag. */

/** Where the repository lies, for verbs that read. */
export const SOURCE_SETTINGS: readonly Setting[] = [REPOSITORY_SETTING, ...DATA_DIRECTORY_SETTINGS];

/** What the archive's own look at the cluster needs: the same as the archiver has. */
export const LIVE_SETTINGS: readonly Setting[] = [
  ...CONNECTION_SETTINGS,
  ...only(ARCHIVE_SETTINGS, 'config', 'resources', 'exclude-resources', 'selector'),
  ...RULE_SETTINGS,
];

export const TAGGER_SETTING: Setting = {
  flag: 'tagger',
  value: 'identity',
  help: 'who tags, as "NAME <EMAIL>"; kubekeeper for the user of this system when left out',
};

export interface HistorySourceConfig {
  readonly dataDirectory: string;
  /** A bare repository outside of the data directory. */
  readonly from?: string;
}

export interface LiveConfig {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly scope: ScopeOptions;
  readonly rulesFile?: string;
  readonly includeOwned: boolean;
}

export function parseSource(raw: RawSettings): HistorySourceConfig {
  const from = text(raw, 'from');
  return { dataDirectory: parseDataDirectory(raw), ...(from === undefined ? {} : { from }) };
}

export function parseObjects(raw: RawSettings): readonly string[] {
  return list(raw, 'object');
}

export function parseLive(raw: RawSettings): LiveConfig {
  const selector = text(raw, 'selector');
  return {
    ...parseConnectionConfig(raw),
    ...parseRulesConfig(raw),
    scope: {
      namespaces: [],
      excludeNamespaces: [],
      resources: list(raw, 'resources'),
      excludeResources: list(raw, 'excludeResources'),
      ...(selector === undefined ? {} : { selector }),
    },
  };
}

/** Undefined when none was given. */
export function parseTagger(raw: RawSettings): { readonly name: string; readonly email: string } | undefined {
  const value = text(raw, 'tagger');
  if (value === undefined) return undefined;
  const [, name, email] = /^\s*([^<>\n]+?)\s*<([^<>\s]*)>\s*$/.exec(value) ?? [];
  if (name === undefined || email === undefined) throw usage(`--tagger takes "NAME <EMAIL>", not "${value}"`);
  return { name, email };
}

/** Undefined when none was given. */
export function parseLimit(raw: RawSettings): number | undefined {
  const value = text(raw, 'limit');
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw usage(`--limit takes a number from 1 on, not "${value}"`);
  return Number(value);
}
