import { join } from 'node:path';
import { git } from '../git/repositories.ts';
import type { Generated } from '../world/generate-object.ts';

/** How many of these ConfigMaps do not have their last value in Git's `main`, asked of the real Git. */
export function countStale(dataDirectory: string, last: ReadonlyMap<Generated, string>): number {
  let stale = 0;
  for (const [namespace, targets] of Map.groupBy(last.keys(), (target) => target.namespace)) {
    const wanted = targets.map((target) => `main:configmaps/${target.name}.json`);
    const repository = join(dataDirectory, `${namespace}.git`);
    const output = git(repository, ['cat-file', '--batch'], `${wanted.join('\n')}\n`).toString();
    const found = new Set([...output.matchAll(/^ {4}"revision": "([^"]*)"/gm)].map(([, revision]) => revision));
    stale += targets.filter((target) => !found.has(last.get(target))).length;
  }
  return stale;
}
