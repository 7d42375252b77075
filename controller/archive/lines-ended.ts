import { isEndedLine, namespaceOf } from '../core/line.ts';
import type { Outcome } from '../core/outcome.ts';
import { KeeperError } from '../errors.ts';
import { listRepositories } from '../git/data-directory.ts';
import { listRefs, MAIN } from '../git/refs.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import type { RemoteNames } from './lines-remote.ts';
import { isTracking } from './publish-refs.ts';
import type { Guard } from './spaces.ts';

/** Ended lines with commits that no remote has yet: open until the remote of that line has them, and not a moment longer. */

export interface EndedLinesParts {
  readonly dataDirectory: string;
  readonly names: RemoteNames;
  readonly guard: Guard | undefined;
  readonly report: (outcome: Outcome) => void;
}

export class EndedLines implements AsyncDisposable {
  readonly #parts: EndedLinesParts;
  readonly #open = new Map<string, Repository>();
  readonly #closing = new Set<Promise<void>>();

  constructor(parts: EndedLinesParts) {
    this.#parts = parts;
  }

  /** Opens those that earlier runs have left with something to push; answers their names. */
  async recall(includes: (namespace: string) => boolean): Promise<readonly string[]> {
    const { dataDirectory } = this.#parts;
    const names = (await listRepositories(dataDirectory)).filter(
      (name) => isEndedLine(name) && includes(namespaceOf(name)),
    );
    const opened: string[] = [];
    for (const name of names) if (await this.#openUnpushed(name)) opened.push(name);
    return opened;
  }

  get(name: string): Repository | undefined {
    return this.#open.get(name);
  }

  /** Opens one that has just ended. */
  async open(name: string): Promise<void> {
    const { dataDirectory, guard, names } = this.#parts;
    await guard?.();
    const repository = await openRepository(`${dataDirectory}/${name}.git`, guard === undefined ? {} : { guard });
    this.#open.set(name, repository);
    await names.noteOpen(name, repository);
  }

  /** Its remote has all of it. */
  close(name: string): void {
    const repository = this.#open.get(name);
    if (repository === undefined) return;
    this.#open.delete(name);
    const closing = repository[Symbol.asyncDispose]().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** What nobody archives into must not keep anybody from archiving: what is wrong with it is told. */
  async #openUnpushed(name: string): Promise<boolean> {
    try {
      if (!isUnpushed(`${this.#parts.dataDirectory}/${name}.git`)) return false;
      await this.open(name);
      return true;
    } catch (error) {
      if (!(error instanceof KeeperError) || error.kind === 'defect' || error.code === 'LEADERSHIP_LOST') throw error;
      const { message: reason, code } = error;
      this.#parts.report({ type: 'skipped', resource: '*', namespace: name, reason, code });
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#open.keys()) this.close(name);
    await Promise.all(this.#closing);
  }
}

/** By its refs alone: most have nothing to push, and are not opened for that. */
function isUnpushed(directory: string): boolean {
  const refs = listRefs(directory);
  const head = refs.get(MAIN);
  return head !== undefined && ![...refs].some(([name, id]) => isTracking(name) && id === head);
}
