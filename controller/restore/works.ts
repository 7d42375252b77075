import { type KubeObject, objectAt, stringAt } from '../core/object.ts';
import { setAt } from '../core/pointer.ts';
import { isFillingName } from '../core/restore/fill-objects.ts';
import type { Plan, Step } from '../core/restore/plan.ts';
import type { ObjectPlace } from '../core/restore/ports.ts';
import { copy } from '../core/sanitise-held.ts';
import type { FieldWords } from '../core/words.ts';
import { draft, type Sending } from './draft.ts';
import { CLAIMS } from './make-claim.ts';
import type { Planned, Planner, PlanOptions, PlanParts } from './plan.ts';
import type { Pruned } from './prune.ts';
import type { PlannedRestore, Propagation, Work } from './work.ts';
import type { World } from './world.ts';

/** A plan with the way to carry each step out. Objects are read again, from Git and from the cluster, when their turn comes. */

interface Known {
  readonly parts: PlanParts;
  readonly options: PlanOptions;
  readonly world: World;
  readonly planner: Planner;
  readonly planned: readonly Planned[];
  readonly pruned: readonly Pruned[];
}

const MOVED = 'what lives is not what it was when this was planned';

export class Works implements PlannedRestore {
  readonly plan: Plan;
  readonly #known: Known;
  readonly #planned: ReadonlyMap<Step, Planned>;
  readonly #pruned: ReadonlyMap<Step, Pruned>;

  constructor(plan: Plan, known: Known) {
    this.plan = plan;
    this.#known = known;
    this.#planned = new Map(known.planned.map((one) => [one.step, one]));
    this.#pruned = new Map(known.pruned.map((one) => [one.step, one]));
  }

  async work(step: Step, { adopt = false }: { readonly adopt?: boolean } = {}): Promise<Work> {
    const pruned = this.#pruned.get(step);
    if (pruned !== undefined) return await this.#deletion(pruned);
    const planned = this.#planned.get(step);
    if (planned === undefined) throw new TypeError(`No step of this plan: ${step.ref.resource}/${step.ref.name}`);
    return await this.#making(planned, adopt);
  }

  async difference(step: Step, live: KubeObject): Promise<readonly FieldWords[]> {
    const planned = this.#planned.get(step);
    const drafted = planned === undefined ? undefined : await this.#redraft(planned, live);
    if (drafted === undefined || drafted.is === 'equal') return [];
    const { action, fields, reason } = drafted.step;
    // What is kept without a field that could be restored was never aimed at.
    return fields.length > 0 || action === 'keep' ? fields : [{ short: reason, long: reason }];
  }

  async claim(name: string): Promise<Sending | undefined> {
    const entry = this.#known.planner.claims.get(name);
    const resource = this.#known.world.resources.get(CLAIMS);
    if (entry === undefined || resource === undefined) return undefined;
    const manifest = await this.#known.parts.point.read(entry);
    const ref = this.#known.planner.refOf(entry, manifest, resource);
    const drafted = await draft(await this.#known.planner.drafting(), {
      entry,
      resource,
      manifest,
      raw: undefined,
      ref,
    });
    return drafted.is === 'open' ? drafted.sending : undefined;
  }

  async target(step: Step): Promise<KubeObject | undefined> {
    const planned = this.#planned.get(step);
    if (planned === undefined) return undefined;
    const drafted = await this.#redraft(planned, undefined);
    return drafted?.is === 'open' ? asArchived(drafted.sending.object) : undefined;
  }

  async #making(planned: Planned, adopt: boolean): Promise<Work> {
    const { step } = planned;
    const resource = this.#known.world.resources.get(step.ref.resource);
    const { name, namespace } = step.ref;
    const place = namespace === undefined ? { name } : { name, namespace };
    const { target } = this.#known.parts;
    // Of an object that is made, the server says itself when there is one by now.
    const isLooked = resource !== undefined && (step.action !== 'create' || adopt);
    const raw = isLooked ? await target.get(resource, place, this.#known.options.signal) : undefined;
    if (raw === 'forbidden') return { do: 'moved', why: 'it may not be read any more' };
    const drafted = await this.#redraft(planned, raw);
    if (adopt && drafted?.is === 'equal' && resource !== undefined)
      return { do: 'update', resource, place, operations: [] };
    if (drafted === undefined || drafted.is !== 'open') return { do: 'moved', why: MOVED };
    const { sending } = drafted;
    if (step.action === 'create' && sending.live === undefined) return { do: 'create', ...sending };
    if (step.action === 'create' && adopt) return updateOf(sending, place);
    // The same operations may be to undo what somebody wrote there meanwhile.
    const isSame = drafted.step.digest === step.digest && sending.was === planned.was;
    if (sending.live === undefined || !isSame) return { do: 'moved', why: MOVED };
    if (step.action === 'update') return updateOf(sending, place);
    return {
      do: 'replace',
      place,
      ...sending,
      ...identityOf(sending.live),
      propagation: planned.propagation as Propagation,
    };
  }

  async #redraft({ entry, step }: Planned, raw: KubeObject | undefined) {
    const { planner, parts } = this.#known;
    const manifest = await parts.point.read(entry);
    const resource = planner.resourceOf(entry, manifest);
    if (resource === undefined) return undefined;
    return await draft(await planner.drafting(), { entry, resource, manifest, raw, ref: step.ref });
  }

  async #deletion({ step, resource, propagation, uid }: Pruned): Promise<Work> {
    const { name, namespace } = step.ref;
    const place = namespace === undefined ? { name } : { name, namespace };
    const live = await this.#known.parts.target.get(resource, place, this.#known.options.signal);
    if (live === undefined || live === 'forbidden') return { do: 'moved', why: 'it is gone already' };
    if (live.metadata['uid'] !== uid)
      return { do: 'moved', why: 'it was deleted and made again since this was planned' };
    return { do: 'delete', resource, place, ...identityOf(live), propagation };
  }
}

/** No archive has what a claim was filled from at a restore. */
function asArchived(object: KubeObject): KubeObject {
  const source = stringAt(objectAt(objectAt(object, 'spec'), 'dataSource'), 'name');
  if (object.kind !== 'PersistentVolumeClaim' || source === undefined || !isFillingName(source)) return object;
  const archived = copy(object);
  setAt(archived, '/spec/dataSource', undefined);
  return archived;
}

function updateOf({ resource, operations, isSecret }: Sending, place: ObjectPlace): Work {
  return { do: 'update', resource, place, operations, isSecret };
}

function identityOf({ metadata }: KubeObject): { readonly uid: string; readonly resourceVersion: string } {
  return { uid: String(metadata['uid'] ?? ''), resourceVersion: String(metadata['resourceVersion'] ?? '') };
}
