import type { ArchiveConfig } from '../config.ts';
import type { FollowOptions } from '../follow-merged.ts';

/** What `archive --apply-merged` does beside the archive, from when all is listed to when it stops or leads no more. */
export class Merges implements AsyncDisposable {
  readonly #config: ArchiveConfig;
  readonly #options: FollowOptions & { readonly fail: (defect: unknown) => void };
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(config: ArchiveConfig, options: FollowOptions & { readonly fail: (defect: unknown) => void }) {
    this.#config = config;
    this.#options = options;
  }

  begin(): void {
    if (this.#config.merged === undefined || this.#running !== undefined) return;
    const abort = new AbortController();
    this.#running = { abort, ended: this.#follow(abort.signal).catch(this.#options.fail) };
  }

  async #follow(ending: AbortSignal): Promise<void> {
    // Restores are loaded by who wants them.
    const { followMerged, isFollowing } = await import('../follow-merged.ts');
    const signal = AbortSignal.any([this.#options.signal, ending]);
    if (isFollowing(this.#config)) await followMerged(this.#config, { ...this.#options, signal });
  }

  /** What is being applied is left where its journal can be gone on with. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.abort.abort();
    await running?.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
