import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import type { File } from './history.ts';

/** A place that takes one changed file and makes a durable commit of it. */
export interface Store {
  /** Answers the milliseconds from the new text to the end of the commit. */
  commit(file: File): Promise<number>;
}

const AUTHOR = { name: 'bench', email: 'bench@example.com' };

/** kubekeeper's own. */
export class KeeperStore implements Store, AsyncDisposable {
  readonly repository: Repository;

  constructor(repository: Repository) {
    this.repository = repository;
  }

  static async create(directory: string, files: readonly File[]): Promise<KeeperStore> {
    const store = new KeeperStore(await openRepository(directory));
    for (const { path, text } of files) store.repository.stage(path, text);
    await store.repository.commit({ message: 'Begin', author: AUTHOR, time: new Date() });
    return store;
  }

  async commit({ path, text }: File): Promise<number> {
    const started = performance.now();
    this.repository.stage(path, text);
    const result = await this.repository.commit({ message: `Change ${path}`, author: AUTHOR, time: new Date() });
    if (result === undefined) throw new Error(`${path} did not change`);
    return performance.now() - started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]();
  }
}

/** `git add FILE && git commit` in a work tree. */
export class GitStore implements Store {
  readonly #directory: string;
  readonly #settings: readonly string[];

  private constructor(directory: string, settings: readonly string[]) {
    this.#directory = directory;
    this.#settings = ['-c', `user.name=${AUTHOR.name}`, '-c', `user.email=${AUTHOR.email}`, ...settings];
  }

  /** Everything in one packed commit, as after a `git gc`. `settings` such as `core.fsync=all` hold for every command. */
  static async create(directory: string, files: readonly File[], settings: readonly string[]): Promise<GitStore> {
    const store = new GitStore(
      directory,
      settings.flatMap((setting) => ['-c', setting]),
    );
    await mkdir(directory, { recursive: true });
    for (const { path, text } of files) await store.#write(path, text);
    store.#git('init', '--quiet', '--initial-branch', 'main');
    store.#git('add', '--all');
    // Its own collection would run in the background, beside ours.
    store.#git('-c', 'gc.auto=0', 'commit', '--quiet', '--message', 'Begin');
    store.#git('gc', '--quiet');
    return store;
  }

  async commit({ path, text }: File): Promise<number> {
    const started = performance.now();
    await writeFile(join(this.#directory, path), text);
    this.#git('add', path);
    this.#git('commit', '--quiet', '--message', `Change ${path}`);
    return performance.now() - started;
  }

  async #write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.#directory, path)), { recursive: true });
    await writeFile(join(this.#directory, path), text);
  }

  #git(...args: readonly string[]): void {
    execFileSync('git', [...this.#settings, ...args], { cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
