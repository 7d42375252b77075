import {
  groupOf,
  isJsonObject,
  type Json,
  type KubeObject,
  objectAt,
  type Resource,
  resourceName,
  stringAt,
} from '../../controller/core/object.ts';
import { patchOf } from '../../controller/core/restore/patch.ts';
import { EVERYTHING, type Plan, type Step } from '../../controller/core/restore/plan.ts';
import type { RestoreTarget } from '../../controller/core/restore/ports.ts';
import { waveOf } from '../../controller/core/restore/waves.ts';
import { compileRules, type RuleSet } from '../../controller/core/sanitise.ts';
import { describe } from '../../controller/core/words.ts';
import { compare } from '../../controller/restore/compare.ts';
import type { Fallback, OwnerLink, PlannedRestore, Propagation, Work } from '../../controller/restore/work.ts';

/** A plan of a list of objects, made without an archive: what does not live is created, what differs is updated. */

export interface Wanted {
  readonly object: KubeObject;
  readonly fallbacks?: readonly Fallback[];
  readonly owners?: readonly OwnerLink[];
  readonly finalizers?: readonly string[];
  /** What lives is deleted and made again. */
  readonly replace?: Propagation;
  /** It is deleted and not made again. */
  readonly remove?: true;
}

const ARCHIVING = compileRules();

/** What an archive leaves out as it lives is compared all the same. */
const RULES: RuleSet = {
  ...ARCHIVING,
  statesFor: (resource) => {
    const states = ARCHIVING.statesFor(resource);
    return { ...states, rules: states.rules.filter(({ rule }) => rule.verdict !== 'never') };
  },
};
const FREE = [
  '/metadata/ownerReferences',
  '/metadata/finalizers',
  '/spec/clusterIP',
  '/spec/clusterIPs',
  '/spec/names',
  '/spec/conversion',
];

export async function planByHand(target: RestoreTarget, wanted: readonly Wanted[]): Promise<PlannedRestore> {
  const { resources } = await target.discover({ pinned: new Map() });
  const known = new Map<Step, { readonly wanted: Wanted; readonly resource: Resource; readonly version: unknown }>();
  for (const one of wanted) {
    const resource = resourceOf(one.object, resources, wanted);
    const live = resource.verbs.length === 0 ? undefined : await read(target, resource, one.object);
    const isGoing = live?.metadata['deletionTimestamp'] !== undefined;
    if (live === undefined && one.remove) continue;
    if (live !== undefined && !isGoing && !one.remove && changes(live, one.object, resource).length === 0) continue;
    const isThere = live !== undefined && !isGoing;
    const action = one.remove ? 'delete' : !isThere ? 'create' : one.replace ? 'replace' : 'update';
    known.set(stepOf(one.object, resource, action), {
      wanted: one,
      resource,
      version: live?.metadata['resourceVersion'],
    });
  }
  const plan: Plan = {
    version: 1,
    repository: 'shop',
    commit: '0123456789012345678901234567890123456789',
    target: { clusterId: '', namespace: namespaceIn(wanted), asUser: undefined },
    selection: EVERYTHING,
    steps: [...known.keys()],
    equal: wanted.length - known.size,
    hash: '',
  };
  const find = (step: Step) => known.get(step) ?? fail(step);
  return {
    plan,
    work: async (step, { adopt = false } = {}) => {
      const { wanted: one, resource } = find(step);
      return await workOf(target, step, one, resource, adopt);
    },
    difference: async (step, live) => {
      const { wanted: one, resource } = find(step);
      return changes(live, one.object, resource).map(describe);
    },
    target: async (step) => find(step).wanted.object,
  };
}

