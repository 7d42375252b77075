import type { Connection } from '../../controller/cluster/connect.ts';
import { type ListWatchOptions, listWatch } from '../../controller/cluster/list-watch.ts';
import type { Change } from '../../controller/core/change.ts';
import type { Resource } from '../../controller/core/object.ts';

export const CONFIG_MAPS: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
  verbs: ['get', 'list', 'watch'],
};

/** Waits short enough for tests. */
export const QUICK = {
  retry: { baseMs: 20, capMs: 100 },
  retryUnreachable: { baseMs: 20, capMs: 100 },
} as const;

/** The changes as short words: 'listing', 'applied a', 'synced 7', 'skipped CODE'. */
export function renderChange(change: Change): string {
  switch (change.type) {
    case 'applied':
    case 'deleted':
      return `${change.type} ${change.object.metadata.name}`;
    case 'synced':
      return `synced ${change.resourceVersion}`;
    case 'skipped':
      return `skipped ${change.code}`;
    default:
      return change.type;
  }
}

/** Reads changes until `isLast`, then ends the list-watch; the changes in words. Fails after `timeoutMs`. */
export async function readUntil(
  connection: Connection,
  options: Partial<ListWatchOptions> & { readonly resource?: Resource; readonly timeoutMs?: number },
  isLast: (word: string, words: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const { resource = CONFIG_MAPS, timeoutMs = 15_000, ...rest } = options;
  const words: string[] = [];
  const limits = { ...QUICK, ...rest.limits };
  const signal = AbortSignal.any([rest.signal ?? [], AbortSignal.timeout(timeoutMs)].flat());
  for await (const change of listWatch(connection, resource, { ...rest, signal, limits })) {
    words.push(renderChange(change));
    if (isLast(words.at(-1) ?? '', words)) return words;
  }
  throw new Error(`the list-watch ended after: ${words.join(', ')}`);
}
