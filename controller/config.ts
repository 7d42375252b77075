import { parseDuration } from './core/data/durations.ts';
import type { DataPolicy } from './core/data/policy.ts';
import { parseRemoteTemplate, type RemoteTemplate } from './core/remote.ts';
import type { ScopeOptions } from './core/scope.ts';
import { KeeperError } from './errors.ts';
import { LOG_LEVELS, type LogLevel } from './telemetry/log-levels.ts';

/** One table of settings: flag, variable, default, help. The command line, `--help` and the checks all come from it. */

export interface Setting {
  /** Long flag without dashes; the variable is derived from it. */
  readonly flag: string;
  /** What stands for the value in help; absent for a switch. */
  readonly value?: string;
  /** May be given several times, or as a comma-separated list. */
  readonly repeatable?: true;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** No variable gives it: what one run is about must not come from the surroundings. */
  readonly flagOnly?: true;
  readonly help: string;
}

export const CONNECTION_SETTINGS: readonly Setting[] = [
  {
    flag: 'kubeconfig',
    value: 'file',
    help: "kubeconfig file; without it $KUBECONFIG, ~/.kube/config or the pod's account",
  },
  { flag: 'context', value: 'name', help: 'context of the kubeconfig' },
];

export const RULE_SETTINGS: readonly Setting[] = [
  { flag: 'rules', value: 'file', help: 'YAML file with rules of your own, which can override built-in ones' },
  {
    flag: 'include-owned',
    help: 'also archive what other archived objects make again, such as the pods of a ReplicaSet',
  },
];

export const REMOTE_SETTINGS: readonly Setting[] = [
  {
    flag: 'remote',
    value: 'url',
    help: 'push each repository to https://HOST/PATH/{cluster}-{namespace}.git',
  },
  {
    flag: 'remote-credentials',
    value: 'path',
    help: 'file with a token, or directory with the keys of a Secret: token, username and password, or a GitHub App',
  },
  { flag: 'remote-secret', value: 'namespace/name', help: 'Secret of the cluster with the same keys, read by name' },
  { flag: 'remote-ca', value: 'file', help: "certificates that the remote's own must come from, in PEM" },
  {
    flag: 'forge',
    value: 'kind',
    default: 'auto',
    choices: ['auto', 'github', 'gitea', 'none'],
    help: 'API of the remote, which makes repositories that do not exist; none: they must exist',
  },
  {
    flag: 'cluster-name',
    value: 'name',
    help: "what stands for {cluster}; the first part of the cluster's id when left out",
  },
];

const PROCESS_SETTINGS: readonly Setting[] = [
  { flag: 'listen', value: 'address', help: 'serve /livez, /readyz and /metrics there, such as :8080' },
  { flag: 'leader-elect', help: 'run beside other replicas: one archives, the others wait for its Lease' },
  { flag: 'lease', value: 'namespace/name', help: "the Lease; kubekeeper in the pod's own namespace when left out" },
];

/** Restores that were proposed as pull requests, applied by the running archiver once they are merged. */
const MERGED_SETTINGS: readonly Setting[] = [
  { flag: 'apply-merged', help: 'apply restores whose pull requests were merged, with the rights of --apply-as' },
  {
    flag: 'apply-as',
    value: 'user',
    help: 'whose rights they have (impersonation): system:serviceaccount:kubekeeper:restorer',
  },
  { flag: 'apply-identity', value: 'file', help: 'age identity that opens the secrets of merged restores' },
  {
    flag: 'apply-every',
    value: 'time',
    default: '30s',
    help: 'how often the remotes are asked whether main has moved',
  },
  { flag: 'require-approval', help: 'with --apply-merged: refuse what was merged without an approval' },
];

export const CONFIG_SETTING: Setting = {
  flag: 'config',
  value: 'file',
  help: 'YAML file with settings and the policy for volume data; a flag or variable wins over its field',
};

export const ARCHIVE_SETTINGS: readonly Setting[] = [
  ...CONNECTION_SETTINGS,
  CONFIG_SETTING,
  {
    flag: 'namespaces',
    value: 'globs',
    repeatable: true,
    help: 'only these namespaces; _cluster is the cluster-scoped objects',
  },
  { flag: 'exclude-namespaces', value: 'globs', repeatable: true, help: 'not these namespaces' },
  {
    flag: 'resources',
    value: 'names',
    repeatable: true,
    help: 'only these resources, as kubectl spells them: deployments.apps',
  },
  { flag: 'exclude-resources', value: 'names', repeatable: true, help: 'not these resources' },
  { flag: 'selector', value: 'labels', help: 'only objects with these labels' },
  { flag: 'data-dir', value: 'directory', default: './kubekeeper-data', help: 'where the repositories lie' },
  { flag: 'window', value: 'time', default: '5s', help: "silence that ends a commit's window" },
  { flag: 'max-window', value: 'time', default: '30s', help: 'age at which a window ends in any case' },
  {
    flag: 'secrets',
    value: 'policy',
    default: 'fingerprint',
    choices: ['fingerprint', 'encrypt', 'omit'],
    help: 'what stands for secret values in Git; plain text is never written',
  },
  { flag: 'age-recipient', value: 'age1...', repeatable: true, help: 'who can decrypt with --secrets encrypt' },
  ...RULE_SETTINGS,
  ...REMOTE_SETTINGS,
  ...MERGED_SETTINGS,
  ...PROCESS_SETTINGS,
  { flag: 'log-level', value: 'level', default: 'info', choices: LOG_LEVELS, help: 'least level that is logged' },
];

