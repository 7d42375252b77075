import {
  type KubeObject,
  type ObjectRef,
  objectAt,
  parseResourceName,
  type Resource,
  type ResourceName,
  resourceName,
} from '../core/object.ts';
import { fillingName, fillingOf } from '../core/restore/fill-objects.ts';
import { hasKeeper } from '../core/restore/finalizers.ts';
import type { Plan, Selection, Step } from '../core/restore/plan.ts';
import { planHash } from '../core/restore/plan-hash.ts';
import type { RestoreTarget, SealedComparer, SecretOpener } from '../core/restore/ports.ts';
import type { PrepareContext } from '../core/restore/prepare.ts';
import { compileSelection } from '../core/restore/select.ts';
import { isVolumeWork, type VolumePlan } from '../core/restore/volume-plan.ts';
import { WAVES, waveOf } from '../core/restore/waves.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import { scaleTargetKey } from '../core/scale-target.ts';
import { check, skipped } from './check.ts';
import { type Draft, type DraftParts, draft, isCustom, type Sending } from './draft.ts';
import type { ManifestEntry } from './hostile.ts';
import { CLAIMS } from './make-claim.ts';
import { planVolumes, settleVolumes } from './plan-volumes.ts';
import { planPrune } from './prune.ts';
import type { RestorePoint } from './restore-point.ts';
import type { Undo } from './undo.ts';
import { weighAgainstTarget } from './weigh.ts';
import type { PlannedRestore, Propagation } from './work.ts';
import { Works } from './works.ts';
import { readWorld, scaledIn, type World } from './world.ts';

/**
 * Restore point and live state -> plan. Nothing is changed: every object is read on both sides, and what would be sent is sent as a dry
 * run. One resource after the other in the order of the waves, so that memory holds one list at a time.
 */

export interface PlanParts {
  readonly point: RestorePoint;
  readonly target: RestoreTarget;
  readonly rules: RuleSet;
  readonly opener: SecretOpener;
  /** Undefined: whether a value that nobody can open has changed is not known. */
  readonly comparer: SealedComparer | undefined;
}

export interface PlanOptions {
  readonly selection: Selection;
  readonly to: Plan['target'];
  readonly mappings: PrepareContext['mappings'];
  readonly includeOwned: boolean;
  /** Take one commit back: the restore point is the one before it. */
  readonly undo?: Undo;
  /** The namespace that kubekeeper runs in; nothing of it is pruned. */
  readonly ownNamespace?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** An object of the restore point with what it comes to. */
export interface Planned {
  readonly entry: ManifestEntry;
  readonly step: Step;
  readonly propagation: Propagation | undefined;
  /** As in Sending; '' where nothing would be changed. */
  readonly was: string;
  /** What a later look at the whole needs to know of an object that is made. */
  readonly made: Pick<Sending, 'resource' | 'object'> | undefined;
}

const SIDE_BY_SIDE = 16;

export async function planRestore(parts: PlanParts, options: PlanOptions): Promise<PlannedRestore> {
  const { point, target } = parts;
  const world = await readWorld(target, point, options.to, options.signal);
  const planner = new Planner(parts, options, world);
  const planned = await planner.planAll();
  const isPruning = options.selection.prune || options.undo !== undefined;
  const pruned = isPruning ? await planPrune(parts, options, world, planner.includes) : [];
  const weighed = await weighAgainstTarget(parts, options, world, planned);
  const steps = [...weighed.map(({ step }) => step), ...pruned.map(({ step }) => step)].sort(compareSteps);
  const body = {
    version: 1 as const,
    repository: point.repository,
    commit: point.commit,
    target: options.to,
    selection: options.selection,
    steps,
    volumes: settleVolumes(planner.volumes, weighed, options.selection),
    equal: planner.equal,
  };
  const plan: Plan = { ...body, hash: planHash(body) };
  return new Works(plan, { parts, options, world, planner, planned: weighed, pruned });
}

export class Planner {
  equal = 0;
  /** By claim. */
  volumes: ReadonlyMap<string, VolumePlan> = new Map();
  /** Those that are asked for, by name. */
  readonly claims = new Map<string, ManifestEntry>();
  /** Is the object one that was asked for? */
  readonly includes: ReturnType<typeof compileSelection>['includes'];
  readonly #parts: PlanParts;
  readonly #options: PlanOptions;
  readonly #world: World;
  /** Custom resources whose definitions lie in the restore point. */
  readonly #defined: ReadonlySet<ResourceName>;
  #drafting: DraftParts | undefined;

  constructor(parts: PlanParts, options: PlanOptions, world: World) {
    this.#parts = parts;
    this.#options = options;
    this.#world = world;
    const definitions = parts.point.entries.filter(({ resource }) => resource === DEFINITIONS);
    this.#defined = new Set(definitions.flatMap(({ name }) => name ?? []));
    const served = [...world.resources.values()].map((resource) => ({
      resource: resourceName(resource),
      kind: resource.kind,
    }));
    // What the target does not serve can be asked for too: the plan says why it cannot be restored.
    const archived = [...new Set(parts.point.entries.map(({ resource }) => resource))];
    const present = [...served, ...archived.map((resource) => ({ resource, kind: '' }))];
    const { includes } = compileSelection(options.selection, present);
    const isOnlyVolumes = options.selection.volumes === 'only';
    const makesObjects = options.selection.fields.length === 0;
    this.includes = (object) => {
      // Nothing can be made without it.
      if (object.resource === 'namespaces' && !world.isThere && makesObjects) return true;
      return includes(object) && (!isOnlyVolumes || object.resource === CLAIMS);
    };
  }

