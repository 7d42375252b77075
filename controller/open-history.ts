import type { HistorySourceConfig } from './config-history.ts';
import { namespaceOf } from './core/line.ts';
import { nearestFirst } from './core/nearest.ts';
import { CLUSTER_REPOSITORY } from './core/object.ts';
import { oneLine } from './core/words.ts';
import { KeeperError } from './errors.ts';
import { listRepositories } from './git/data-directory.ts';
import { type History, openHistory } from './history/open-history.ts';

/** Opens the repository that a history is read from; the cluster is opened elsewhere, since loading what it takes is most of the time of a short command. */

/** Throws USAGE_INVALID with the nearest name when there is no such repository. */
export async function openNamedHistory({ dataDirectory, from }: HistorySourceConfig, name: string): Promise<History> {
  if (from === undefined) {
    const names = await listRepositories(dataDirectory);
    if (!names.includes(name)) throw unknownRepository(name, names, dataDirectory);
    return await openHistory(`${dataDirectory}/${name}.git`, name, { trusted: true });
  }
  const history = await openHistory(from, name);
  const archived = history.file.namespace?.name ?? CLUSTER_REPOSITORY;
  if (archived === namespaceOf(name)) return history;
  history[Symbol.dispose]();
  throw usage(`"${from}" is the archive of "${oneLine(archived)}", not of "${name}"; name that, or another directory`);
}

function unknownRepository(name: string, names: readonly string[], directory: string): KeeperError {
  const nearest = nearestFirst(names, name.slice(0, 100)).slice(0, 3);
  const hint = nearest.length === 0 ? 'nothing was archived there yet' : `the nearest are ${nearest.join(', ')}`;
  return usage(`There is no repository "${oneLine(name.slice(0, 100))}" in "${directory}"; ${hint}`);
}

function usage(message: string): KeeperError {
  return new KeeperError(message, { kind: 'invalid-input', code: 'USAGE_INVALID' });
}
