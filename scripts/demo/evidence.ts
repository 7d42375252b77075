import { join } from 'node:path';
import { type Evidence, secretTexts } from './changes.ts';
import { runCommand } from './run-command.ts';

/** Reads with plain Git what the archive wrote, as a user would. `directory` holds the repositories. */

export function gitIn(directory: string, repository: string, ...args: readonly string[]): Promise<string> {
  return runCommand('git', ['-C', join(directory, `${repository}.git`), ...args]);
}

/** The newest commit of a repository. */
export async function readHead(directory: string, repository: string): Promise<string> {
  return (await gitIn(directory, repository, 'rev-parse', 'main')).trim();
}

/** What Git lacks of a change that was made after commit `before`, in words; undefined when all is there. */
export async function findGap(directory: string, evidence: Evidence, before: string): Promise<string | undefined> {
  const { repository, path } = evidence;
  const patch = await gitIn(directory, repository, 'diff', before, 'main', '--', path);
  if (patch === '') return `${repository}.git has no commit that changes ${path}`;
  const changed = patch.split('\n').map((line) => line.slice(0, 1) + line.slice(1).trim());
  const missing = evidence.lines.find((text) => !changed.some((line) => line.startsWith(text)));
  if (missing !== undefined) return `the change of ${path} in ${repository}.git does not show ${missing}`;
  const live = await gitIn(directory, repository, 'ls-tree', '--name-only', 'main', '--', path);
  if (evidence.isDeletion === true && live !== '') return `${path} is still in ${repository}.git`;
  return undefined;
}

/** The repositories that hold a Secret's value anywhere, in clear or in base64. */
export async function findLeaks(directory: string, repositories: readonly string[]): Promise<readonly string[]> {
  const leaks: string[] = [];
  for (const repository of repositories) {
    for (const secret of secretTexts) {
      if (await holds(directory, repository, secret)) leaks.push(`${repository}.git holds the value of a Secret`);
    }
  }
  return leaks;
}

async function holds(directory: string, repository: string, secret: string): Promise<boolean> {
  // The last characters of base64 depend on what follows.
  const encoded = Buffer.from(secret).toString('base64').replace(/=*$/, '').slice(0, -2);
  const everywhere = await gitIn(directory, repository, 'log', '--patch', '--format=%B', 'main');
  return everywhere.includes(secret) || everywhere.includes(encoded);
}
