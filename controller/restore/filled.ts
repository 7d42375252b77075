import { CLAIMS, EVENTS, PODS } from '../core/endpoints.ts';
import { maskLine } from '../core/mask-line.ts';
import { type KubeObject, objectAt, type Resource, resourceName, stringAt } from '../core/object.ts';
import { podsUsing } from '../core/restore/claim-users.ts';
import { contentFor, type Filling, fillingName, foreignness, snapshotFor } from '../core/restore/fill-objects.ts';
import { sideBySide } from '../core/streams.ts';
import { ensureSource, fillingResources, madeHere, removeOwn } from './fill.ts';
import type { Run } from './run.ts';
import { TELL_EVERY_MS, waitFor } from './waits.ts';

/** What claims were filled from goes when they are bound. A claim that no pod uses yet keeps it until then; whoever archives there sweeps it. */

const SIDE_BY_SIDE = 16;

export async function finishFillings(run: Run): Promise<void> {
  const fillings = run.volumes.work?.fillings ?? [];
  if (fillings.length === 0 || run.isStopped) return;
  const binding = await bindingModes(run);
  await sideBySide(fillings, SIDE_BY_SIDE, async (filling) => {
    try {
      await finish(run, filling, binding);
    } catch (error) {
      incomplete(run, filling, run.failureOf(error).reason ?? 'the restore was stopped');
    }
  });
}

type BindingModes = (claim: KubeObject) => 'Immediate' | 'WaitForFirstConsumer';

async function finish(run: Run, filling: Filling, binding: BindingModes): Promise<void> {
  const { namespace, claim: name } = filling;
  const place = { namespace, name };
  const claim = await run.target.get(CLAIMS, place);
  if (claim === 'forbidden') return incomplete(run, filling, 'whether its data is there may not be looked at');
  // Its step has said why it is not there.
  if (claim === undefined || run.unreplaced.has(name) || !isFilledBy(claim, filling))
    return await takeAway(run, filling);
  if (!isBound(claim)) {
    // Of a restore that was stopped, somebody may have deleted it.
    const source = run.sources.has(name) ? undefined : await ensureSource(run, filling);
    if (source !== undefined && !('is' in source))
      return incomplete(run, filling, source.reason ?? 'its snapshot is not ready');
    const waited = await untilBound(run, filling, binding(claim) === 'WaitForFirstConsumer');
    if (waited === 'unused') {
      const words = `its StorageClass makes the volume when a pod uses the claim; VolumeSnapshot ${fillingName(filling)} stays until then`;
      return run.emit({ type: 'volume', claim: name, result: 'waiting', words });
    }
    if (waited !== undefined) return incomplete(run, filling, waited);
  }
  run.emit({ type: 'volume', claim: name, result: 'filled', words: 'filled' });
  await takeAway(run, filling);
}

/** Why it is not bound; `unused`: no pod asks for it. */
async function untilBound(run: Run, { namespace, claim }: Filling, isLazy: boolean): Promise<string | undefined> {
  const place = { namespace, name: claim };
  const began = run.clock.monotonic();
  let told: string | undefined;
  let toldAt = began;
  const waited = await waitFor<'bound' | 'gone' | 'unused'>(
    run,
    run.limits.boundMs,
    async () => {
      const live = await run.target.get(CLAIMS, place);
      if (live === undefined || live === 'forbidden') return { value: 'gone' };
      if (isBound(live)) return { value: 'bound' };
      const now = run.clock.monotonic();
      if (isLazy && now - began >= run.limits.consumerMs && !(await isUsed(run, live))) return { value: 'unused' };
      // Somebody may be able to make room: they are told while it is waited for, not when the time is over.
      if (now - toldAt >= TELL_EVERY_MS) {
        told = await lastWarning(run, place);
        toldAt = now;
      }
      return `the volume of ${claim}, which its driver makes${told === undefined ? '' : `: ${told}`}`;
    },
    { isUsual: true, pace: 'leisurely' },
  );
  if (waited.is === 'there') {
    if (waited.value === 'bound') return undefined;
    return waited.value === 'gone' ? 'the claim was deleted before its data was there' : waited.value;
  }
  if (waited.is === 'stopped') return 'the restore was stopped before its data was there';
  told = await lastWarning(run, place);
  return `its volume is not there yet${told === undefined ? '' : `: ${told}`}`;
}

