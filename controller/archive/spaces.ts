import type { ResourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import { KeeperError } from '../errors.ts';
import { listRepositories } from '../git/data-directory.ts';
import type { MaintenanceOptions } from '../git/maintenance.ts';
import { openRepository } from '../git/repository.ts';
import { openSpace, type Space } from './space.ts';

type ConsolidationDone = Parameters<NonNullable<MaintenanceOptions['onConsolidation']>>[0];

/** The repositories of a data directory, each opened once; a new namespace gets its repository with its first object. */
export class Spaces implements AsyncDisposable {
  readonly #directory: string;
  readonly #report: (outcome: Outcome) => void;
  readonly #open = new Map<string, Space>();
  readonly #opening = new Map<string, Promise<Space>>();

  constructor(directory: string, report: (outcome: Outcome) => void) {
    this.#directory = directory;
    this.#report = report;
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

  async #openNow(name: string): Promise<Space> {
    try {
      const onConsolidation = (done: ConsolidationDone) => this.#report(tellConsolidation(name, done));
      const repository = await openRepository(`${this.#directory}/${name}.git`, { onConsolidation });
      const space = await openSpace(name, repository);
      this.#open.set(name, space);
      return space;
    } finally {
      this.#opening.delete(name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const space of this.all()) await space[Symbol.asyncDispose]();
  }
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
  },
): Promise<Spaces> {
  const spaces = new Spaces(directory, options.report);
  for (const name of await listRepositories(directory)) {
    if (!options.includes(name)) continue;
    const space = await spaces.open(name);
    refuseOtherCluster(space, options.clusterId);
  }
  return spaces;
}

function refuseOtherCluster(space: Space, clusterId: string): void {
  const archived = space.file?.clusterId;
  if (archived === undefined || archived === '' || clusterId === '' || archived === clusterId) return;
  throw new KeeperError(
    `Cannot archive into "${space.repository.directory}": it belongs to the cluster ${archived} and this is ${clusterId}; nothing was changed, use another --data-dir`,
    { kind: 'invalid-input', code: 'REPOSITORY_FOREIGN', details: { archived, clusterId } },
  );
}

/** The API version that each resource is archived in, over all repositories; the first in order of name wins. */
export function pinnedVersions(spaces: Spaces): ReadonlyMap<ResourceName, string> {
  const pinned = new Map<ResourceName, string>();
  for (const space of spaces.all()) {
    for (const [resource, version] of space.file?.resources ?? []) {
      if (!pinned.has(resource)) pinned.set(resource, version);
    }
  }
  return pinned;
}
