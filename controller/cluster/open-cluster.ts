import type { Cluster } from '../core/ports.ts';
import type { OnSign } from '../core/signs.ts';
import type { KeeperError } from '../errors.ts';
import type { Connection } from './connect.ts';
import { discover } from './discovery.ts';
import { listWatch } from './list-watch.ts';
import { getObject } from './objects.ts';
import { watchCatalogue } from './watch-catalogue.ts';

/** The Cluster port over a connection. `onRetry` hears of each failure that is tried again, `onSign` of signs of life. */
export function openCluster(
  connection: Connection,
  onRetry: (error: KeeperError, ms: number) => void = () => undefined,
  onSign?: OnSign,
): Cluster {
  return {
    discover: (options) => discover(connection, options),
    watchCatalogue: (options) => watchCatalogue(connection, { ...options, onRetry }),
    listWatch: (resource, options) => listWatch(connection, resource, { ...options, onRetry, onSign }),
    get: (resource, place) => getObject(connection, resource, place),
  };
}
