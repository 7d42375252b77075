import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KeeperError } from '../errors.ts';
import type { ConsolidateOptions, Consolidation } from './consolidate.ts';
import { type FilePlace, fileIdIn, filesIn } from './directory-tree.ts';
import { type CommitOptions, draftCommit } from './draft-commit.ts';
import { draftNote, type NoteOptions, noteAt } from './draft-note.ts';
import { draftTag, type TagOptions } from './draft-tag.ts';
import { errnoOf, fileFailure, refused } from './errors.ts';
import { type BranchState, loadBranch, prepareDirectory, readBranch } from './load-branch.ts';
import { Maintenance, type MaintenanceOptions } from './maintenance.ts';
import { NOTES } from './notes.ts';
import { blobId, type ObjectId } from './object-id.ts';
import { ObjectStore } from './object-store.ts';
import { forgetPack } from './open-pack.ts';
import { type ReceivedPack, receivePack } from './receive-pack.ts';
import { ReceivedPacks } from './received-packs.ts';
import { RefWriter } from './ref-writer.ts';
import { listRefs, MAIN, readRef } from './refs.ts';
import { requireFollower } from './require-follower.ts';
import { Spills } from './spill.ts';
import { type StagedChange, Staging } from './staging.ts';
import type { RefChange } from './update-ref.ts';
import { requireValidPath } from './valid-path.ts';

export type { CommitOptions } from './draft-commit.ts';
export type { ObjectId } from './object-id.ts';

export interface RepositoryOptions extends MaintenanceOptions {
  /** Look only: nothing is created, swept or locked, so another process may write meanwhile. */
  readonly readOnly?: boolean;
}

export interface CommitResult {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  /** Files that differ from the commit before. */
  readonly changed: number;
  /** On the disk, for this commit, until a consolidation shrinks it. */
  readonly bytes: number;
}

const LOOKS = 10;
const LOOK_AGAIN_MS = 20;

/**
 * Opens a bare repository, or creates it at once and whole when there is none. The caller must be the only writer: what
 * a killed writer left behind is removed. Throws REPOSITORY_DAMAGED, REPOSITORY_FOREIGN or DATA_DIRECTORY_UNUSABLE, and
 * has changed nothing then.
 */
export async function openRepository(directory: string, options: RepositoryOptions = {}): Promise<Repository> {
  const path = resolve(directory);
  for (let look = 1; ; look++) {
    try {
      return await openOnce(path, options);
    } catch (error) {
      // Whoever wrote here before may still be taking back what it cannot publish any more, under our eyes.
      if (errnoOf(error) !== 'ENOENT' || look === LOOKS) throw fileFailure(path, 'open the repository', error);
      await wait(LOOK_AGAIN_MS);
    }
  }
}

async function openOnce(path: string, options: RepositoryOptions): Promise<Repository> {
  await prepareDirectory(path, options.readOnly ?? false);
  const store = new ObjectStore(path);
  const state = await loadBranch(store, options.readOnly ?? false);
  return new Repository(store, state, options);
}

/**
 * One bare repository and its one writer. The branch's trees are kept in memory as ids; contents stay on the disk.
 * Changes are staged, then committed as one durable pack. What writes (commits, spills, tags, notes, refs) runs one after
 * the other; staging, reading, receiving and consolidating go on beside it.
 */
export class Repository implements AsyncDisposable {
  readonly store: ObjectStore;
  readonly #options: RepositoryOptions;
  readonly #staging = new Staging();
  readonly #spills: Spills;
  readonly #received: ReceivedPacks;
  readonly #refs: RefWriter;
  readonly #maintenance: Maintenance;
  /** What the commit that is being written holds; staging compares with it as if it were done. */
  #inFlight: ReadonlyMap<string, StagedChange> = new Map();
  #state: BranchState;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #receiving = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  /** Use `openRepository`. */
  constructor(store: ObjectStore, state: BranchState, options: RepositoryOptions) {
    this.store = store;
    this.#state = state;
    this.#options = options;
    this.#spills = new Spills(store);
    this.#received = new ReceivedPacks(store);
    this.#refs = new RefWriter(store, options.guard);
    this.#maintenance = new Maintenance(store, options);
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

  /** Every ref by full name, from the disk. Throws REPOSITORY_DAMAGED for an empty or broken one. */
  refs(): ReadonlyMap<string, ObjectId> {
    return listRefs(this.directory);
  }

  /** Where one ref is, from the disk. */
  ref(name: string): ObjectId | undefined {
    return readRef(this.directory, name);
  }

  /** The note of an object in `refs/notes/data`. */
  readNote(target: ObjectId): string | undefined {
    return noteAt(this.store, this.ref(NOTES), target);
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
    await this.#write('write staged contents', async () => {
      const changes = new Map(this.#staging.changes());
      const name = await this.#spills.write(changes, this.#options.guard);
      if (name !== undefined) this.#staging.markSpilled(changes, name);
    });
  }