async function workOf(
  target: RestoreTarget,
  step: Step,
  one: Wanted,
  resource: Resource,
  adopt: boolean,
): Promise<Work> {
  const { object, fallbacks = [], owners = [], finalizers = [] } = one;
  const making = { resource, object, fallbacks, owners, finalizers };
  if (step.action === 'create' && !adopt) return { do: 'create', ...making };
  const live = await read(target, resource, object);
  if (live === undefined) return step.action === 'create' ? { do: 'create', ...making } : { do: 'moved', why: 'gone' };
  const place = placeOf(object);
  const identity = { uid: String(live.metadata['uid']), resourceVersion: String(live.metadata['resourceVersion']) };
  if (step.action === 'delete') return { do: 'delete', resource, place, ...identity, propagation: 'Background' };
  if (step.action === 'replace')
    return { do: 'replace', place, ...making, ...identity, propagation: one.replace ?? 'Background' };
  return { do: 'update', resource, place, operations: operationsOf(live, object, resource) };
}

function operationsOf(live: KubeObject, object: KubeObject, resource: Resource) {
  const compared = comparison(live, object, resource);
  return patchOf(live, compared.live, compared.wanted, []);
}

function changes(live: KubeObject, object: KubeObject, resource: Resource) {
  return comparison(live, object, resource).changes;
}

function comparison(live: KubeObject, object: KubeObject, resource: Resource) {
  const by = { resource: resourceName(resource), rules: RULES, options: { includeOwned: true }, free: FREE };
  const bare = compare(live, object, by);
  const compared = compare(live, completed(object, bare.live) as KubeObject, by);
  return compared;
}

/** The wanted are written without defaults. */
function completed(wanted: Json, live: Json | undefined): Json {
  if (Array.isArray(wanted)) {
    return wanted.map((one, index) => completed(one, Array.isArray(live) ? live[index] : undefined));
  }
  if (!isJsonObject(wanted) || !isJsonObject(live)) return wanted;
  const own = Object.entries(wanted).map(([key, value]) => [key, completed(value, live[key])]);
  const whole = { ...live, ...Object.fromEntries(own) };
  return whole as Json;
}

function stepOf(object: KubeObject, resource: Resource, action: Step['action']): Step {
  const namespace = stringAt(object.metadata, 'namespace');
  const name = resourceName(resource);
  return {
    action,
    ref: { resource: name, name: object.metadata.name, ...(namespace === undefined ? {} : { namespace }) },
    path: `${name}/${object.metadata.name}.json`,
    wave: waveOf(name, resource.group.endsWith('.test')),
    reason: '',
    fields: [],
    notes: [],
    managedBy: undefined,
    liveVersion: undefined,
    digest: '',
  };
}

/** As it is served, or as the definition among the wanted will serve it. */
function resourceOf(object: KubeObject, resources: readonly Resource[], wanted: readonly Wanted[]): Resource {
  const group = groupOf(object.apiVersion);
  const served = resources.find((one) => one.group === group && one.kind === object.kind);
  if (served !== undefined) return served;
  const definition = wanted
    .map((one) => objectAt(one.object, 'spec'))
    .find((spec) => stringAt(spec, 'group') === group && stringAt(objectAt(spec, 'names'), 'kind') === object.kind);
  const plural = stringAt(objectAt(definition, 'names'), 'plural');
  if (plural === undefined) throw new Error(`nobody serves ${object.kind}`);
  const version = object.apiVersion.slice(group.length + 1);
  return { group, version, plural, kind: object.kind, namespaced: false, verbs: [] };
}

async function read(target: RestoreTarget, resource: Resource, object: KubeObject): Promise<KubeObject | undefined> {
  const live = await target.get(resource, placeOf(object));
  return live === 'forbidden' ? undefined : live;
}

function placeOf({ metadata }: KubeObject) {
  const namespace = stringAt(metadata, 'namespace');
  return namespace === undefined ? { name: metadata.name } : { namespace, name: metadata.name };
}

function namespaceIn(wanted: readonly Wanted[]): string {
  return wanted.map(({ object }) => stringAt(object.metadata, 'namespace')).find((name) => name !== undefined) ?? '';
}

function fail(step: Step): never {
  throw new Error(`no step of this plan: ${step.ref.name}`);
}
