import { join } from 'node:path';
import { demoChanges, type Evidence, secretTexts } from './changes.ts';
import { runCommand } from './run-command.ts';

/** Reads with plain Git what the archive wrote, as a user would. */

export function gitIn(directory: string, repository: string, ...args: readonly string[]): Promise<string> {
  return runCommand('git', ['-C', join(directory, `${repository}.git`), ...args]);
}

/** What is missing in Git after all changes, in words; empty when everything is there. */
export async function findGaps(directory: string, repositories: readonly string[]): Promise<readonly string[]> {
  const gaps: string[] = [];
  for (const change of demoChanges) {
    for (const evidence of change.evidence) {
      const gap = await gapOf(directory, evidence);
      if (gap !== undefined) gaps.push(`${change.title}: ${gap}`);
    }
  }
  for (const repository of repositories) {
    for (const secret of secretTexts) {
      if (await holds(directory, repository, secret)) gaps.push(`${repository} holds a secret value in plain text`);
    }
  }
  return gaps;
}

async function gapOf(directory: string, evidence: Evidence): Promise<string | undefined> {
  const place = `${evidence.repository}.git ${evidence.path}`;
  const patch = await gitIn(
    directory,
    evidence.repository,
    ...['log', '--max-count=1', '--patch', '--format=%H', 'main', '--', evidence.path],
  );
  if (patch === '') return `${place} is in no commit`;
  const changed = patch.split('\n').filter((line) => /^[+-](?![+-]{2} )/.test(line));
  const missing = evidence.lines.find((text) => !changed.some((line) => line.includes(text)));
  if (missing !== undefined) return `the newest commit of ${place} does not change ${missing}`;
  const live = await gitIn(directory, evidence.repository, 'ls-tree', '--name-only', 'main', '--', evidence.path);
  if (evidence.isDeletion === true && live !== '') return `${place} is still there`;
  if (evidence.isDeletion !== true && live === '') return `${place} is gone`;
  return undefined;
}

/** In clear or in base64, in any commit. */
async function holds(directory: string, repository: string, secret: string): Promise<boolean> {
  const encoded = Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1);
  const found = await gitIn(directory, repository, 'log', '--format=%H', `-G${secret}|${encoded}`, 'main');
  const inMessages = await gitIn(directory, repository, 'log', '--format=%H', `--grep=${secret}`, 'main');
  return found !== '' || inMessages !== '';
}
