import { resolve } from 'node:path';
import { KeeperError } from '../errors.ts';
import type { Identity } from './commit-object.ts';
import type { ConsolidateOptions, Consolidation } from './consolidate.ts';
import { editTree, type FilePlace, fileIdIn, filesIn } from './directory-tree.ts';
import { removeFile } from './durable-file.ts';
import { fileFailure } from './errors.ts';
import { type BranchState, loadBranch, prepareDirectory } from './load-branch.ts';
import { Maintenance, type MaintenanceOptions } from './maintenance.ts';
import { blobId, EMPTY_TREE, type ObjectId } from './object-id.ts';
import { describePack, ObjectStore } from './object-store.ts';
import { forgetPack } from './open-pack.ts';
import { BranchLock } from './refs.ts';
import { removePacks } from './remove-pack.ts';
import { markSpill } from './spill.ts';
import { type StagedChange, Staging } from './staging.ts';
import { requireValidPath } from './valid-path.ts';
import { addCommit, addTrees, type PackObjects, stagedObjects, writeWindow } from './write-window.ts';

export type { ObjectId } from './object-id.ts';

export interface RepositoryOptions extends MaintenanceOptions {
  /** Look only: nothing is created, swept or locked, so another process may write meanwhile. */
  readonly readOnly?: boolean;
}

export interface CommitOptions {
  /** Kept exactly as given, ended with a line break. */
  readonly message: string;
  readonly author: Identity;
  /** The author when left out. */
  readonly committer?: Identity;
  readonly time: Date;
}

export interface CommitResult {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  /** Files that differ from the commit before. */
  readonly changed: number;
  /** On the disk, for this commit, until a consolidation shrinks it. */
  readonly bytes: number;
}

/**
 * Opens a bare repository, or creates it at once and whole when there is none. The caller must be the only writer: what
 * a killed writer left behind is removed. Throws REPOSITORY_DAMAGED, REPOSITORY_FOREIGN or DATA_DIRECTORY_UNUSABLE, and
 * has changed nothing then.
 */
export async function openRepository(directory: string, options: RepositoryOptions = {}): Promise<Repository> {
  const path = resolve(directory);
  try {
    await prepareDirectory(path, options.readOnly ?? false);
    const store = new ObjectStore(path);
    const state = await loadBranch(store, options.readOnly ?? false);
    return new Repository(store, state, options);
  } catch (error) {
    throw fileFailure(path, 'open the repository', error);
  }
}

/**
 * One bare repository and its one writer. The branch's trees are kept in memory as ids; contents stay on the disk.
 * Changes are staged, then committed as one durable pack. Commits and spills run one after the other; staging, reading
 * and consolidating go on beside them.
 */
export class Repository implements AsyncDisposable {
  readonly store: ObjectStore;
  readonly #staging = new Staging();
  readonly #spills = new Set<string>();
  readonly #maintenance: Maintenance;
  readonly #isReadOnly: boolean;
  /** What the commit that is being written holds; staging compares with it as if it were done. */
  #inFlight: ReadonlyMap<string, StagedChange> = new Map();
  #state: BranchState;
  #queue: Promise<unknown> = Promise.resolve();

  /** Use `openRepository`. */
  constructor(store: ObjectStore, state: BranchState, options: RepositoryOptions) {
    this.store = store;
    this.#state = state;
    this.#maintenance = new Maintenance(store, options);
    this.#isReadOnly = options.readOnly ?? false;
  }

  get directory(): string {
    return this.store.directory;
  }

  /** The branch's commit; undefined before the first. */
  get head(): ObjectId | undefined {
    return this.#state.head;
  }

  get fileCount(): number {
    return this.#state.tree?.fileCount ?? 0;
  }

