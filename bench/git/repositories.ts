import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';

/** The real Git, which reads what kubekeeper wrote. */

/** The names of the repositories in a data directory, without `.git`, sorted. */
export async function repositoriesIn(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.git'));
  return names.map((name) => name.slice(0, -'.git'.length)).sort();
}

/** Runs git in a repository and answers its output. Throws with what it said when it fails. */
export function git(repository: string, args: readonly string[], input = ''): Buffer {
  return execFileSync('git', ['-C', repository, ...args], {
    input,
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
