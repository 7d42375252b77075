import { KeeperError } from '../errors.ts';
import { blobId, type ObjectId } from '../git/object-id.ts';
import { ObjectStore } from '../git/object-store.ts';
import { openRepository, Repository } from '../git/repository.ts';
import { openSpace, type PendingChange, Space } from './space.ts';
import { refuseOtherCluster } from './spaces.ts';

/** Repositories to compare with: they look like those of an archive, and what would be staged is kept as ids alone. */

export class ComparedSpace extends Space {
  /** The blob that each pending path would have; undefined where it would go. */
  readonly live = new Map<string, ObjectId | undefined>();

  override currentId(path: string): ObjectId | undefined {
    return this.repository.fileId(path);
  }

  override stage(path: string, text: string, change: PendingChange): void {
    this.pending.set(path, change);
    this.live.set(path, blobId(text));
  }

  override stageDeletion(path: string, change: PendingChange): void {
    this.pending.set(path, change);
    this.live.set(path, undefined);
  }

  override unstage(path: string): void {
    this.pending.delete(path);
    this.live.delete(path);
  }
}

export class ComparedSpaces implements AsyncDisposable {
  /** What could not be opened, and why. */
  readonly unreadable = new Map<string, KeeperError>();
  readonly #directory: string;
  protected readonly spaces = new Map<string, ComparedSpace>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens these to look, also beside a running archiver. Those of another cluster than `clusterId` count as unreadable. */
  static async open(directory: string, names: Iterable<string>, clusterId: string): Promise<ComparedSpaces> {
    const spaces = new ComparedSpaces(directory);
    for (const name of names) await spaces.#openExisting(name, clusterId);
    return spaces;
  }

  all(): readonly ComparedSpace[] {
    return [...this.spaces.values()];
  }

  get(name: string): ComparedSpace | undefined {
    return this.spaces.get(name);
  }

  /** One that does not exist is compared as an empty one: nothing is made. */
  async open(name: string): Promise<ComparedSpace> {
    const known = this.spaces.get(name);
    if (known !== undefined) return known;
    const nothing = { head: undefined, treeId: undefined, tree: undefined };
    const store = new ObjectStore(`${this.#directory}/${name}.git`);
    const space = new ComparedSpace(name, new Repository(store, nothing, { readOnly: true }), undefined);
    this.spaces.set(name, space);
    return space;
  }

  async #openExisting(name: string, clusterId: string): Promise<void> {
    try {
      const repository = await openRepository(`${this.#directory}/${name}.git`, { readOnly: true });
      const space = await openSpace(name, repository);
      refuseOtherCluster(space, clusterId);
      const { file } = space;
      this.spaces.set(name, new ComparedSpace(name, repository, file));
    } catch (error) {
      if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
      this.unreadable.set(name, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const space of this.all()) await space[Symbol.asyncDispose]();
  }
}

/** Which cluster the repositories of a data directory belong to, as they say themselves; '' where none does. */
export async function archivedClusterId(directory: string, names: readonly string[]): Promise<string> {
  for (const name of names) {
    await using spaces = await ComparedSpaces.open(directory, [name], '');
    const clusterId = spaces.get(name)?.file?.clusterId ?? '';
    if (clusterId !== '') return clusterId;
  }
  return '';
}
