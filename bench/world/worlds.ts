import { openWorld, type World, type WorldSize } from './world.ts';

/** At most one control plane at a time; benches that ask for the same objects one after the other share it. */
export class Worlds implements AsyncDisposable {
  readonly #signal: AbortSignal;
  #current: { readonly key: string; readonly world: World } | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async open(size: WorldSize, tell: (text: string) => void): Promise<World> {
    const key = JSON.stringify(size);
    if (this.#current?.key === key) return this.#current.world;
    await this[Symbol.asyncDispose]();
    const world = await openWorld(size, { signal: this.#signal, tell });
    this.#current = { key, world };
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const world = this.#current?.world;
    this.#current = undefined;
    await world?.[Symbol.asyncDispose]();
  }
}
