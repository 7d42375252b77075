import type { Archiver, LogLine } from './archiver.ts';
import type { DemoChange, Evidence } from './changes.ts';
import { findGap, readHead } from './evidence.ts';
import { printCommand, printResult, quoteCommand } from './screen.ts';

const COMMIT_MS = 60_000;

/** What a run of the demo works with. */
export interface Stage {
  /** Holds the repositories. */
  readonly directory: string;
  readonly archiver: Archiver;
  readonly signal: AbortSignal;
  kubectl(...args: readonly string[]): Promise<string>;
}

/** A piece of evidence and the commit that was newest before its change. */
export interface Found {
  readonly evidence: Evidence;
  readonly before: string;
}

/** Makes one change and waits until its commits are in Git. Throws with what is missing when they do not come. */
export async function makeChange(stage: Stage, change: DemoChange): Promise<readonly Found[]> {
  const { position } = stage.archiver;
  const found = await Promise.all(
    change.evidence.map(async (evidence) => ({
      evidence,
      before: await readHead(stage.directory, evidence.repository),
    })),
  );
  for (const args of change.commands) {
    printCommand(quoteCommand(['kubectl', ...args]));
    await stage.kubectl(...args);
  }
  for (const one of found) await awaitCommit(stage, one, position);
  return found;
}

/** A commit of something else, such as an autoscaler's, may come first. */
async function awaitCommit(stage: Stage, found: Found, position: number): Promise<void> {
  const { repository, path } = found.evidence;
  const isOurs = (line: LogLine) => line.event === 'committed' && line['repository'] === repository;
  for (let from = position; ; ) {
    const { signal } = stage;
    const { line, next } = await stage.archiver.waitFor(`the commit of ${repository} ${path}`, isOurs, {
      position: from,
      timeoutMs: COMMIT_MS,
      signal,
    });
    if ((await findGap(stage.directory, found.evidence, found.before)) === undefined) {
      printCommit(line);
      return;
    }
    from = next;
  }
}

export function printCommit(line: LogLine): void {
  printResult(`${String(line['repository'])}.git ${String(line['id']).slice(0, 8)}  ${String(line['subject'])}`);
}