async function isUsed(run: Run, claim: KubeObject): Promise<boolean> {
  const namespace = stringAt(claim.metadata, 'namespace') ?? '';
  const pods = await run.target.list(PODS, { namespace });
  return pods === 'forbidden' || podsUsing(claim.metadata.name, pods).length > 0;
}

/** What the provisioner said last. */
async function lastWarning(run: Run, { namespace, name }: { readonly namespace: string; readonly name: string }) {
  const events = await run.target.list(EVENTS, { namespace });
  if (events === 'forbidden') return undefined;
  const own = events.filter((event) => {
    const about = objectAt(event, 'involvedObject');
    return (
      stringAt(event, 'type') === 'Warning' &&
      stringAt(about, 'kind') === 'PersistentVolumeClaim' &&
      stringAt(about, 'name') === name
    );
  });
  const timeOf = (event: KubeObject) => stringAt(event, 'lastTimestamp') ?? stringAt(event, 'eventTime') ?? '';
  const last = own.sort((left, right) => (timeOf(left) < timeOf(right) ? 1 : -1))[0];
  return last === undefined ? undefined : maskLine(stringAt(last, 'message') ?? '', 200);
}

/** The snapshot first: its content lets it go then. What is not gone in time is told; nothing physical hangs on it. */
async function takeAway(run: Run, filling: Filling): Promise<void> {
  const resources = await fillingResources(run);
  const name = fillingName(filling);
  if (resources !== undefined) {
    const { contents, snapshots } = resources;
    const place = { namespace: filling.namespace, name };
    const snapshot = madeHere(run, snapshots, place) ?? (await run.target.get(snapshots, place));
    const content = madeHere(run, contents, { name }) ?? (await run.target.get(contents, { name }));
    const left =
      (await removeIfOurs(run, snapshots, place, snapshot, snapshotFor(filling, snapshots.version))) ??
      (await removeIfOurs(run, contents, { name }, content, contentFor(filling, contents.version)));
    if (left !== undefined) return incomplete(run, filling, `what it was filled from is not gone: ${left}`);
  }
  await run.noteVolume({ type: 'filled', claim: filling.claim });
}

async function removeIfOurs(
  run: Run,
  resource: Resource,
  place: { readonly namespace?: string; readonly name: string },
  live: KubeObject | 'forbidden' | undefined,
  wanted: KubeObject,
): Promise<string | undefined> {
  if (live === undefined || live === 'forbidden' || foreignness(live, wanted) !== undefined) return undefined;
  return (await removeOwn(run, resource, place, live, { pace: 'leisurely' }))?.reason;
}

async function bindingModes(run: Run): Promise<BindingModes> {
  const { resources } = await run.catalogue();
  const resource = resources.find((one) => resourceName(one) === 'storageclasses.storage.k8s.io');
  const listed = resource === undefined ? 'forbidden' : await run.target.list(resource, {});
  const modes = new Map(
    listed === 'forbidden' ? [] : listed.map((one) => [one.metadata.name, stringAt(one, 'volumeBindingMode')]),
  );
  return (claim) => {
    const mode = modes.get(stringAt(objectAt(claim, 'spec'), 'storageClassName') ?? '');
    return mode === 'WaitForFirstConsumer' ? mode : 'Immediate';
  };
}

function isFilledBy(claim: KubeObject, filling: Filling): boolean {
  return stringAt(objectAt(objectAt(claim, 'spec'), 'dataSource'), 'name') === fillingName(filling);
}

function isBound(claim: KubeObject): boolean {
  return stringAt(objectAt(claim, 'status'), 'phase') === 'Bound';
}

function incomplete(run: Run, { claim }: Filling, reason: string): void {
  run.incomplete++;
  run.emit({ type: 'incomplete', object: `persistentvolumeclaims/${claim}`, reason });
}
