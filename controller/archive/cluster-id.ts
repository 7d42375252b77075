import { NAMESPACES } from '../core/endpoints.ts';
import type { Cluster } from '../core/ports.ts';
import { KeeperError } from '../errors.ts';

/**
 * The cluster's identity: the uid of the namespace kube-system, which lives as long as the cluster. '' where it may not be
 * read; then nothing guards against another cluster's data directory. Throws KeeperError when the cluster cannot be reached.
 */
export async function readClusterId(cluster: Cluster): Promise<string> {
  try {
    const namespace = await cluster.get(NAMESPACES, { name: 'kube-system' });
    const uid = namespace?.metadata['uid'];
    return typeof uid === 'string' ? uid : '';
  } catch (error) {
    if (error instanceof KeeperError && error.code === 'RESOURCE_FORBIDDEN') return '';
    throw error;
  }
}
