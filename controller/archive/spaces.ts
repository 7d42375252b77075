import { isEndedLine } from '../core/line.ts';
import type { ResourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import { sideBySide } from '../core/streams.ts';
import type { BeginWork } from '../core/works.ts';
import { KeeperError } from '../errors.ts';
import { listRepositories } from '../git/data-directory.ts';
import type { MaintenanceOptions } from '../git/maintenance.ts';
import { finishReplacements } from '../git/replace-repository.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import { type Damage, isDamage } from './damage.ts';
import { openSpace, type Space } from './space.ts';

type ConsolidationDone = Parameters<NonNullable<MaintenanceOptions['onConsolidation']>>[0];

/** Throws LEADERSHIP_LOST when another process may write by now; asked before everything that others could see. */
export type Guard = () => Promise<void>;

/** Sees a repository that was just opened, before anything is read of it; may move it forward. */
export type Adopt = (name: string, repository: Repository) => Promise<void>;

/** Puts a new repository into the place of a damaged one; answers whether there is one to open now. */
export type Replace = (name: string, damage: Damage) => Promise<boolean>;

interface SpacesOptions {
  readonly guard?: Guard | undefined;
  readonly adopt?: Adopt | undefined;
  /** Without it, damage is thrown. */
  readonly replace?: Replace | undefined;
  /** Hears of damage that a repository found by itself, while nobody asked. */
  readonly damaged?: ((error: Damage) => void) | undefined;
  /** Hears of writes that are under way. */
  readonly begin?: BeginWork | undefined;
  /** Sees each one that was opened before anybody else does. */
  readonly opened?: ((space: Space) => void) | undefined;
}

/** So many are opened side by side: each may wait for its remote. */
const SIDE_BY_SIDE = 8;

/** The repositories of a data directory, each opened once; a new namespace gets its repository with its first object. */
export class Spaces implements AsyncDisposable {
  readonly #directory: string;
  readonly #report: (outcome: Outcome) => void;
  readonly #guard: Guard | undefined;
  readonly #adopt: Adopt | undefined;
  readonly #begin: BeginWork | undefined;
  readonly #replace: Replace | undefined;
  readonly #damaged: (error: Damage) => void;
  readonly #opened: (space: Space) => void;
  readonly #open = new Map<string, Space>();
  readonly #opening = new Map<string, Promise<Space>>();

  constructor(directory: string, report: (outcome: Outcome) => void, options: SpacesOptions = {}) {
    this.#directory = directory;
    this.#report = report;
    this.#guard = options.guard;
    this.#adopt = options.adopt;
    this.#begin = options.begin;
    this.#replace = options.replace;
    this.#damaged = options.damaged ?? (() => {});
    this.#opened = options.opened ?? (() => {});
  }

  /** Those open now. */
  all(): readonly Space[] {
    return [...this.#open.values()];
  }

  get(name: string): Space | undefined {
    return this.#open.get(name);
  }

  /** Opens the repository of a namespace (or `_cluster`), making it when there is none. */
  async open(name: string): Promise<Space> {
    const space = this.#open.get(name);
    if (space !== undefined) return space;
    const opening = this.#opening.get(name) ?? this.#openNow(name);
    this.#opening.set(name, opening);
    return opening;
  }

  /**
   * Puts another repository into the place of an open one, which `work` must close; it begins when nobody uses that any more. Whoever asks
   * for it meanwhile gets the new one, which `prepare` sees before anybody else.
   */
  async renew(
    space: Space,
    { work, prepare }: { readonly work: () => Promise<void>; readonly prepare: (next: Space) => void },
  ): Promise<Space> {
    const { name } = space;
    this.#open.delete(name);
    const renewing = this.#renewNow(space, work, prepare);
    this.#opening.set(name, renewing);
    return await renewing;
  }

  async #renewNow(space: Space, work: () => Promise<void>, prepare: (next: Space) => void): Promise<Space> {
    try {
      await space.users.close();
      await work();
    } catch (error) {
      this.#opening.delete(space.name);
      throw error;
    }
    return await this.#openNow(space.name, prepare);
  }

  async #openNow(name: string, prepare: (space: Space) => void = () => {}): Promise<Space> {
    try {
      // Opening takes from whoever wrote before: only who holds the directory may.
      await this.#guard?.();
      const space = await this.#openOrReplace(name);
      this.#opened(space);
      prepare(space);
      this.#open.set(name, space);
      return space;
    } finally {
      this.#opening.delete(name);
    }
  }

  async #openOrReplace(name: string): Promise<Space> {
    try {
      return await this.#openRepository(name);
    } catch (error) {
      if (!isDamage(error) || this.#replace === undefined || !(await this.#replace(name, error))) throw error;
      return await this.#openRepository(name);
    }
  }

  async #openRepository(name: string): Promise<Space> {
    const repository = await openRepository(`${this.#directory}/${name}.git`, {
      onConsolidation: (done) => this.#consolidated(name, done),
      ...(this.#guard === undefined ? {} : { guard: this.#guard }),
      ...(this.#begin === undefined ? {} : { begin: beginOf(name, this.#begin) }),
    });
    try {
      await this.#adopt?.(name, repository);
      return await openSpace(name, repository);
    } catch (error) {
      await repository[Symbol.asyncDispose]();
      throw error;
    }
  }

  #consolidated(name: string, done: ConsolidationDone): void {
    this.#report(tellConsolidation(name, done));
    if ('error' in done && isDamage(done.error)) this.#damaged(done.error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const space of this.all()) await space[Symbol.asyncDispose]();
  }
}

