import type { Change } from '../core/change.ts';
import { type KubeObject, type Resource, type ResourceName, resourceName } from '../core/object.ts';
import type { Catalogue, Clock, Cluster, Sealer } from '../core/ports.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import type { Scope } from '../core/scope.ts';
import { KeeperError } from '../errors.ts';
import type { ObjectId } from '../git/object-id.ts';
import type { ComparedSpaces } from './compare-space.ts';
import { cover } from './cover.ts';
import { damagedRepository, isDamage } from './damage.ts';
import { type ListInProgress, ResourceStreams } from './resource-streams.ts';
import { ScaleTargets } from './scale-targets.ts';
import type { PendingChange } from './space.ts';
import { pinnedVersions } from './spaces.ts';
import { Storage } from './storage.ts';
import { sweepUnseen } from './sweep.ts';
import { type Intake, takeApplied } from './take.ts';
import { Tally } from './tally.ts';
import { describeVanished } from './vanished.ts';

/** One look at the cluster: every object goes the way that the archive takes it, and what would be staged is what differs. */

export interface LookParts {
  readonly cluster: Cluster;
  readonly scope: Scope;
  readonly rules: RuleSet;
  readonly sealer: Sealer;
  /** It seals as each archived file is sealed, whatever its own policy. */
  readonly sealsAsArchived?: boolean;
  readonly clock: Clock;
  readonly includeOwned: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: ((objects: number) => void) | undefined;
}

/** A path of a repository that the live state has otherwise. */
export interface SeenDifference {
  readonly repository: string;
  readonly path: string;
  readonly change: PendingChange;
  /** The blob of the live state, and that of HEAD; undefined where there is none. */
  readonly live: ObjectId | undefined;
  readonly archived: ObjectId | undefined;
}

/** What could not be read, and so is neither equal nor different. */
export interface Unread {
  readonly resource: ResourceName;
  readonly namespace?: string;
  readonly reason: string;
  readonly code: string;
}

export interface Look {
  readonly differences: readonly SeenDifference[];
  readonly unread: readonly Unread[];
  readonly objects: number;
}

/**
 * Compares everything in scope, or only these resources; what is found damaged goes to `spaces.unreadable`. Throws KeeperError when
 * the cluster cannot be reached.
 */
export async function lookOnce(
  spaces: ComparedSpaces,
  parts: LookParts,
  only?: ReadonlySet<ResourceName>,
): Promise<Look> {
  const catalogue = await parts.cluster.discover({ signal: parts.signal, pinned: pinnedVersions(spaces) });
  const { covered } = cover(catalogue, parts.scope, parts.rules);
  const run = new LookRun(spaces, parts, covered);
  const resources = covered.filter((resource) => only?.has(resourceName(resource)) ?? true);
  await run.list({ ...catalogue, resources });
  const gone = only === undefined ? unserved(spaces, catalogue, parts) : [];
  return { differences: differencesOf(spaces), unread: [...run.unread, ...gone], objects: run.objects };
}

/** The lists of one look: what the archive's own run is, without windows and without an end that is not the lists'. */
class LookRun {
  readonly unread: Unread[] = [];
  objects = 0;
  readonly #spaces: ComparedSpaces;
  readonly #parts: LookParts;
  readonly #intake: Intake;
  readonly #scaled = new ScaleTargets();
  #failure: { readonly error: unknown } | undefined;

  constructor(spaces: ComparedSpaces, parts: LookParts, covered: readonly Resource[]) {
    const kinds = new Set(covered.map(({ group, kind }) => `${group}/${kind}`));
    this.#spaces = spaces;
    this.#parts = parts;
    this.#intake = {
      ...parts,
      sealer: parts.sealsAsArchived === true ? parts.sealer : refusingOtherPolicies(parts.sealer, spaces),
      spaces,
      tally: new Tally(),
      storage: new Storage({ report: () => {}, signal: parts.signal, isPatient: false }),
      isArchived: (group, kind) => kinds.has(`${group}/${kind}`),
      isScaleTarget: (target) => this.#scaled.has(target),
    };
  }

  async list(catalogue: Catalogue): Promise<void> {
    const { cluster, scope, signal } = this.#parts;
    await this.#scaled.recall(this.#spaces.all());
    const streams = new ResourceStreams({
      cluster,
      scope,
      signal,
      once: true,
      take: (change, list) => this.#take(change, list),
      report: (outcome) => {
        if (outcome.type === 'skipped') this.unread.push(outcome);
      },
      fail: (error) => {
        this.#failure ??= { error };
      },
    });
    streams.follow(catalogue);
    await streams.ended();
    signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #take(change: Change, list: ListInProgress | undefined): Promise<void> {
    if (change.type === 'synced' && list !== undefined) {
      sweepUnseen(this.#spaces, { ...change, ...list }, this.#parts.clock.monotonic());
    }
    if (change.type !== 'applied') return;
    this.objects += 1;
    this.#parts.onProgress?.(this.objects);
    this.#scaled.note(change.resource, change.object);
    const place = await this.#compare(change.resource, change.object);
    if (place !== undefined) list?.seen.add(place);
  }

  /** What is damaged cannot be compared; all other repositories can. */
  async #compare(resource: Resource, object: KubeObject): Promise<string | undefined> {
    try {
      return await takeApplied(this.#intake, resource, object);
    } catch (error) {
      const name = isDamage(error) ? damagedRepository(error) : undefined;
      if (!isDamage(error) || name === undefined) throw error;
      this.#spaces.unreadable.set(name, error);
      return undefined;
    }
  }
}

function differencesOf(spaces: ComparedSpaces): readonly SeenDifference[] {
  return spaces.all().flatMap((space) =>
    [...space.pending].map(([path, change]) => ({
      repository: space.name,
      path,
      change,
      live: space.live.get(path),
      archived: space.repository.fileId(path),
    })),
  );
}

/** What is archived and the cluster does not serve now: its files stay as they were, and nobody can say whether they are right. */
function unserved(spaces: ComparedSpaces, catalogue: Catalogue, { scope }: LookParts): readonly Unread[] {
  const archived = new Set(spaces.all().flatMap((space) => space.repository.directories()));
  const reasons = new Map(catalogue.unavailable.map(({ group, reason }) => [group, reason]));
  return [...archived]
    .filter(
      (name) => !name.startsWith('.') && !catalogue.served.has(name) && scope.includesResource(describeVanished(name)),
    )
    .map((resource) => ({
      resource,
      reason:
        reasons.get(describeVanished(resource).group) ??
        'The cluster does not serve it; its files are kept as they were',
      code: 'RESOURCE_NOT_SERVED',
    }));
}

/** With another policy every sealed value would look changed, and say nothing about the archive. */
function refusingOtherPolicies(sealer: Sealer, spaces: ComparedSpaces): Sealer {
  return {
    policy: sealer.policy,
    seal: (object, where, secrets, previous) => {
      const policy = spaces.get(where.repository)?.file?.secrets;
      if (policy === undefined || policy === sealer.policy) return sealer.seal(object, where, secrets, previous);
      const message = `Its secret values are archived with --secrets ${policy}, look with the same`;
      throw new KeeperError(message, { kind: 'invalid-input', code: 'USAGE_INVALID' });
    },
  };
}
