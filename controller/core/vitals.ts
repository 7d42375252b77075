import type { ResourceName } from './object.ts';
import { Works } from './works.ts';

/** What a running flow can be asked at any time, beside the outcomes that it tells. Asking changes nothing and waits for nothing. */

/** A resource that cannot be read now; nothing of it is deleted meanwhile. */
export interface Gap {
  readonly resource: ResourceName;
  readonly namespace?: string;
  readonly code: string;
}

/** A repository with commits that the remote does not have. */
export interface Unpushed {
  readonly repository: string;
  /** Of the oldest of them, in milliseconds. */
  readonly ageMs: number;
}

/** A repository with deletions that wait for a person. */
export interface HeldBack {
  readonly repository: string;
  readonly deletions: number;
}

/** What the archive flow offers while it runs. */
export interface Offered {
  gaps(): readonly Gap[];
  /** In any order; none without a remote. */
  unpushed(): readonly Unpushed[];
  /** Only those with such deletions. */
  held(): readonly HeldBack[];
  /** Repositories that are open. */
  repositories(): number;
  /** Repositories with changes that wait for the end of their window. */
  openWindows(): number;
}

const NOTHING: Offered = {
  gaps: () => [],
  unpushed: () => [],
  held: () => [],
  repositories: () => 0,
  openWindows: () => 0,
};

/** Made by an entry point, offered to by the flow, read by telemetry. */
export class Vitals {
  readonly works: Works;
  #offered = NOTHING;

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.works = new Works(now);
  }

  /** Called by a flow that begins; disposing takes it back at its end. */
  offer(offered: Offered): Disposable {
    this.#offered = offered;
    return {
      [Symbol.dispose]: () => {
        if (this.#offered === offered) this.#offered = NOTHING;
      },
    };
  }

  /** Of the flow that runs now. */
  get flow(): Offered {
    return this.#offered;
  }
}