function beginOf(repository: string, begin: BeginWork): BeginWork {
  return (what) => begin(`${what} of ${repository}`);
}

function tellConsolidation(repository: string, done: ConsolidationDone): Outcome {
  if ('result' in done) {
    const { packs, bytes } = done.result;
    return { type: 'consolidated', repository, packs, bytes };
  }
  const reason = done.error instanceof Error ? done.error.message : String(done.error);
  return { type: 'consolidation-failed', repository, reason };
}

/** Opens what the directory holds and is in scope. Throws KeeperError for a repository of another cluster or a newer format. */
export async function openSpaces(
  directory: string,
  options: {
    readonly clusterId: string;
    readonly includes: (name: string) => boolean;
    /** Hears of what the repositories do by themselves. */
    readonly report: (outcome: Outcome) => void;
  } & SpacesOptions,
): Promise<Spaces> {
  await options.guard?.();
  await finishReplacements(directory);
  const spaces = new Spaces(directory, options.report, options);
  const names = (await listRepositories(directory)).filter((name) => options.includes(name) && !isEndedLine(name));
  await sideBySide(names, SIDE_BY_SIDE, async (name) => {
    try {
      refuseOtherCluster(await spaces.open(name), options.clusterId);
    } catch (error) {
      // One that could not be replaced is left out, and said aloud there.
      if (!isDamage(error) || options.includes(name)) throw error;
    }
  });
  return spaces;
}

/** Throws REPOSITORY_FOREIGN for the repository of another cluster. */
export function refuseOtherCluster(space: Space, clusterId: string): void {
  const archived = space.file?.clusterId;
  if (archived === undefined || archived === '' || clusterId === '' || archived === clusterId) return;
  throw new KeeperError(
    `Cannot archive into "${space.repository.directory}": it belongs to the cluster ${archived} and this is ${clusterId}; nothing was changed, use another --data-dir`,
    { kind: 'invalid-input', code: 'REPOSITORY_FOREIGN', details: { archived, clusterId } },
  );
}

/** The API version that each resource is archived in, over all repositories; the first in order of name wins. */
export function pinnedVersions(spaces: Pick<Spaces, 'all'>): ReadonlyMap<ResourceName, string> {
  const pinned = new Map<ResourceName, string>();
  const byName = spaces.all().toSorted((left, right) => (left.name < right.name ? -1 : 1));
  for (const space of byName) {
    for (const [resource, version] of space.file?.resources ?? []) {
      if (!pinned.has(resource)) pinned.set(resource, version);
    }
  }
  return pinned;
}
