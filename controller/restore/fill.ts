import { snapshotOf } from '../core/data/binding.ts';
import { otherOwnerOf } from '../core/data/handle-owner.ts';
import { chooseByDefault } from '../core/data/snapshot-class.ts';
import { maskLine } from '../core/mask-line.ts';
import { type KubeObject, objectAt, type Resource, renderRef, resourceName, stringAt } from '../core/object.ts';
import {
  contentFor,
  type Filling,
  fillingName,
  fillingOf,
  foreignness,
  SNAPSHOT_GROUP,
  snapshotFor,
} from '../core/restore/fill-objects.ts';
import type { ObjectPlace } from '../core/restore/ports.ts';
import { parseQuantity } from '../core/restore/quantity.ts';
import type { VolumePlan } from '../core/restore/volume-plan.ts';
import { ended, type StepEnd } from './events.ts';
import { withGroup } from './fill-group.ts';
import { persist } from './persist.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Run } from './run.ts';
import { type GoneOptions, untilGone, waitFor } from './waits.ts';

/**
 * What a claim is filled from: a new static content with the driver's handle, and a snapshot bound to it. Both are found again by a restore that
 * is gone on with, and neither takes the physical snapshot along when it goes.
 */

const CLASSES = `volumesnapshotclasses.${SNAPSHOT_GROUP}`;
const DEFAULT_MARK = 'snapshot.storage.kubernetes.io/is-default-class';
/** Before it, what the content says of errors is not asked. */
const HASTY_MS = 1_000;

export interface FillingResources {
  readonly contents: Resource;
  readonly snapshots: Resource;
}

/** Undefined where the cluster does not serve them. */
export async function fillingResources(run: Run): Promise<FillingResources | undefined> {
  const { resources } = await run.catalogue();
  const find = (plural: string) => resources.find((one) => one.group === SNAPSHOT_GROUP && one.plural === plural);
  const [contents, snapshots] = [find('volumesnapshotcontents'), find('volumesnapshots')];
  return contents === undefined || snapshots === undefined ? undefined : { contents, snapshots };
}

/** A claim may be made from it; the bytes that it needs by what the driver says now. */
export type Ready = { readonly is: 'ready'; readonly bytes: bigint | undefined };

/** Resolves when the snapshot of a planned claim can be used. */
export async function makeSource(run: Run, { claim, data }: VolumePlan): Promise<Ready | StepEnd> {
  const { namespace } = run.planned.plan.target;
  if (data?.handle === undefined) return ended('failed', "the driver's handle of its snapshot is not known");
  const plain = fillingOf(namespace, claim, data);
  const [snapshotClass, stranger] = await Promise.all([classFor(run, data), strangerOf(run, plain)]);
  const filling: Filling = snapshotClass === undefined ? plain : { ...plain, snapshotClass };
  if (stranger !== undefined) return ended('failed', stranger);
  await run.noteVolume({ type: 'filling', ...filling });
  return await ensureSource(run, filling);
}

/** Nobody gets another namespace's data by writing its handle into a note. Who may not list contents may not make one either. */
async function strangerOf(run: Run, filling: Filling): Promise<string | undefined> {
  const { repository, target } = run.planned.plan;
  const resources = await fillingResources(run);
  const contents = resources === undefined ? 'forbidden' : await run.listed(resources.contents);
  if (contents === 'forbidden') return undefined;
  const owner = otherOwnerOf(contents, filling, [repository, target.namespace]);
  if (owner === undefined) return undefined;
  return `the snapshot that the note names for it is one of namespace "${owner}"; nothing of that was used, look at who wrote the note: git notes --ref=data show`;
}

/** One of its two objects, when this very run made it. */
export function madeHere(run: Run, resource: Resource, place: ObjectPlace): KubeObject | undefined {
  return run.fillings.get(renderRef(refOf(resource, place)));
}

/** Resolves when it is there and ready. */
export async function ensureSource(run: Run, filling: Filling): Promise<Ready | StepEnd> {
  const resources = await fillingResources(run);
  if (resources === undefined) return ended('failed', `${SNAPSHOT_GROUP} is not served here`);
  const { contents, snapshots } = resources;
  const name = fillingName(filling);
  const place = { namespace: filling.namespace, name };
  const content = contentFor(filling, contents.version);
  const failed =
    (await ensure(run, contents, { name }, content, (live) => isSpent(run, snapshots, live, filling))) ??
    (await ensure(run, snapshots, place, snapshotFor(filling, snapshots.version)));
  if (failed !== undefined) return failed;
  const alone = await untilReady(run, resources, filling);
  if ('is' in alone || filling.groupHandle === undefined || run.isStopped) return alone;
  const { groupHandle: _, ...member } = filling;
  return await withGroup(run, filling, () => untilReady(run, resources, member));
}

/** A content belongs to one snapshot for ever: with that gone (its namespace was deleted), it serves no other. */
async function isSpent(run: Run, snapshots: Resource, content: KubeObject, filling: Filling): Promise<boolean> {
  const bound = snapshotOf(content).uid;
  if (bound === '') return false;
  const snapshot = await run.target.get(snapshots, { namespace: filling.namespace, name: fillingName(filling) });
  return typeof snapshot !== 'object' || snapshot.metadata['uid'] !== bound || isGoing(snapshot);
}

