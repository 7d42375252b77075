import type { Cluster } from '../../test/cluster/start-cluster.ts';
import type { Archiver } from './archiver.ts';
import { unlessEnded } from './interruption.ts';
import { printCommit } from './make-change.ts';
import { printHeading, printResult } from './screen.ts';

/** With --keep: everything stays until Ctrl-C, and commits are told as they come. */
export async function stayUp(
  cluster: Cluster,
  archiver: Archiver,
  signal: AbortSignal,
  suggestions: readonly string[],
): Promise<void> {
  printHeading('The cluster stays up until Ctrl-C; commits show up here as you play');
  printResult(`export KUBECONFIG=${cluster.kubeconfig}`);
  for (const command of suggestions) printResult(command);
  printHeading('Commits');
  let { position } = archiver;
  while (!signal.aborted) {
    const options = { position, timeoutMs: 2 ** 31 - 1, signal };
    const news = await unlessEnded(
      archiver.waitFor('a commit', (line) => line.event === 'committed', options),
      signal,
    );
    if (news === undefined) return;
    printCommit(news.line);
    position = news.next;
  }
}
