import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
} from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from '../core/object.ts';
import { describeFailure, invalidKubeconfig } from './errors.ts';
import { type Impersonator, tokenFileProvider } from './target.ts';

/** One kubeconfig file, by client-node's parsers, with its relative paths resolved against its own folder. */
export interface KubeconfigFile {
  readonly currentContext: string | undefined;
  readonly contexts: readonly Context[];
  readonly clusters: readonly Cluster[];
  readonly users: readonly Impersonator[];
}

/** Entries that are incomplete are left out: only the chosen context's matter. Throws KeeperError KUBECONFIG_INVALID. */
export function readKubeconfigFile(path: string): KubeconfigFile {
  const config = parseKubeconfig(path, readText(path));
  const folder = dirname(path);
  const currentContext = stringAt(config, 'current-context');
  return {
    currentContext: currentContext === '' ? undefined : currentContext,
    contexts: newContexts(arrayAt(config, 'contexts'), { onInvalidEntry: 'filter' }),
    clusters: newClusters(arrayAt(config, 'clusters'), { onInvalidEntry: 'filter' }).map((cluster) => ({
      ...cluster,
      ...(cluster.caFile ? { caFile: resolve(folder, cluster.caFile) } : {}),
    })),
    users: arrayAt(config, 'users').flatMap((entry) => readUser(entry, folder)),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalidKubeconfig(
      `Cannot read kubeconfig ${path}: ${describeFailure(error)}; name another with --kubeconfig`,
      error,
    );
  }
}

function parseKubeconfig(path: string, text: string): JsonObject {
  let config: unknown;
  try {
    config = parse(text);
  } catch {
    // The parser's message quotes the line it stumbled over, which may hold a token; so it is not even kept as the cause.
    throw invalidKubeconfig(`Kubeconfig ${path} is not valid YAML; repair it or name another with --kubeconfig`);
  }
  if (!isJsonObject(config) || !('clusters' in config)) {
    throw invalidKubeconfig(`${path} is no kubeconfig: it has no clusters; name another with --kubeconfig`);
  }
  return config;
}

function readUser(entry: Json, folder: string): readonly Impersonator[] {
  const fields = objectAt(entry, 'user') ?? {};
  const [user] = newUsers([{ name: stringAt(entry, 'name'), user: fields }], { onInvalidEntry: 'filter' });
  const tokenFile = stringAt(fields, 'tokenFile');
  if (user === undefined) return [];
  return [
    {
      ...user,
      ...(user.certFile ? { certFile: resolve(folder, user.certFile) } : {}),
      ...(user.keyFile ? { keyFile: resolve(folder, user.keyFile) } : {}),
      ...(tokenFile === undefined ? {} : { authProvider: tokenFileProvider(resolve(folder, tokenFile)) }),
      ...(user.exec?.command?.includes('/')
        ? { exec: { ...user.exec, command: resolve(folder, user.exec.command) } }
        : {}),
      impersonateGroups: arrayAt(fields, 'as-groups').filter((group) => typeof group === 'string'),
    },
  ];
}
