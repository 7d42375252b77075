import { CLUSTER_REPOSITORY, type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Catalogue, Cluster } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import type { Scope } from '../core/scope.ts';
import type { Gap } from '../core/vitals.ts';
import { cover } from './cover.ts';
import { Gaps } from './gaps.ts';
import { findMissing } from './missing.ts';
import type { Spaces } from './spaces.ts';
import { causeOfDeletion, definitionPath, describeVanished, sweepVanished } from './vanished.ts';

export interface CoverageParts {
  readonly cluster: Cluster;
  readonly spaces: Spaces;
  readonly scope: Scope;
  readonly rules: RuleSet;
}

/** What one run archives of what the cluster serves now, and what is missing of it. */
export class Coverage {
  readonly #parts: CoverageParts;
  /** Grows with each new resource, so that a version once chosen stays as long as it is served. */
  readonly pinned: Map<ResourceName, string>;
  /** Custom resources that this run has seen defined. */
  readonly #definitions = new Set<string>();
  readonly #gaps = new Gaps();
  #catalogue: Catalogue = { resources: [], unavailable: [], served: new Map() };
  #covered: readonly Resource[] = [];
  #kinds: ReadonlySet<string> = new Set();
  #told = '';

  constructor(parts: CoverageParts, pinned: ReadonlyMap<ResourceName, string>) {
    this.#parts = parts;
    this.pinned = new Map(pinned);
  }

  /** What is listed. */
  get covered(): readonly Resource[] {
    return this.#covered;
  }

  /** Takes another catalogue; answers what is to be told of it. A watch begins with the one that we have: the same again is no news. */
  take(catalogue: Catalogue): readonly Outcome[] {
    const { covered, never } = cover(catalogue, this.#parts.scope, this.#parts.rules);
    this.#catalogue = catalogue;
    for (const resource of covered) {
      const name = resourceName(resource);
      if (!this.pinned.has(name)) this.pinned.set(name, resource.version);
    }
    this.#covered = covered;
    this.#kinds = new Set(covered.map((resource) => `${resource.group}/${resource.kind}`));
    const { length: unavailable } = catalogue.unavailable;
    const outcome: Outcome = { type: 'catalogue', resources: covered.length, unavailable, never };
    const text = JSON.stringify(outcome);
    const isNews = text !== this.#told;
    this.#told = text;
    return isNews ? [outcome] : [];
  }

  /** What was asked for by name and is not there; told as a gap until it comes. */
  async findMissing(catalogue: Catalogue): Promise<readonly Outcome[]> {
    return this.#gaps.remember(await findMissing(this.#parts.cluster, this.#parts.scope, catalogue));
  }

  noteDefinition(name: string): void {
    this.#definitions.add(name);
  }

  isArchived(group: string, kind: string): boolean {
    return this.#kinds.has(`${group}/${kind}`);
  }

  /** Looks into what is no longer served: deletions are staged, what is not known to be gone is told as a gap. `now` is monotonic. */
  async sweepVanished(now: number): Promise<readonly Outcome[]> {
    const { cluster, spaces, scope } = this.#parts;
    const definitions = spaces.get(CLUSTER_REPOSITORY);
    const parts = {
      cluster,
      spaces,
      catalogue: this.#catalogue,
      isCovered: (resource: ResourceName) => scope.includesResource(describeVanished(resource)),
      // HEAD, not the stage: the definition's own deletion may be staged already.
      isKnownDefinition: (resource: ResourceName) =>
        this.#definitions.has(resource) || definitions?.repository.fileId(definitionPath(resource)) !== undefined,
    };
    return this.#gaps.update(await sweepVanished(parts, now));
  }

  causeOfDeletion(resource: ResourceName): Promise<string | undefined> {
    return causeOfDeletion(this.#parts.cluster, this.#catalogue, resource);
  }

  gaps(): readonly Gap[] {
    return this.#gaps.all((gap) => this.#isMissing(gap));
  }

  /** Of what was asked for by name. */
  #isMissing({ namespace, resource }: Gap): boolean {
    if (namespace !== undefined) return this.#parts.spaces.get(namespace) === undefined;
    return this.#parts.scope.unmatched(this.#catalogue.resources).includes(resource);
  }
}
