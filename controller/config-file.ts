import { readFile } from 'node:fs/promises';
import type { ClusterArchiveSpec } from './api/cluster-archive.ts';
import { type ArchiveConfig, parseArchiveConfig, type RawSettings, text } from './config.ts';
import type { DataPolicy } from './core/data/policy.ts';
import { KeeperError } from './errors.ts';

/** The file of `--config`: its fields are settings like flags, and a flag or variable that is given wins over its field. */

export interface FileSettings {
  readonly raw: RawSettings;
  /** Undefined without volume data. */
  readonly data: DataPolicy | undefined;
}

/** Throws KeeperError CONFIG_INVALID for a file that cannot be read, or with a line for each of its faults. */
export async function readSettings(given: RawSettings): Promise<FileSettings> {
  const file = text(given, 'config');
  if (file === undefined) return { raw: given, data: undefined };
  const content = await readConfig(file);
  // Loaded by who needs it: a schema takes longer to load than most verbs run.
  const [{ parseConfigFile }, { dataPolicyOf }, { renderLabelSelector }] = await Promise.all([
    import('./core/data/parse-config.ts'),
    import('./core/data/policy.ts'),
    import('./core/data/selector.ts'),
  ]);
  const spec = parseConfigFile(content, file);
  const selector = renderLabelSelector(spec.labelSelector ?? {});
  const raw = { ...withoutRivals(settingsOf(spec), given), selector, ...withoutEmpty(given) };
  return { raw, data: dataPolicyOf(spec) };
}

/** `parseArchiveConfig` with the file of `--config`, where one is named. */
export async function readArchiveConfig(given: RawSettings): Promise<ArchiveConfig> {
  const { raw, data } = await readSettings(given);
  return { ...parseArchiveConfig(raw), ...(data === undefined ? {} : { data }) };
}

async function readConfig(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw new KeeperError(`Cannot use the configuration "${file}": ${why}; nothing was changed, check --config`, {
      kind: 'invalid-input',
      code: 'CONFIG_INVALID',
      cause,
    });
  }
}

/** Named as the flags are. */
function settingsOf(spec: ClusterArchiveSpec): RawSettings {
  const { remote = {}, secrets = {} } = spec as Pick<ClusterArchiveSpec, 'secrets'> & { remote?: Partial<Remote> };
  const secret = remote.credentialsSecretRef;
  const settings = {
    namespaces: spec.includedNamespaces,
    excludeNamespaces: spec.excludedNamespaces,
    resources: spec.includedResources,
    excludeResources: spec.excludedResources,
    includeOwned: spec.includeOwned,
    rules: spec.rulesFile,
    window: spec.window,
    maxWindow: spec.maxWindow,
    secrets: secrets.policy,
    ageRecipient: secrets.ageRecipients,
    remote: remote.url,
    remoteCredentials: remote.credentialsPath,
    remoteSecret: secret === undefined ? undefined : `${secret.namespace}/${secret.name}`,
    remoteCa: remote.caFile,
    forge: remote.forge,
    clusterName: remote.clusterName,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as RawSettings;
}

/** A variable that is set to nothing is not given. */
function withoutEmpty(given: RawSettings): RawSettings {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '' && value !== undefined));
}

type Remote = NonNullable<ClusterArchiveSpec['remote']>;

/** One source of credentials that is given stands for both that a file may name. */
function withoutRivals(settings: RawSettings, given: RawSettings): RawSettings {
  if (text(given, 'remoteCredentials') === undefined && text(given, 'remoteSecret') === undefined) return settings;
  const { remoteCredentials: _path, remoteSecret: _secret, ...rest } = settings;
  return rest;
}