/** The variable of a flag: `data-dir` -> `KUBEKEEPER_DATA_DIR`. */
export function variableOf(flag: string): string {
  return `KUBEKEEPER_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/** Values as the command line gives them: strings, lists for repeatable settings, booleans for switches. */
export type RawSettings = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface ArchiveConfig {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly scope: ScopeOptions;
  readonly dataDirectory: string;
  readonly window: { readonly silenceMs: number; readonly maximumMs: number };
  readonly secrets: 'fingerprint' | 'encrypt' | 'omit';
  readonly ageRecipients: readonly string[];
  readonly rulesFile?: string;
  readonly includeOwned: boolean;
  readonly remote?: RemoteConfig;
  readonly merged?: MergedConfig;
  /** Where to serve probes and metrics. */
  readonly listen?: { readonly host?: string; readonly port: number };
  readonly election?: ElectionConfig;
  /** Volume data beside each commit; none when left out. Only a file has it (config-file.ts). */
  readonly data?: DataPolicy;
  readonly logLevel: LogLevel;
}

export interface RemoteConfig {
  readonly template: RemoteTemplate;
  /** A file or a directory. */
  readonly credentials?: string;
  readonly secret?: { readonly namespace: string; readonly name: string };
  readonly caFile?: string;
  readonly forge: 'auto' | 'github' | 'gitea' | 'none';
  readonly clusterName?: string;
}

/** Merged restores are applied with these rights and never with the archiver's own. */
export interface MergedConfig {
  readonly asUser: string;
  readonly identityFile?: string;
  readonly everyMs: number;
  readonly needsApproval: boolean;
}

export interface ElectionConfig {
  /** Undefined: `kubekeeper` in the pod's namespace, or in `default` outside of a cluster. */
  readonly lease?: { readonly namespace: string; readonly name: string };
}

/** Checks and converts. Throws KeeperError USAGE_INVALID that names the flag and what it takes. */
export function parseArchiveConfig(raw: RawSettings): ArchiveConfig {
  const [silence, maximum] = [text(raw, 'window') ?? '5s', text(raw, 'maxWindow') ?? '30s'];
  const [silenceMs, maximumMs] = [parseTime('window', silence), parseTime('max-window', maximum)];
  if (maximumMs < silenceMs) {
    throw usage(`--max-window (${maximum}) must not be shorter than --window (${silence})`);
  }
  const selector = text(raw, 'selector');
  const remote = parseRemoteConfig(raw);
  return {
    ...parseConnectionConfig(raw),
    scope: {
      namespaces: list(raw, 'namespaces'),
      excludeNamespaces: list(raw, 'excludeNamespaces'),
      resources: list(raw, 'resources'),
      excludeResources: list(raw, 'excludeResources'),
      ...(selector === undefined ? {} : { selector }),
    },
    dataDirectory: parseDataDirectory(raw),
    window: { silenceMs, maximumMs },
    secrets: choice('secrets', text(raw, 'secrets') ?? 'fingerprint', ['fingerprint', 'encrypt', 'omit']),
    ageRecipients: list(raw, 'ageRecipient'),
    ...parseRulesConfig(raw),
    ...remote,
    ...parseMergedConfig(raw, remote),
    ...parseProcessConfig(raw),
    logLevel: choice('log-level', text(raw, 'logLevel') ?? 'info', LOG_LEVELS),
  };
}

export function parseDataDirectory(raw: RawSettings): string {
  return text(raw, 'dataDir') ?? './kubekeeper-data';
}

/** The rows of REMOTE_SETTINGS; nothing when there is no remote. */
export function parseRemoteConfig(raw: RawSettings): { remote?: RemoteConfig } {
  const url = text(raw, 'remote');
  const [credentials, caFile] = [text(raw, 'remoteCredentials'), text(raw, 'remoteCa')];
  const clusterName = text(raw, 'clusterName');
  const secret = parsePlace('remote-secret', text(raw, 'remoteSecret'));
  if (credentials !== undefined && secret !== undefined) {
    throw usage('--remote-credentials and --remote-secret name two sources, give one of them');
  }
  if (clusterName !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(clusterName)) {
    throw usage(`--cluster-name takes letters, digits, ".", "_" and "-", not "${clusterName}"`);
  }
  if (url === undefined) {
    const lone = Object.entries({ 'remote-credentials': credentials, 'remote-secret': secret, 'remote-ca': caFile });
    const [flag] = lone.find(([, value]) => value !== undefined) ?? [];
    if (flag !== undefined) throw usage(`--${flag} needs --remote`);
    return {};
  }
  return {
    remote: {
      template: parseRemoteTemplate(url),
      ...(credentials === undefined ? {} : { credentials }),
      ...(secret === undefined ? {} : { secret }),
      ...(caFile === undefined ? {} : { caFile }),
      forge: choice('forge', text(raw, 'forge') ?? 'auto', ['auto', 'github', 'gitea', 'none']),
      ...(clusterName === undefined ? {} : { clusterName }),
    },
  };
}

/** A remote that has pull requests; `missing` is what to say when there is none at all. */
export function requirePullRequests({ remote }: { readonly remote?: RemoteConfig }, missing: string): RemoteConfig {
  if (remote === undefined) throw usage(missing);
  if (remote.forge === 'none') throw usage('--forge none has no pull requests, give github or gitea');
  return remote;
}

function parseMergedConfig(raw: RawSettings, remote: Pick<ArchiveConfig, 'remote'>): Pick<ArchiveConfig, 'merged'> {
  const [asUser, identityFile] = [text(raw, 'applyAs'), text(raw, 'applyIdentity')];
  const needsApproval = isOn(raw['requireApproval']);
  if (!isOn(raw['applyMerged'])) {
    const lone = Object.entries({
      'apply-as': asUser,
      'apply-identity': identityFile,
      'require-approval': needsApproval,
    });
    const [flag] = lone.find(([, value]) => value !== undefined && value !== false) ?? [];
    if (flag !== undefined) throw usage(`--${flag} needs --apply-merged`);
    return {};
  }
  if (asUser === undefined) throw usage('--apply-merged needs --apply-as: whose rights a merged restore has');
  requirePullRequests(remote, '--apply-merged needs --remote: pull requests are merged there');
  const everyMs = parseTime('apply-every', text(raw, 'applyEvery') ?? '30s');
  return { merged: { asUser, ...(identityFile === undefined ? {} : { identityFile }), everyMs, needsApproval } };
}

function parseProcessConfig(raw: RawSettings): Pick<ArchiveConfig, 'listen' | 'election'> {
  const listen = text(raw, 'listen');
  const lease = parsePlace('lease', text(raw, 'lease'));
  const isElected = isOn(raw['leaderElect']);
  if (lease !== undefined && !isElected) throw usage('--lease needs --leader-elect');
  return {
    ...(listen === undefined ? {} : { listen: parseAddress(listen) }),
    ...(isElected ? { election: lease === undefined ? {} : { lease } } : {}),
  };
}

function parseAddress(value: string): { host?: string; port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:[\]]+)?:)?(\d{1,5})$/.exec(value);
  if (match === null || Number(match[2]) > 65_535) {
    throw usage(`--listen takes an address such as :8080 or 127.0.0.1:8080, not "${value}"`);
  }
  const host = match[1]?.replace(/^\[|\]$/g, '');
  return { ...(host === undefined ? {} : { host }), port: Number(match[2]) };
}

function parsePlace(flag: string, value: string | undefined): { namespace: string; name: string } | undefined {
  if (value === undefined) return undefined;
  const [namespace, name, rest] = value.split('/');
  if (!namespace || !name || rest !== undefined) throw usage(`--${flag} takes NAMESPACE/NAME, not "${value}"`);
  return { namespace, name };
}

export type OutputFormat = 'text' | 'json';

/** Of `-o`, which every verb with a result takes. */
export function parseOutputFormat(raw: RawSettings): OutputFormat {
  return choice('output', text(raw, 'output') ?? 'text', ['text', 'json']);
}

export function parseConnectionConfig(raw: RawSettings): { kubeconfig?: string; context?: string } {
  const [kubeconfig, context] = [text(raw, 'kubeconfig'), text(raw, 'context')];
  return { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) };
}

export function parseRulesConfig(raw: RawSettings): { rulesFile?: string; includeOwned: boolean } {
  const rulesFile = text(raw, 'rules');
  return { ...(rulesFile === undefined ? {} : { rulesFile }), includeOwned: isOn(raw['includeOwned']) };
}

/** A switch's variable holds text. */
export function isOn(value: RawSettings[string]): boolean {
  return value === true || (typeof value === 'string' && /^(1|true|yes|on)$/i.test(value));
}

/** Milliseconds. */
function parseTime(flag: string, value: string): number {
  const ms = /^0(?:\.0+)?$/.test(value) ? 0 : parseDuration(value);
  if (ms === undefined) throw usage(`--${flag} takes a time such as 500ms, 5s or 2m, not "${value}"`);
  return ms;
}

export function choice<T extends string>(flag: string, value: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === value);
  if (found !== undefined) return found;
  throw usage(`--${flag} takes ${choices.join(', ')}, not "${value}"`);
}

export function text(raw: RawSettings, name: string): string | undefined {
  const value = raw[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function list(raw: RawSettings, name: string): readonly string[] {
  const value = raw[name];
  const values = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  return values
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

export function usage(message: string): KeeperError {
  return new KeeperError(`Cannot start: ${message}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
