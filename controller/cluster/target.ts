import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';

export interface ConnectOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** A server, and who speaks to it. */
export interface Target {
  readonly context: string;
  readonly cluster: Cluster;
  readonly user: Impersonator | undefined;
}

/** client-node's user with the fields that it does not read. */
export interface Impersonator extends User {
  readonly impersonateGroups: readonly string[];
}

/** A user whose token is read from a file that others renew (kubectl's `tokenFile`), as client-node's FileAuth wants it. */
export function tokenFileProvider(path: string): object {
  return { name: 'tokenFile', config: { tokenFile: path } };
}
