import { parseDataDirectory, type RawSettings } from '../config.ts';
import { compileGlobs } from '../core/glob.ts';
import { isEndedLine } from '../core/line.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import { KeeperError } from '../errors.ts';
import { listRepositories } from '../git/data-directory.ts';

/** What stands for one restore alone. */
const ONE_ONLY = ['into', 'resume', 'plan'] as const;

/** Names as given, globs as what is archived; `_cluster` first. Throws USAGE_INVALID for a glob that fits nothing. */
export async function expandRepositories(names: readonly string[], raw: RawSettings): Promise<readonly string[]> {
  if (names.length === 1 && !/[*?]/.test(names[0] as string)) return names;
  for (const flag of ONE_ONLY)
    if (raw[flag] !== undefined) throw usage(`--${flag} is for one namespace, and several were named`);
  const directory = typeof raw['from'] === 'string' ? raw['from'] : parseDataDirectory(raw);
  const known = (await listRepositories(directory)).filter((name) => !isEndedLine(name));
  for (const name of names)
    if (!known.some(compileGlobs([name]))) throw usage(`"${directory}" has no archive of "${name}"`);
  const fits = compileGlobs(names);
  const found = known.filter(fits);
  return [...found].sort((left, right) => Number(right === CLUSTER_REPOSITORY) - Number(left === CLUSTER_REPOSITORY));
}

function usage(problem: string): KeeperError {
  return new KeeperError(`Cannot start: ${problem}; nothing was changed`, {
    kind: 'invalid-input',
    code: 'USAGE_INVALID',
  });
}
