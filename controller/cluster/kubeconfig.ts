import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { nearestFirst } from '../core/nearest.ts';
import { invalidKubeconfig } from './errors.ts';
import { type KubeconfigFile, readKubeconfigFile } from './kubeconfig-file.ts';
import { readServiceAccount, SERVICE_ACCOUNT } from './service-account.ts';
import type { ConnectOptions, Target } from './target.ts';

/**
 * Which server to speak to and as whom: `--kubeconfig`, else KUBECONFIG, else ~/.kube/config, else the pod's service account,
 * merged as kubectl does (the first file that names a thing wins, absent files of KUBECONFIG are passed over).
 *
 * client-node's KubeConfig class does the same, but importing it loads every model of the API: 50 MB of memory that stay
 * (measured), where its parts that matter here, the parsers and the credential plug-ins, take 5.
 */

/** Reads files only; nothing is contacted. Throws KeeperError KUBECONFIG_INVALID. */
export function loadTarget(options: ConnectOptions): Target {
  const paths = kubeconfigPaths(options);
  if (paths === undefined) return readServiceAccount();
  return selectTarget(merge(paths.map(readKubeconfigFile)), options.context, paths.join(delimiter));
}

/** The files to read; undefined in a pod without any. */
function kubeconfigPaths(options: ConnectOptions): readonly string[] | undefined {
  if (options.kubeconfig !== undefined) return [options.kubeconfig];
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) {
    const present = listed.filter((path) => existsSync(path));
    return present.length > 0 ? present : listed.slice(0, 1);
  }
  const usual = join(homedir(), '.kube', 'config');
  if (existsSync(usual)) return [usual];
  if (existsSync(SERVICE_ACCOUNT.token)) return undefined;
  throw invalidKubeconfig(
    'No kubeconfig found: KUBECONFIG is not set, ~/.kube/config does not exist and this is no pod; name one with --kubeconfig',
  );
}

function merge(files: readonly KubeconfigFile[]): KubeconfigFile {
  return {
    currentContext: files.find((file) => file.currentContext !== undefined)?.currentContext,
    contexts: files.flatMap((file) => file.contexts),
    clusters: files.flatMap((file) => file.clusters),
    users: files.flatMap((file) => file.users),
  };
}

function selectTarget(file: KubeconfigFile, wanted: string | undefined, path: string): Target {
  const name = wanted ?? file.currentContext;
  const names = [...new Set(file.contexts.map((context) => context.name))];
  if (name === undefined) {
    throw invalidKubeconfig(
      `Kubeconfig ${path} has no current-context; choose one with --context: ${listNames(names)}`,
    );
  }
  const context = file.contexts.find((found) => found.name === name);
  if (context === undefined) {
    throw invalidKubeconfig(
      `There is no context "${name}" in kubeconfig ${path}; it has ${listNames(nearestFirst(names, name))}`,
    );
  }
  const cluster = file.clusters.find((found) => found.name === context.cluster);
  if (cluster === undefined) {
    throw invalidKubeconfig(
      `Context "${name}" in kubeconfig ${path} names cluster "${context.cluster}", which is not there or incomplete`,
    );
  }
  const user = file.users.find((found) => found.name === context.user);
  if (user === undefined && context.user !== undefined) {
    throw invalidKubeconfig(
      `Context "${name}" in kubeconfig ${path} names user "${context.user}", which is not there or incomplete`,
    );
  }
  return { context: name, cluster, user };
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'no contexts at all';
  const shown = names.slice(0, 8).map((name) => `"${name}"`);
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