/** Deletes what we made, this very object, and waits until it is gone. */
export async function removeOwn(
  run: Run,
  resource: Resource,
  place: ObjectPlace,
  live: KubeObject,
  options: GoneOptions = {},
): Promise<StepEnd | undefined> {
  const uid = String(live.metadata['uid'] ?? '');
  const answer = await run.target.remove(resource, place, { dryRun: false, uid, propagation: 'Background' });
  if (!answer.ok && answer.refused.reason !== 'NotFound' && answer.refused.reason !== 'Conflict')
    return ended('failed', wordsOfRefusal(answer.refused, 'delete', refOf(resource, place)));
  const gone = await untilGone(run, resource, place, uid, { isUsual: true, ...options });
  return gone.is === 'there' ? undefined : ended('timed-out', `it waited for ${gone.held}`);
}

/** `isSpent`: what is there is ours and serves no more. */
async function ensure(
  run: Run,
  resource: Resource,
  place: ObjectPlace,
  wanted: KubeObject,
  isSpent: (live: KubeObject) => Promise<boolean> = async () => false,
): Promise<StepEnd | undefined> {
  const ref = refOf(resource, place);
  for (;;) {
    const answer = await persist(run, { ref }, () => run.target.create(resource, wanted, { dryRun: false }));
    if (answer.ok === 'ended') return answer.end;
    if (answer.ok) {
      run.fillings.set(renderRef(ref), answer.object);
      return undefined;
    }
    const { refused } = answer;
    if (refused.reason !== 'AlreadyExists') return ended('failed', wordsOfRefusal(refused, 'create', ref));
    const live = await run.target.get(resource, place);
    if (live === undefined) continue;
    if (live === 'forbidden') return ended('failed', `you may not get ${ref.resource}`);
    const foreign = foreignness(live, wanted);
    if (foreign !== undefined) return ended('failed', foreign);
    if (isGoing(live)) {
      const gone = await untilGone(run, resource, place, String(live.metadata['uid'] ?? ''));
      if (gone.is !== 'there') return ended('timed-out', `it waited for ${gone.held}`);
    } else if (await isSpent(live)) {
      const kept = await removeOwn(run, resource, place, live);
      if (kept !== undefined) return kept;
    } else return undefined;
  }
}

async function untilReady(
  run: Run,
  { contents, snapshots }: FillingResources,
  filling: Filling,
): Promise<Ready | StepEnd> {
  const name = fillingName(filling);
  const place = { namespace: filling.namespace, name };
  const began = run.clock.monotonic();
  const what = `the snapshot of ${filling.claim} to be ready`;
  const waited = await waitFor<{ readonly bytes: bigint | undefined } | { readonly lost: string }>(
    run,
    run.limits.snapshotMs,
    async () => {
      const snapshot = await run.target.get(snapshots, place);
      if (snapshot === undefined) return { value: { lost: 'its snapshot was deleted while it was waited for' } };
      if (snapshot === 'forbidden') return `${what}, which may not be looked at`;
      const status = objectAt(snapshot, 'status');
      // A driver that says nothing of readiness has not said that it is ready.
      if (status?.['readyToUse'] === true) return { value: { bytes: parseQuantity(status['restoreSize']) } };
      const waitedMs = run.clock.monotonic() - began;
      // Most are ready in less than that, and each look costs.
      const content = waitedMs < HASTY_MS ? undefined : await run.target.get(contents, { name });
      const told = errorOf(snapshot) ?? (typeof content === 'object' ? errorOf(content) : undefined);
      if (told === undefined) return what;
      // Of a member of a group, the driver may know nothing by itself.
      const isUnknown = (UNKNOWN.test(told) || filling.groupHandle !== undefined) && waitedMs >= run.limits.unknownMs;
      return isUnknown ? { value: { lost: `the driver does not have its snapshot: ${told}` } } : `${what}: ${told}`;
    },
    { isUsual: true, pace: 'eager' },
  );
  if (waited.is === 'late') return ended('timed-out', `it waited for ${waited.held}`);
  if (waited.is === 'stopped') return ended('failed', `stopped while it waited for ${waited.held}`);
  return 'lost' in waited.value ? ended('failed', waited.value.lost) : { is: 'ready', bytes: waited.value.bytes };
}

/** In the words of drivers and of the snapshot controller. */
const UNKNOWN = /not ?found|can ?not find|does(?: not|n't) exist|no such snapshot|unknown snapshot/i;

function errorOf(object: KubeObject): string | undefined {
  const message = stringAt(objectAt(objectAt(object, 'status'), 'error'), 'message');
  return message === undefined ? undefined : maskLine(message, 200);
}

/** Some drivers need a class for its credentials: the one that it was cut with, or else the driver's. */
async function classFor(run: Run, data: NonNullable<VolumePlan['data']>): Promise<string | undefined> {
  const { resources } = await run.catalogue();
  const resource = resources.find((one) => resourceName(one) === CLASSES);
  const listed = resource === undefined ? 'forbidden' : await run.listed(resource);
  if (listed === 'forbidden') return undefined;
  const own = listed.find((one) => one.metadata.name === data.snapshotClass && stringAt(one, 'driver') === data.driver);
  if (own !== undefined) return own.metadata.name;
  const choice = chooseByDefault(data.driver, listed, { kind: 'VolumeSnapshotClass', mark: DEFAULT_MARK });
  return 'className' in choice ? choice.className : undefined;
}

function refOf(resource: Resource, { namespace, name }: ObjectPlace) {
  const ref = { resource: resourceName(resource), name };
  return namespace === undefined ? ref : { ...ref, namespace };
}

function isGoing({ metadata }: KubeObject): boolean {
  return metadata['deletionTimestamp'] !== undefined;
}