  async planAll(): Promise<readonly Planned[]> {
    const { undo } = this.#options;
    const entries = this.#parts.point.entries.filter(({ path }) => undo?.touched(path) ?? true);
    this.volumes = await this.#planVolumes(entries.filter(({ resource }) => resource === CLAIMS));
    const byResource = Map.groupBy(entries, ({ resource }) => resource);
    const order = [...byResource.keys()].sort(
      (left, right) => waveNumber(left) - waveNumber(right) || (left < right ? -1 : 1),
    );
    const planned: Planned[] = [];
    let done = 0;
    for (const name of order) {
      const own = byResource.get(name) ?? [];
      for (const one of await sideBySide(own, (entry) => this.#plan(entry))) if (one !== undefined) planned.push(one);
      this.#world.forget(name);
      done += own.length;
      this.#options.onProgress(done, entries.length);
    }
    return planned;
  }

  async #planVolumes(entries: readonly ManifestEntry[]): Promise<ReadonlyMap<string, VolumePlan>> {
    const claims: { readonly entry: ManifestEntry; readonly manifest: KubeObject }[] = [];
    for (const entry of entries) {
      const manifest = await this.#parts.point.read(entry);
      if (!this.#isAsked(entry, manifest)) continue;
      claims.push({ entry, manifest });
      this.claims.set(manifest.metadata.name, entry);
    }
    return await planVolumes(this.#parts, this.#options, this.#world, claims);
  }

  #isAsked(entry: ManifestEntry, manifest: KubeObject): boolean {
    const { name } = manifest.metadata;
    return this.includes({ resource: entry.resource, kind: manifest.kind, name, labels: labelsOf(manifest) });
  }

  /** How an object is looked at; the same for the plan and, later, for the work. */
  async drafting(): Promise<DraftParts> {
    this.#drafting ??= await this.#openDrafting();
    return this.#drafting;
  }

  refOf(entry: ManifestEntry, manifest: KubeObject, resource: Pick<Resource, 'namespaced'>): ObjectRef {
    const { namespace } = this.#options.to;
    if (entry.resource === 'namespaces') return { resource: entry.resource, name: namespace };
    const { name } = manifest.metadata;
    return resource.namespaced ? { resource: entry.resource, namespace, name } : { resource: entry.resource, name };
  }

  async #plan(entry: ManifestEntry): Promise<Planned | undefined> {
    const { point, target } = this.#parts;
    const { selection, signal } = this.#options;
    signal.throwIfAborted();
    const manifest = await point.read(entry);
    if (!this.#isAsked(entry, manifest) || this.#isWithoutData(entry, manifest)) return undefined;
    const resource = this.resourceOf(entry, manifest);
    if (resource === undefined) return this.#unserved(entry, manifest);
    const ref = this.refOf(entry, manifest, resource);
    if (resource.version !== entry.version)
      return nothing(
        entry,
        this.#bare(entry, ref, `it is archived as ${entry.version}, and only ${resource.version} is served here`),
      );
    const isServed = this.#world.resources.has(entry.resource);
    const live = isServed ? await this.#world.live(resource) : new Map<string, KubeObject>();
    if (live === 'forbidden') return nothing(entry, this.#bare(entry, ref, `you may not list ${entry.resource}`));
    const drafted = await draft(await this.drafting(), { entry, resource, manifest, raw: live.get(ref.name), ref });
    if (drafted.is === 'equal') {
      this.equal++;
      return undefined;
    }
    if (drafted.is === 'settled') return nothing(entry, drafted.step);
    const volume = this.#volumeOf(entry, ref.name);
    if (volume?.action === 'refuse' && drafted.sending.live === undefined)
      return nothing(entry, skipped(drafted.step, volume.reason));
    const needs = isServed ? this.#neededBy(resource) : 'its definition';
    const checked = await check({ target, selection, needs, signal }, drafted);
    return this.#checked(entry, drafted, checked);
  }

  #volumeOf({ resource }: Pick<ManifestEntry, 'resource'>, name: string): VolumePlan | undefined {
    return resource === CLAIMS ? this.volumes.get(name) : undefined;
  }

  /** Where only data is asked for, a claim that none comes to is left alone. */
  #isWithoutData(entry: ManifestEntry, { metadata }: KubeObject): boolean {
    if (this.#options.selection.volumes !== 'only' || entry.resource !== CLAIMS) return false;
    const action = this.volumes.get(metadata.name)?.action;
    return action !== 'restore' && action !== 'refuse';
  }

  #neededBy({ namespaced }: Resource): string | undefined {
    return namespaced && !this.#world.isThere ? 'the namespace' : undefined;
  }

  #checked(
    entry: ManifestEntry,
    { sending }: Extract<Draft, { is: 'open' }>,
    checked: Awaited<ReturnType<typeof check>>,
  ): Planned | undefined {
    if (checked === undefined) {
      this.equal++;
      return undefined;
    }
    const isMade = checked.step.action === 'create';
    const made = isMade ? { resource: sending.resource, object: sending.object } : undefined;
    return { entry, step: checked.step, propagation: checked.propagation, was: sending.was, made };
  }

