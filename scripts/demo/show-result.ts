import { join } from 'node:path';
import { gitIn } from './evidence.ts';
import { repositories } from './prepare.ts';
import { gitColour, printCommand, printHeading, printRaw, printResult, quoteCommand } from './screen.ts';

/** What Git shows at the end: the logs, one difference, and where to go on. */

export async function showResult(directory: string, imageChange: { before: string }): Promise<void> {
  printHeading('What Git knows');
  for (const repository of repositories) {
    // As wide as a screen, and at most four files of a commit.
    await show(directory, repository, [
      'log',
      '--stat=100,72,4',
      '--format=%C(auto)%h %an, %ar%n        %s',
      '-n',
      '4',
    ]);
  }
  printHeading('The image, as Git tells it');
  await show(directory, 'shop-web', ['diff', imageChange.before, 'main', '--', 'deployments.apps/web.json']);
}

export function showPlaces(directory: string): void {
  printHeading('Where it lies');
  for (const repository of ['_cluster', ...repositories]) printResult(join(directory, `${repository}.git`));
  printHeading('Try');
  printResult(quoteCommand(['git', '-C', join(directory, 'shop-db.git'), 'log', '-p', '--', 'secrets/postgres.json']));
  printResult(
    quoteCommand(['git', '-C', join(directory, 'shop-ops.git'), 'show', 'main:vouchers.shop.example.com/spring.json']),
  );
  printResult(quoteCommand(['git', 'clone', join(directory, 'shop-web.git')]));
}

async function show(directory: string, repository: string, args: readonly string[]): Promise<void> {
  printCommand(quoteCommand(['git', '-C', join(directory, `${repository}.git`), ...shorten(args)]));
  const [verb = '', ...rest] = args;
  printRaw(`${await gitIn(directory, repository, verb, gitColour, ...rest)}\n`);
}

/** As a person would type it: no format, no widths, short commits. */
function shorten(args: readonly string[]): readonly string[] {
  return args
    .filter((arg) => !arg.startsWith('--format'))
    .map((arg) => arg.replace(/^--stat=.*/, '--stat').replace(/^([0-9a-f]{8})[0-9a-f]+$/, '$1'));
}
