import { CLAIMS, VOLUMES } from '../core/endpoints.ts';
import { type KubeObject, type ObjectRef, objectAt, stringAt } from '../core/object.ts';
import { isFillingName } from '../core/restore/fill-objects.ts';
import type { KeptVolume } from '../core/restore/journal.ts';
import { persist } from './persist.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Run } from './run.ts';

/** The volume of a claim that is replaced outlives its claim until the new one is bound: some drivers' snapshots die with it. */

/** Why the claim must not be deleted; undefined when it may, also where the asker may not keep its volume. */
export async function keepVolume(run: Run, claim: KubeObject): Promise<string | undefined> {
  const volume = stringAt(objectAt(claim, 'spec'), 'volumeName');
  if (volume === undefined || volume === '') return undefined;
  const live = await run.target.get(VOLUMES, { name: volume });
  if (live === undefined || live === 'forbidden') return undefined;
  const policy = stringAt(objectAt(live, 'spec'), 'persistentVolumeReclaimPolicy') ?? 'Retain';
  if (policy === 'Retain') return undefined;
  await run.noteVolume({ type: 'volume-kept', volume, claim: claim.metadata.name, policy });
  const refused = await setPolicy(run, volume, 'Retain');
  if (refused === undefined) return undefined;
  await run.noteVolume({ type: 'volume-let-go', volume });
  return refused.isForbidden ? undefined : `its volume ${volume} could not be kept: ${refused.words}`;
}

/** Where the new volume is bound, the old one goes as its policy said; where anything is odd, it stays and is told. */
export async function letVolumesGo(run: Run): Promise<void> {
  for (const kept of run.volumes.work?.kept ?? []) {
    const reason = await letGo(run, kept);
    if (reason === undefined) continue;
    run.incomplete++;
    const words = `its volume of before, ${kept.volume}, stays with reclaim policy Retain instead of ${kept.policy}: ${reason}`;
    run.emit({ type: 'incomplete', object: `persistentvolumeclaims/${kept.claim}`, reason: words });
  }
}

async function letGo(run: Run, { volume, claim, policy }: KeptVolume): Promise<string | undefined> {
  const { namespace } = run.planned.plan.target;
  const live = await run.target.get(CLAIMS, { namespace, name: claim });
  if (live === undefined || live === 'forbidden') return 'its claim is not there';
  const bound = stringAt(objectAt(live, 'spec'), 'volumeName');
  const from = stringAt(objectAt(objectAt(live, 'spec'), 'dataSource'), 'name') ?? '';
  if (stringAt(objectAt(live, 'status'), 'phase') !== 'Bound') return 'its claim has no other volume yet';
  if (bound !== volume && !isFillingName(from)) return 'somebody else made its claim again';
  const refused = await setPolicy(run, volume, policy);
  if (refused !== undefined) return refused.words;
  await run.noteVolume({ type: 'volume-let-go', volume });
  return undefined;
}

async function setPolicy(
  run: Run,
  volume: string,
  policy: string,
): Promise<{ readonly isForbidden: boolean; readonly words: string } | undefined> {
  const ref: ObjectRef = { resource: 'persistentvolumes', name: volume };
  const operation = { op: 'replace', path: '/spec/persistentVolumeReclaimPolicy', value: policy } as const;
  const answer = await persist(run, { ref }, () =>
    run.target.patch(VOLUMES, { name: volume }, [operation], { dryRun: false }),
  );
  if (answer.ok === 'ended') return { isForbidden: false, words: answer.end.reason ?? '' };
  if (answer.ok || answer.refused.reason === 'NotFound') return undefined;
  return { isForbidden: answer.refused.status === 403, words: wordsOfRefusal(answer.refused, 'change', ref) };
}