  /** As it is served, or as it will be once its definition, which the same restore brings, is there. */
  resourceOf(entry: ManifestEntry, manifest: KubeObject): Resource | undefined {
    const served = this.#world.resources.get(entry.resource);
    if (served !== undefined || !this.#defined.has(entry.resource)) return served;
    const { group, plural } = parseResourceName(entry.resource);
    return { group, plural, version: entry.version, kind: manifest.kind, namespaced: false, verbs: [] };
  }

  #unserved(entry: ManifestEntry, manifest: KubeObject): Planned {
    const ref = this.refOf(entry, manifest, { namespaced: this.#options.to.namespace !== '' });
    const how = 'restore it first, from the repository _cluster';
    return nothing(
      entry,
      this.#bare(entry, ref, `${entry.resource} is not served here: its definition is missing; ${how}`),
    );
  }

  #bare(entry: ManifestEntry, ref: ObjectRef, reason: string): Step {
    return {
      action: 'skip',
      ref,
      path: entry.path,
      wave: waveOf(entry.resource, isCustom(entry.resource)),
      reason,
      fields: [],
      notes: [],
      managedBy: undefined,
      liveVersion: undefined,
      digest: entry.id,
    };
  }

  async #openDrafting(): Promise<DraftParts> {
    const { point, rules, opener, comparer } = this.#parts;
    const { selection, to, mappings, includeOwned, undo } = this.#options;
    const facts = await point.facts(
      point.entries.filter(({ resource }) => WITH_FACTS.has(resource)).map(({ path }) => path),
    );
    const kinds = new Map([...this.#world.resources].map(([name, { group, kind }]) => [name, `${group} ${kind}`]));
    const named = new Set(point.entries.map(({ resource, name }) => `${kinds.get(resource)} ${name}`));
    const scaled = await scaledIn(this.#world);
    const groups = new Set([...this.#world.resources.values()].map(({ group }) => group));
    const volumes = await this.#volumeNames();
    return {
      rules,
      opener,
      comparer,
      undo,
      hasKeeper: (finalizer) => hasKeeper(finalizer, groups),
      selection,
      options: {
        includeOwned,
        isArchived: () => true,
        isScaleTarget: (target) => scaled.has(scaleTargetKey(target)),
      },
      where: ({ path }) => ({ repository: point.repository, path }),
      contextOf: ({ resource, path }, name) => ({
        resource,
        filling: this.#fillingOf(this.#volumeOf({ resource }, name)),
        from: { clusterId: point.file.clusterId, namespace: point.file.namespace?.name ?? '' },
        to,
        requested: facts.get(path)?.requested ?? new Set(),
        recorded: facts.get(path)?.recorded ?? [],
        isPlanned: (group, kind, name) =>
          named.has(`${group} ${kind} ${name}`) || (kind === 'PersistentVolume' && volumes.has(name)),
        mappings,
      }),
    };
  }

  #fillingOf(volume: VolumePlan | undefined): PrepareContext['filling'] {
    if (volume?.data === undefined) return undefined;
    const { data, claim } = volume;
    const snapshot = fillingName(fillingOf(this.#options.to.namespace, claim, data));
    return { snapshot: isVolumeWork(volume) ? snapshot : undefined, bytes: data.bytes };
  }

  async #volumeNames(): Promise<ReadonlySet<string>> {
    const resource = this.#world.resources.get('persistentvolumes');
    const live = resource === undefined ? 'forbidden' : await this.#world.live(resource);
    return new Set(live === 'forbidden' ? [] : live.keys());
  }
}

const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

/** Whose commits tell what a person asked for, or what the file does not hold. */
const WITH_FACTS: ReadonlySet<ResourceName> = new Set([
  'services',
  'persistentvolumeclaims',
  'jobs.batch',
  'pods',
  'routes.route.openshift.io',
  'imagestreams.image.openshift.io',
]);

function nothing(entry: ManifestEntry, step: Step): Planned {
  return { entry, step, propagation: undefined, was: '', made: undefined };
}

function labelsOf(object: KubeObject): Readonly<Record<string, string>> {
  return (objectAt(object.metadata, 'labels') ?? {}) as Readonly<Record<string, string>>;
}

function waveNumber(resource: ResourceName): number {
  return WAVES.indexOf(waveOf(resource, isCustom(resource)));
}

function compareSteps(left: Step, right: Step): number {
  const key = ({ wave, ref }: Step) => `${String(WAVES.indexOf(wave)).padStart(2, '0')} ${ref.resource} ${ref.name}`;
  return key(left) < key(right) ? -1 : 1;
}

async function sideBySide<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = new Array<Result>(items.length);
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, items.length) }, lane));
  return results;
}