  /** At HEAD, from memory. */
  fileId(path: string): ObjectId | undefined {
    return fileIdIn(this.#state.tree, path);
  }

  /** At HEAD, from memory, in Git's order: all files, or those below one top directory. Paths are whole. */
  files(directory?: string): Iterable<FilePlace> {
    if (directory === undefined) return filesIn(this.#state.tree);
    return filesIn(this.#state.tree?.directories.get(directory), `${directory}/`);
  }

  /** The top directories at HEAD. */
  directories(): readonly string[] {
    return [...(this.#state.tree?.directories.keys() ?? [])];
  }

  /** The content of any committed object. It is shared: do not change it. Throws REPOSITORY_DAMAGED when it is missing. */
  async read(id: ObjectId): Promise<Buffer> {
    return this.store.read(id).content;
  }

  /** At HEAD. */
  async readFile(path: string): Promise<Buffer | undefined> {
    const id = this.fileId(path);
    return id === undefined ? undefined : await this.read(id);
  }

  /** Puts a file into the open window; the last content wins, and one equal to the committed file takes the change back. */
  stage(path: string, content: Buffer | string): ObjectId {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const id = blobId(bytes);
    if (this.#staging.get(path)?.id === id) return id;
    if (this.#baseline(path) === id) {
      this.#staging.delete(path);
      return id;
    }
    requireValidPath(path);
    this.#staging.putBlob(path, id, bytes);
    return id;
  }

  stageDeletion(path: string): void {
    if (this.#baseline(path) === undefined) this.#staging.delete(path);
    else this.#staging.put(path, { id: undefined });
  }

  /** Null when a deletion is staged, undefined when nothing is. What a running commit holds counts as staged. */
  stagedId(path: string): ObjectId | null | undefined {
    const change = this.#staging.get(path) ?? this.#inFlight.get(path);
    return change === undefined ? undefined : (change.id ?? null);
  }

  unstage(path: string): void {
    this.#staging.delete(path);
  }

  /** Changes for the next commit. */
  get staged(): number {
    return this.#staging.size;
  }

  /** Bytes of memory that staged contents take, deflated. */
  get stagedBytes(): number {
    return this.#staging.bytes;
  }

  stagedPaths(): Iterable<string> {
    return this.#staging.paths();
  }

  /** Moves the staged contents out of memory into a durable pack; they stay staged by id. */
  async spill(): Promise<void> {
    await this.#inTurn('write staged contents', async () => {
      this.#requireWriter();
      const changes = new Map(this.#staging.changes());
      const objects = stagedObjects(changes);
      if (objects.size === 0) return;
      const { name } = await writeWindow(this.store.packDirectory, objects, markSpill);
      if (!this.store.packs.some((pack) => pack.name === name)) {
        this.store.replace(new Set(), describePack(this.directory, name, true));
        this.#spills.add(name);
      }
      this.#staging.markSpilled(changes, name);
    });
  }

  /**
   * Commits what is staged (only these paths, when given) and resolves once it survives a power cut; undefined when the
   * tree would equal HEAD's. What is staged while the commit is written belongs to the next one. When it fails, what
   * was staged is staged again.
   */
  async commit(options: CommitOptions, paths?: ReadonlySet<string>): Promise<CommitResult | undefined> {
    return await this.#inTurn('commit', async () => {
      this.#requireWriter();
      await this.#maintenance.makeRoom();
      const taken = this.#staging.take(paths);
      this.#inFlight = taken;
      try {
        const result = await this.#commitTaken(options, taken);
        await this.#settleSpills(taken);
        if (result !== undefined) this.#maintenance.afterCommit(result.bytes);
        return result;
      } catch (error) {
        this.#staging.restore(taken);
        throw error;
      } finally {
        this.#inFlight = new Map();
      }
    });
  }

  /** Merges packs, with deltas between versions; by itself it runs after commits. Waits its turn in the process. */
  async consolidate(options: ConsolidateOptions = {}): Promise<Consolidation> {
    this.#requireWriter();
    return await this.#maintenance.consolidate(options);
  }

  /** Why the last consolidation that began by itself failed; commits go on, and the next one tries again. */
  get consolidationError(): unknown {
    return this.#maintenance.error;
  }

  /** Reads the branch again, after something other than `commit` moved it. */
  async reload(): Promise<void> {
    await this.#inTurn('read the branch', async () => {
      this.#state = await loadBranch(this.store, true);
    });
  }

  /** Waits for commits and consolidations under way; what is only staged is forgotten. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn('close', async () => {
      this.#staging.take();
      await this.#settleSpills(new Map());
    });
    await this.#maintenance.settle();
    for (const pack of this.store.packs) forgetPack(pack);
  }

  #requireWriter(): void {
    if (!this.#isReadOnly) return;
    throw new KeeperError(`Repository "${this.directory}" was opened to look; nothing was written`, {
      kind: 'defect',
      code: 'DEFECT',
    });
  }

  #baseline(path: string): ObjectId | undefined {
    const change = this.#inFlight.get(path);
    return change === undefined ? this.fileId(path) : change.id;
  }

  async #commitTaken(
    options: CommitOptions,
    taken: ReadonlyMap<string, StagedChange>,
  ): Promise<CommitResult | undefined> {
    const { head, treeId } = this.#state;
    const changes = new Map<string, ObjectId | undefined>();
    for (const [path, { id }] of taken) if (this.fileId(path) !== id) changes.set(path, id);
    const edit = editTree(this.#state.tree, changes);
    const tree = edit.tree?.id ?? EMPTY_TREE;
    if (tree === (treeId ?? EMPTY_TREE)) return undefined;
    const objects = stagedObjects(taken);
    addTrees(objects, edit.changed, tree);
    const { message, author, committer = author, time } = options;
    const id = addCommit(objects, {
      tree,
      parents: head === undefined ? [] : [head],
      author,
      committer,
      time,
      message,
    });
    const bytes = await this.#publish(objects, { head: id, treeId: tree, tree: edit.tree });
    return { id, tree, changed: changes.size, bytes };
  }

  /** Pack, then index, then branch: each is durable before the next can be seen. */
  async #publish(objects: PackObjects, next: BranchState & { readonly head: ObjectId }): Promise<number> {
    await using lock = await BranchLock.take(this.directory, this.#state.head);
    const { name, bytes } = await writeWindow(this.store.packDirectory, objects, () => lock.write(next.head));
    const pack = describePack(this.directory, name, false);
    try {
      await lock.publish();
    } catch (error) {
      await removePacks(this.store.packDirectory, [pack]);
      throw error;
    }
    this.store.replace(new Set(), pack);
    this.#state = next;
    await lock.makeDurable();
    return bytes;
  }

  /** A spill that was used becomes an ordinary pack, before the next commit can begin; one that nothing wants any more goes. */
  async #settleSpills(taken: ReadonlyMap<string, StagedChange>): Promise<void> {
    if (this.#spills.size === 0) return;
    const used = new Set([...taken.values()].map(spillOf));
    const wanted = new Set([...this.#staging.changes()].map(([, change]) => spillOf(change)));
    for (const pack of this.store.packs.filter(({ name }) => this.#spills.has(name))) {
      if (used.has(pack.name)) {
        await removeFile(`${pack.path}.keep`);
        this.store.replace(new Set([pack.name]), { ...pack, isKept: false });
      } else if (!wanted.has(pack.name)) {
        this.store.replace(new Set([pack.name]));
        await removePacks(this.store.packDirectory, [pack]);
      } else continue;
      this.#spills.delete(pack.name);
    }
  }

  /** Runs after everything that was asked for before. */
  #inTurn<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work).catch((error: unknown) => {
      throw fileFailure(this.directory, doing, error);
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

function spillOf(change: StagedChange): string | undefined {
  return change.id === undefined ? undefined : change.spill;
}