  /**
   * Commits what is staged (only these paths, when given) and resolves once it survives a power cut; undefined when the
   * tree would equal HEAD's. What is staged while the commit is written belongs to the next one. When it fails, what
   * was staged is staged again.
   */
  async commit(options: CommitOptions, paths?: ReadonlySet<string>): Promise<CommitResult | undefined> {
    return await this.#write('commit', async () => {
      const taken = this.#staging.take(paths);
      this.#inFlight = taken;
      try {
        const result = await this.#commitTaken(options, taken);
        await this.#spills.settle(this.#stagedChanges());
        return result;
      } catch (error) {
        this.#staging.restore(taken);
        throw error;
      } finally {
        this.#inFlight = new Map();
      }
    });
  }

  /**
   * Moves main to a commit that follows HEAD, or to any when there is none, and loads its tree; what is staged stays.
   * Everything that leads to it must be there, else REQUEST_REFUSED. In an empty repository this comes before any other
   * ref: commits without main are taken for damage at the next start.
   */
  async fastForward(to: ObjectId): Promise<void> {
    await this.#write('move the branch', async () => {
      const { head } = this.#state;
      if (to === head) return;
      await requireFollower(this.store, head, to);
      const next = readBranch(this.store, to);
      await this.#refs.move(MAIN, { from: head, to }, () => {
        this.#state = next;
      });
      await this.#received.settle([to]);
    });
  }

  /** Durable compare-and-swap of any ref but main; `to` undefined deletes. Throws DATA_DIRECTORY_IN_USE when it is not at `from`. */
  async updateRef(name: string, change: RefChange): Promise<void> {
    await this.#write('move a ref', async () => {
      if (name === MAIN) throw refused(this.directory, 'main is moved by commits only');
      if (change.to !== undefined && !this.store.has(change.to))
        throw refused(this.directory, `object ${change.to} for ${name} is not there`);
      await this.#refs.move(name, change);
      if (change.to !== undefined) await this.#received.settle([change.to]);
    });
  }

  /** Makes the annotated tag `refs/tags/NAME` and returns its id. One that exists is refused (REQUEST_REFUSED). */
  async tag(name: string, options: TagOptions): Promise<ObjectId> {
    return await this.#write('tag', async () => {
      const { objects, ref, id } = draftTag(this.store, name, options);
      this.#maintenance.afterWrite(await this.#refs.publish(objects, { ref, from: undefined, to: id }));
      await this.#received.settle([options.target]);
      return id;
    });
  }

  /** Sets the note of an object in `refs/notes/data`, as `git notes` does, and returns the commit there that holds it. */
  async note(target: ObjectId, text: string, by: NoteOptions): Promise<ObjectId> {
    return await this.#write('write a note', async () => {
      const from = this.ref(NOTES);
      const draft = draftNote(this.store, from, { target, text }, by);
      if (draft === undefined) return from as ObjectId;
      this.#maintenance.afterWrite(await this.#refs.publish(draft.objects, { ref: NOTES, from, to: draft.id }));
      return draft.id;
    });
  }

  /**
   * Takes a self-contained pack from a stream: checked, indexed, durable. No ref leads to its objects yet; until one does
   * the next start removes it. Throws PACK_INVALID, what the source throws, or the signal's reason (closing is one), and
   * leaves nothing behind then.
   */
  async receivePack(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<ReceivedPack> {
    this.#requireWriter();
    const signals = AbortSignal.any([this.#closing.signal, ...(signal === undefined ? [] : [signal])]);
    const work = receivePack(this.store, source, { guard: this.#options.guard, signal: signals });
    this.#receiving.add(work);
    try {
      const { pack, received } = await work;
      if (pack !== undefined) this.#received.add(pack);
      return received;
    } finally {
      this.#receiving.delete(work);
    }
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

  /** Waits for writes and consolidations under way; what is only staged is forgotten, what is only half received goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#receiving);
    await this.#inTurn('close', async () => {
      this.#staging.take();
      await this.#spills.settle([]);
    });
    await this.#maintenance.settle();
    for (const pack of this.store.packs) forgetPack(pack);
  }

  #requireWriter(): void {
    if (this.#options.readOnly !== true) return;
    throw new KeeperError(`Repository "${this.directory}" was opened to look; nothing was written`, {
      kind: 'defect',
      code: 'DEFECT',
    });
  }

  #baseline(path: string): ObjectId | undefined {
    const change = this.#inFlight.get(path);
    return change === undefined ? this.fileId(path) : change.id;
  }

  *#stagedChanges(): Generator<StagedChange> {
    for (const [, change] of this.#staging.changes()) yield change;
  }

  async #commitTaken(
    options: CommitOptions,
    taken: ReadonlyMap<string, StagedChange>,
  ): Promise<CommitResult | undefined> {
    const draft = draftCommit(this.store, this.#state, taken, options);
    if (draft === undefined) return undefined;
    const { objects, next, changed } = draft;
    const bytes = await this.#refs.publish(objects, { ref: MAIN, from: this.#state.head, to: next.head }, () => {
      this.#state = next;
      this.#spills.use(taken.values());
    });
    await this.#received.settle(options.mergeParents ?? []);
    this.#maintenance.afterWrite(bytes);
    return { id: next.head, tree: next.treeId, changed, bytes };
  }

  /** Runs a write after everything that was asked for before. */
  #write<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(doing, async () => {
      this.#requireWriter();
      await this.#refs.makeUp();
      // A commit that failed once readers saw it left the marks of the spills that it uses.
      await this.#spills.settle(this.#stagedChanges());
      await this.#maintenance.makeRoom();
      // From here on only the disk is waited for.
      using _work = this.#maintenance.begin(doing);
      return await work();
    });
  }

  #inTurn<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(() => this.#translated(doing, work));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** A file that is gone is gone because another process took over, if the guard says so. */
  async #translated<Result>(doing: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') await this.#options.guard?.();
      throw fileFailure(this.directory, doing, error);
    }
  }
}
