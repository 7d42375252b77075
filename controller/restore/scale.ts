import { PODS } from '../core/endpoints.ts';
import { type KubeObject, objectAt, renderRef, resourceName } from '../core/object.ts';
import { podsUsing } from '../core/restore/claim-users.ts';
import type { ScaledWork } from '../core/restore/journal.ts';
import type { Workload } from './claim-users.ts';
import { persist } from './persist.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Run } from './run.ts';
import { waitFor } from './waits.ts';

/** Workloads stand still while their claims are replaced. How many replicas they had is on the disk before they have none. */

const MOST_TRIES = 8;

/** Why it could not be; undefined once it has no replicas. */
export async function scaleToZero(run: Run, { resource, object }: Workload): Promise<string | undefined> {
  const { namespace } = run.planned.plan.target;
  const ref = { resource: resourceName(resource), namespace, name: object.metadata.name };
  const replicas = replicasOf(object);
  const isKnown = run.volumes.work?.scaled.some((one) => renderRef(one.ref) === renderRef(ref)) === true;
  // One that a stopped restore had scaled has lost its number by now, or somebody has given it another.
  if (replicas > 0 || !isKnown) {
    const { group, version, plural, namespaced } = resource;
    await run.noteVolume({ type: 'scaled', ref, resource: { group, version, plural, namespaced }, replicas });
  }
  return await setReplicas(run, { ref, resource }, 0, undefined);
}

/** What was scaled to zero has its replicas again, unless somebody has given it some meanwhile. Why not, by object. */
export async function scaleBack(run: Run): Promise<void> {
  for (const scaled of run.volumes.work?.scaled ?? []) {
    const reason = await setReplicas(run, scaled, scaled.replicas, 0);
    if (reason === undefined) await run.noteVolume({ type: 'scaled-back', ref: scaled.ref });
    else {
      run.incomplete++;
      const told = `${reason}; it had ${scaled.replicas} ${scaled.replicas === 1 ? 'replica' : 'replicas'} before its data was replaced`;
      run.emit({ type: 'incomplete', object: renderRef(scaled.ref), reason: told });
    }
  }
}

async function setReplicas(
  run: Run,
  { ref, resource }: Pick<ScaledWork, 'ref'> & { readonly resource: ScaledWork['resource'] },
  replicas: number,
  onlyFrom: number | undefined,
): Promise<string | undefined> {
  const place = { namespace: ref.namespace ?? '', name: ref.name };
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const live = await run.target.get(resource, place);
    // What is gone has no pods, and needs none.
    if (live === undefined) return undefined;
    if (live === 'forbidden') return `you may not get ${ref.resource}`;
    const now = replicasOf(live);
    if (now === replicas || (onlyFrom !== undefined && now !== onlyFrom)) return undefined;
    const answer = await persist(run, { ref }, () =>
      run.target.patch(
        resource,
        place,
        [
          { op: 'test', path: '/metadata/resourceVersion', value: live.metadata['resourceVersion'] ?? '' },
          { op: 'add', path: '/spec/replicas', value: replicas },
        ],
        { dryRun: false },
      ),
    );
    if (answer.ok === 'ended') return `it could not be scaled to ${replicas}: ${answer.end.reason ?? ''}`;
    if (answer.ok) return undefined;
    const { status, causes } = answer.refused;
    if (status !== 409 && !(status === 422 && causes.length === 0))
      return `it could not be scaled to ${replicas}: ${wordsOfRefusal(answer.refused, 'change', ref)}`;
  }
  return `it could not be scaled to ${replicas}: it is changed all the time`;
}

/** Why they still run; undefined when no pod has any of the claims. */
export async function untilUnused(run: Run, claims: readonly string[]): Promise<string | undefined> {
  const { namespace } = run.planned.plan.target;
  const waited = await waitFor(run, run.limits.goneMs, async () => {
    const pods = await run.target.list(PODS, { namespace });
    if (pods === 'forbidden') return 'pods to end, which may not be listed';
    const left = [...new Set(claims.flatMap((claim) => podsUsing(claim, pods).map(({ metadata }) => metadata.name)))];
    return left.length === 0
      ? { value: undefined }
      : `${left
          .slice(0, 3)
          .map((name) => `pod ${name}`)
          .join(', ')} to end`;
  });
  return waited.is === 'there' ? undefined : `it waited for ${waited.held}`;
}

/** One, when nothing is said. */
function replicasOf(object: KubeObject): number {
  const replicas = objectAt(object, 'spec')?.['replicas'];
  return typeof replicas === 'number' ? replicas : 1;
}
