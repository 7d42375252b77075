import { ARCHIVE_FILE, parseArchiveFile } from '../core/archive-file.ts';
import { namespaceOf, remoteName } from '../core/line.ts';
import type { Repository } from '../git/repository.ts';
import type { RemotePort } from './remote-port.ts';

/** Under which name an open repository lies at the remote, as it says itself. Throws REPOSITORY_DAMAGED. */
async function remoteNameIn(name: string, repository: Repository): Promise<string> {
  const text = (await repository.readFile(ARCHIVE_FILE))?.toString();
  const file = text === undefined ? undefined : parseArchiveFile(text, repository.directory);
  return remoteName(namespaceOf(name), file?.namespace?.line);
}

/** Under which name each repository lies at the remote: a later line of a namespace never where an earlier one is. */
export class RemoteNames {
  readonly #names = new Map<string, string>();

  /** `line` is the mark of a later line. */
  note(repository: string, line: string | undefined): void {
    this.#names.set(repository, remoteName(namespaceOf(repository), line));
  }

  /** As the repository says itself. */
  async noteOpen(name: string, repository: Repository): Promise<void> {
    this.#names.set(name, await remoteNameIn(name, repository));
  }

  /** Of one that nobody spoke of, its own name. */
  of(repository: string): string {
    return this.#names.get(repository) ?? repository;
  }

  /** The port, for names of ours. */
  over(port: RemotePort): RemotePort {
    return {
      place: (repository) => port.place(this.of(repository)),
      state: (place, signal) => port.state(place, signal),
      push: (repository, place, updates, options) => port.push(repository, place, updates, options),
      fetch: (repository, place, wants, signal) => port.fetch(repository, place, wants, signal),
      openForge: (signal) => port.openForge(signal),
    };
  }
}
