import type { Repository } from '../../controller/git/repository.ts';
import { type Random, seeded } from './power-cut.ts';

/**
 * A life of one repository: windows of changes, spills, deletions, consolidations, tags and notes, chosen by a seed. What was
 * acknowledged is known at every moment, so that a cut at that moment can be judged.
 */

export type Files = ReadonlyMap<string, string>;

/** What a caller has been told, or is about to be told. */
export interface Promised {
  /** The last acknowledged commit; undefined before the first. */
  readonly head: string | undefined;
  readonly files: Files;
  /** What the commit under way would make of the files. */
  readonly next: Files | undefined;
  /** Acknowledged tags and other refs, notes included. */
  readonly refs: ReadonlyMap<string, string>;
  /** A ref that is being moved: it may be at either place. */
  readonly moving: string | undefined;
}

export class History {
  promised: Promised = { head: undefined, files: new Map(), next: undefined, refs: new Map(), moving: undefined };
  readonly #random: Random;
  readonly #onFailure: ((error: unknown) => Promise<void>) | undefined;
  #steps = 0;

  /** What fails is tried again after `onFailure`; without it the failure is thrown. */
  constructor(seed: number, onFailure?: (error: unknown) => Promise<void>) {
    this.#random = seeded(seed);
    this.#onFailure = onFailure;
  }

  async run(repository: Repository, steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) await this.#step(repository);
  }

  async #step(repository: Repository): Promise<void> {
    this.#steps++;
    const choice = this.#random();
    if (choice < 0.62 || this.promised.head === undefined) await this.#commit(repository);
    else if (choice < 0.72) await this.#persist(() => repository.consolidate({ full: true }));
    else if (choice < 0.82) await this.#tag(repository, this.promised.head);
    else if (choice < 0.92) await this.#note(repository, this.promised.head);
    else await this.#track(repository, this.promised.head);
  }

  async #commit(repository: Repository): Promise<void> {
    const next = new Map(this.promised.files);
    const changes = 1 + Math.floor(this.#random() * 4);
    for (let change = 0; change < changes; change++) this.#change(repository, next);
    if (this.#random() < 0.2) await this.#persist(() => repository.spill());
    this.promised = { ...this.promised, next };
    const commit = {
      message: `step ${this.#steps}\n`,
      author: { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' },
      time: new Date(1_700_000_000_000 + this.#steps * 1000),
    };
    const result = await this.#persist(() => repository.commit(commit));
    this.promised = { ...this.promised, head: result?.id ?? this.promised.head, files: next, next: undefined };
  }

  #change(repository: Repository, files: Map<string, string>): void {
    const path = `configmaps/app-${Math.floor(this.#random() * 8)}.json`;
    if (files.has(path) && this.#random() < 0.25) {
      files.delete(path);
      repository.stageDeletion(path);
      return;
    }
    const text = `{"step":${this.#steps},"text":"${'value '.repeat(Math.floor(this.#random() * 60))}"}\n`;
    files.set(path, text);
    repository.stage(path, text);
  }

  async #tag(repository: Repository, target: string): Promise<void> {
    const name = `good/step-${this.#steps}`;
    await this.#move(`refs/tags/${name}`, () =>
      repository.tag(name, { target, message: 'it works\n', tagger: PERSON, time: new Date(1_700_000_000_000) }),
    );
  }

  async #note(repository: Repository, target: string): Promise<void> {
    await this.#move('refs/notes/data', () =>
      repository.note(target, `ready ${this.#steps}\n`, { author: PERSON, time: new Date(1_700_000_000_000) }),
    );
  }

  async #track(repository: Repository, to: string): Promise<void> {
    const ref = 'refs/remotes/origin/main';
    await this.#move(ref, async () => {
      await repository.updateRef(ref, { from: repository.ref(ref), to });
      return to;
    });
  }

  async #move(ref: string, move: () => Promise<string>): Promise<void> {
    this.promised = { ...this.promised, moving: ref };
    const id = await this.#persist(move);
    this.promised = { ...this.promised, moving: undefined, refs: new Map(this.promised.refs).set(ref, id) };
  }

  async #persist<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#onFailure === undefined) throw error;
        await this.#onFailure(error);
      }
    }
  }
}

const PERSON = { name: 'a person', email: 'person@shop.example' };
