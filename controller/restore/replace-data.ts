import { CLAIMS as ENDPOINT } from '../core/endpoints.ts';
import { type KubeObject, resourceName } from '../core/object.ts';
import type { Step } from '../core/restore/plan.ts';
import type { VolumePlan } from '../core/restore/volume-plan.ts';
import { sideBySide } from '../core/streams.ts';
import { readUsers, type Workload } from './claim-users.ts';
import { makeSource, type Ready, removeOwn } from './fill.ts';
import { make } from './make.ts';
import { CLAIMS, largeEnough } from './make-claim.ts';
import { keepVolume } from './old-volumes.ts';
import type { Run } from './run.ts';
import { scaleBack, scaleToZero, untilUnused } from './scale.ts';

/**
 * The data of claims that live is replaced, all of it or none: first everything that can fail without harm (the snapshots are ready, nobody
 * uses the claims), then each claim is made anew. Objects were restored before, so that no pod of the old version ever sees the restored data.
 */

const SIDE_BY_SIDE = 16;

/** A claim that was deleted is made again although the restore was stopped meanwhile. */
const GRACE_MS = 15_000;

const RESOURCE = { ...ENDPOINT, kind: 'PersistentVolumeClaim', verbs: [] };

export async function replaceData(run: Run): Promise<void> {
  const volumes = (run.planned.plan.volumes ?? []).filter(({ action }) => action === 'replace');
  try {
    if (volumes.length > 0) await replaceAll(run, volumes);
  } catch (error) {
    const reason = run.failureOf(error).reason ?? 'the restore was stopped';
    for (const { claim } of volumes) incomplete(run, claim, reason);
  }
  try {
    await scaleBack(run);
  } catch (error) {
    run.failureOf(error);
  }
}

async function replaceAll(run: Run, volumes: readonly VolumePlan[]): Promise<void> {
  const refuse = (reason: string) => {
    for (const { claim } of volumes) incomplete(run, claim, `its data was not replaced: ${reason}`);
  };
  if (run.isStopped) return refuse('the restore was stopped first');
  const sources = new Map<string, Ready>();
  const failures: string[] = [];
  await sideBySide(volumes, SIDE_BY_SIDE, async (volume) => {
    const source = await makeSource(run, volume);
    if ('is' in source) sources.set(volume.claim, source);
    else failures.push(`${volume.claim}: ${source.reason ?? 'its snapshot is not ready'}`);
  });
  if (failures.length > 0) return refuse(failures.join('; '));
  const problem = await standStill(run, volumes);
  if (problem !== undefined) return refuse(problem);
  await sideBySide(volumes, SIDE_BY_SIDE, async (volume) => {
    try {
      const reason = await replace(run, volume, sources.get(volume.claim) as Ready);
      if (reason !== undefined) incomplete(run, volume.claim, reason);
    } catch (error) {
      incomplete(run, volume.claim, run.failureOf(error).reason ?? 'the restore was stopped');
    }
  });
}

/** Why somebody still uses one of them; undefined when nobody does. */
async function standStill(run: Run, volumes: readonly VolumePlan[]): Promise<string | undefined> {
  const { plan } = run.planned;
  const { resources } = await run.catalogue();
  const usersOf = await readUsers({
    target: run.target,
    resources: new Map(resources.map((one) => [resourceName(one), one])),
    selection: plan.selection,
    namespace: plan.target.namespace,
    signal: run.signal,
  });
  const workloads = new Map<string, Workload>();
  for (const { claim } of volumes) {
    const users = usersOf(claim);
    if ('problem' in users) return users.problem;
    users.workloads.forEach((name, index) => void workloads.set(name, users.found[index] as Workload));
  }
  for (const [name, workload] of workloads) {
    const reason = await scaleToZero(run, workload);
    if (reason !== undefined) return `${name}: ${reason}`;
  }
  return await untilUnused(
    run,
    volumes.map(({ claim }) => claim),
  );
}

/** Why it was not; undefined when the claim is made anew. */
async function replace(run: Run, { claim: name }: VolumePlan, { bytes }: Ready): Promise<string | undefined> {
  const { namespace } = run.planned.plan.target;
  if (run.isStopped) return 'its data was not replaced: the restore was stopped first';
  const place = { namespace, name };
  const work = await run.planned.claim?.(name);
  const live = await run.target.get(RESOURCE, place);
  if (work === undefined || typeof live !== 'object')
    return 'its data was not replaced: the claim is not there any more';
  const problem = await keepVolume(run, live);
  if (problem !== undefined) return `its data was not replaced: ${problem}`;
  const left = await removeOwn(run, RESOURCE, place, live, { graceMs: GRACE_MS });
  if (left !== undefined) return `its data was not replaced: ${left.reason ?? ''}`;
  const object: KubeObject = largeEnough(work.object, bytes);
  const end = await make(run, stepFor(namespace, name), { ...work, do: 'create', object });
  if (end !== 'again' && end.result === 'done') return undefined;
  const reason = end === 'again' ? 'somebody else made it again first' : (end.reason ?? '');
  return `the claim was deleted and could not be made again: ${reason}`;
}

function stepFor(namespace: string, name: string): Step {
  return {
    ...{ action: 'create', ref: { resource: CLAIMS, namespace, name }, path: undefined, wave: 'claims' },
    ...{ reason: '', fields: [], notes: [], managedBy: undefined, liveVersion: undefined, digest: '' },
  };
}

function incomplete(run: Run, claim: string, reason: string): void {
  run.unreplaced.add(claim);
  run.incomplete++;
  run.emit({ type: 'incomplete', object: `${CLAIMS}/${claim}`, reason });
}
