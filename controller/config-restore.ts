import {
  ARCHIVE_SETTINGS,
  CONNECTION_SETTINGS,
  choice,
  isOn,
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
import { OBJECT_SETTING, OPENING_SETTINGS, only } from './config-shared.ts';
import { pointerFault } from './core/pointer.ts';
import type { Selection } from './core/restore/plan.ts';

/** The settings of plan, restore and what else changes a cluster: one table, as config.ts has for the archive. */

const POINT_SETTINGS: readonly Setting[] = [
  {
    flag: 'to',
    value: 'point',
    help: 'the restore point: a commit, a tag (good/NAME), or a time such as yesterday or 2h',
  },
  {
    flag: 'from',
    value: 'directory',
    help: 'a bare repository, such as a clone, or a directory of some; where --data-dir keeps what is written',
  },
];

const SELECTION_SETTINGS: readonly Setting[] = [
  OBJECT_SETTING,
  { flag: 'kinds', value: 'names', repeatable: true, help: 'only these kinds or resources' },
  { flag: 'selector', value: 'labels', help: 'only objects with these labels' },
  {
    flag: 'field',
    value: 'pointer',
    repeatable: true,
    help: 'only these fields: /spec/replicas; nothing is made or deleted',
  },
  { flag: 'into', value: 'namespace', help: 'restore into another namespace' },
  { flag: 'prune', help: 'delete what lives and is not in the restore point' },
  {
    flag: 'delete-protected',
    value: 'resource/name',
    repeatable: true,
    help: 'with --prune: these go although they are protected',
  },
  {
    flag: 'existing',
    value: 'policy',
    default: 'update',
    choices: ['skip', 'update', 'replace'],
    help: 'what lives and differs is left, changed, or where a field cannot be changed deleted and made again',
  },
  { flag: 'even-if-managed', help: 'also over what Argo CD or Flux keeps as it is' },
  {
    flag: 'volumes',
    value: 'which',
    default: 'all',
    help: 'claims that come back with their data: all, none, names (a,b), or only: with their data, and nothing else',
  },
  {
    flag: 'existing-data',
    value: 'policy',
    default: 'refuse',
    choices: ['refuse', 'replace'],
    help: 'the data of claims that live is left as it is, or replaced: who uses it is scaled to 0 meanwhile',
  },
  {
    flag: 'storage-class',
    value: 'old=new',
    repeatable: true,
    help: 'claims of one StorageClass come back with another',
  },
  {
    flag: 'host',
    value: 'old=new',
    repeatable: true,
    help: 'host names of Ingresses and Routes; "clear" lets the cluster choose',
  },
  { flag: 'image', value: 'old=new', repeatable: true, help: 'images whose name begins with OLD begin with NEW' },
];

/** As the archive has them. */
const PLACE_SETTINGS = only(ARCHIVE_SETTINGS, 'data-dir', 'age-recipient');

const ASKER_SETTINGS: readonly Setting[] = [
  { flag: 'as', value: 'user', help: 'with the rights of this user (impersonation)' },
  { flag: 'as-group', value: 'group', repeatable: true, help: 'and of these groups' },
  ...OPENING_SETTINGS,
];

/** A variable that was set for the archive, such as its selector, must not narrow or widen a restore. */
const flagOnly = (settings: readonly Setting[]) => settings.map((setting) => ({ ...setting, flagOnly: true as const }));

export const RESTORE_SETTINGS: readonly Setting[] = [
  ...flagOnly(POINT_SETTINGS),
  ...flagOnly(SELECTION_SETTINGS),
  ...flagOnly(ASKER_SETTINGS),
  ...CONNECTION_SETTINGS,
  ...RULE_SETTINGS,
  ...PLACE_SETTINGS,
];

export interface RestoreConfig {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** As the person gave it: a namespace or `_cluster`. */
  readonly repository: string;
  readonly to: string;
  readonly from?: string;
  readonly dataDirectory: string;
  readonly into?: string;
  readonly selection: Selection;
  readonly storageClasses: ReadonlyMap<string, string>;
  readonly hosts: ReadonlyMap<string, string> | 'clear' | undefined;
  readonly images: readonly (readonly [from: string, to: string])[];
  readonly asUser?: string;
  readonly asGroups: readonly string[];
  readonly identityFile?: string;
  readonly valuesFile?: string;
  /** For the safety commit, where the archive does not tell them. */
  readonly ageRecipients: readonly string[];
  readonly rulesFile?: string;
  readonly includeOwned: boolean;
}

/** Checks and converts. Throws KeeperError USAGE_INVALID that names the flag and what it takes. */
export function parseRestoreConfig(
  repository: string,
  raw: RawSettings,
  given: { readonly to?: string } = {},
): RestoreConfig {
  const to = given.to ?? text(raw, 'to');
  if (to === undefined)
    throw usage('--to is missing: a commit, a tag or a time (kubekeeper changes and kubekeeper tags show them)');
  const into = text(raw, 'into');
  if (into !== undefined && !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(into))
    throw usage(`--into takes the name of a namespace, not "${into}"`);
  const asUser = text(raw, 'as');
  const asGroups = list(raw, 'asGroup');
  if (asGroups.length > 0 && asUser === undefined) throw usage('--as-group needs --as');
  return {
    ...parseConnectionConfig(raw),
    ...parseRulesConfig(raw),
    repository,
    to,
    ...optional('from', text(raw, 'from')),
    dataDirectory: parseDataDirectory(raw),
    ...optional('into', into),
    selection: parseSelection(raw),
    storageClasses: new Map(pairs(raw, 'storageClass', 'storage-class')),
    hosts: parseHosts(raw),
    images: pairs(raw, 'image', 'image'),
    ...optional('asUser', asUser),
    asGroups,
    ...optional('identityFile', text(raw, 'identity')),
    ...optional('valuesFile', text(raw, 'secretValues')),
    ageRecipients: list(raw, 'ageRecipient'),
  };
}

function parseSelection(raw: RawSettings): Selection {
  const fields = list(raw, 'field');
  for (const field of fields) {
    const problem = pointerFault(field);
    if (problem !== undefined) throw usage(`--field "${field}" ${problem.fault}, did you mean "${problem.nearest}"?`);
  }
  const prune = isOn(raw['prune']);
  if (prune && fields.length > 0) throw usage('--prune deletes objects and --field only sets fields, give one of them');
  const unprotect = list(raw, 'deleteProtected');
  if (unprotect.length > 0 && !prune) throw usage('--delete-protected needs --prune');
  return {
    objects: list(raw, 'object'),
    kinds: list(raw, 'kinds'),
    // Sets in a selector have commas too.
    selector: text(raw, 'selector') ?? '',
    fields,
    prune,
    existing: choice('existing', text(raw, 'existing') ?? 'update', ['skip', 'update', 'replace']),
    evenIfManaged: isOn(raw['evenIfManaged']),
    unprotect,
    ...parseVolumes(raw),
  };
}

/** What is so unless told stays unsaid, so that a plan's hash is that of versions that knew no data. */
function parseVolumes(raw: RawSettings): Pick<Selection, 'volumes' | 'existingData'> {
  const given = list(raw, 'volumes');
  const words = given.filter((one) => one === 'all' || one === 'none' || one === 'only');
  if (words.length > 0 && given.length > 1)
    throw usage(`--volumes takes all, none, only, or names of claims, not "${given.join(',')}"`);
  const [first] = given;
  const replaces = choice('existing-data', text(raw, 'existingData') ?? 'refuse', ['refuse', 'replace']) === 'replace';
  if (replaces && first === 'none')
    throw usage('--existing-data replace brings data back and --volumes none does not, give one of them');
  if (first === 'only' && isOn(raw['prune']))
    throw usage('--volumes only restores nothing but data and --prune deletes objects, give one of them');
  return {
    ...(first === undefined || first === 'all'
      ? {}
      : { volumes: first === 'none' || first === 'only' ? first : given }),
    ...(replaces ? { existingData: 'replace' } : {}),
  };
}

function parseHosts(raw: RawSettings): RestoreConfig['hosts'] {
  const given = list(raw, 'host');
  if (given.length === 0) return undefined;
  return given.length === 1 && given[0] === 'clear' ? 'clear' : new Map(pairs(raw, 'host', 'host'));
}

function pairs(raw: RawSettings, name: string, flag: string): readonly (readonly [string, string])[] {
  return list(raw, name).map((pair) => {
    const at = pair.indexOf('=');
    if (at <= 0 || at === pair.length - 1) throw usage(`--${flag} takes OLD=NEW, not "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: string };
}
