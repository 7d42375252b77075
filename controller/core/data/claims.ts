import { arrayAt, type KubeObject, objectAt, stringAt } from '../object.ts';
import type { VolumePolicy } from './policy.ts';
import type { Labels } from './selector.ts';

/** Which claims are snapshotted, each with a reason in words. Velero's and k8up's words are understood where ours are absent. */

export interface ClaimVerdict {
  readonly claim: KubeObject;
  /** in: to be snapshotted · excluded: somebody said so, or there is nothing to save · impossible: there is, and it cannot be saved. */
  readonly verdict: 'in' | 'excluded' | 'impossible';
  /** 'bound', 'excluded by annotation kubekeeper.dev/snapshot', 'not bound yet'. */
  readonly reason: string;
}

type Verdict = Omit<ClaimVerdict, 'claim'>;

/** `claims` and `pods` of one namespace, as the API server sends them. Whether a driver can snapshot is not looked at here. */
export function claimsInScope(
  claims: readonly KubeObject[],
  pods: readonly KubeObject[],
  policy: VolumePolicy,
): readonly ClaimVerdict[] {
  const wishes = wishesOfPods(pods);
  return claims.map((claim) => ({ claim, ...verdictOn(claim, wishes.get(claim.metadata.name), policy) }));
}

function verdictOn(claim: KubeObject, wish: Verdict | undefined, policy: VolumePolicy): Verdict {
  return stateVerdict(claim) ?? ownVerdict(claim) ?? wish ?? policyVerdict(claim, policy);
}

function stateVerdict(claim: KubeObject): Verdict | undefined {
  const phase = stringAt(objectAt(claim, 'status'), 'phase') ?? 'unknown';
  if (phase === 'Lost') return { verdict: 'impossible', reason: 'its volume is lost' };
  if (phase !== 'Bound') return { verdict: 'excluded', reason: `not bound yet (${phase})` };
  // The snapshotter holds a claim by a finalizer, which one that is being deleted does not take any more.
  if (stringAt(claim.metadata, 'deletionTimestamp') !== undefined) {
    return { verdict: 'excluded', reason: 'being deleted' };
  }
  const pod = arrayAt(claim.metadata, 'ownerReferences').find((owner) => stringAt(owner, 'kind') === 'Pod');
  if (pod !== undefined)
    return { verdict: 'excluded', reason: `goes with its pod ${stringAt(pod, 'name') ?? ''}`.trim() };
  return undefined;
}

/** Ours first, then those that people have on their claims already. `opposite`: true means not. */
const MARKS: readonly { readonly key: string; readonly opposite?: true }[] = [
  { key: 'kubekeeper.dev/snapshot' },
  { key: 'velero.io/exclude-from-backup', opposite: true },
  { key: 'k8up.io/backup' },
];

function ownVerdict(claim: KubeObject): Verdict | undefined {
  for (const { key, opposite } of MARKS) {
    for (const kind of ['annotation', 'label'] as const) {
      const value = stringAt(objectAt(claim.metadata, `${kind}s`), key)?.toLowerCase();
      // Velero's label only ever excludes.
      if (value === (opposite ? 'true' : 'false')) return { verdict: 'excluded', reason: `excluded by ${kind} ${key}` };
      if (value === 'true') return { verdict: 'in', reason: `asked for by ${kind} ${key}` };
    }
  }
  return undefined;
}

const OPT_IN = 'backup.velero.io/backup-volumes';
const OPT_OUT = 'backup.velero.io/backup-volumes-excludes';

/** By claim: what annotations on pods say of volumes. Where pods disagree the data is kept. */
function wishesOfPods(pods: readonly KubeObject[]): ReadonlyMap<string, Verdict> {
  const wishes = new Map<string, Verdict>();
  for (const pod of pods) {
    const annotations = objectAt(pod.metadata, 'annotations');
    const [wanted, unwanted] = [namesIn(stringAt(annotations, OPT_IN)), namesIn(stringAt(annotations, OPT_OUT))];
    for (const volume of arrayAt(objectAt(pod, 'spec'), 'volumes')) {
      const claim = stringAt(objectAt(volume, 'persistentVolumeClaim'), 'claimName');
      const name = stringAt(volume, 'name') ?? '';
      if (claim === undefined) continue;
      const told = (word: string, key: string) => `${word} by annotation ${key} of pod ${pod.metadata.name}`;
      if (wanted.has(name)) wishes.set(claim, { verdict: 'in', reason: told('asked for', OPT_IN) });
      else if (unwanted.has(name) && wishes.get(claim)?.verdict !== 'in') {
        wishes.set(claim, { verdict: 'excluded', reason: told('excluded', OPT_OUT) });
      }
    }
  }
  return wishes;
}

function namesIn(list: string | undefined): ReadonlySet<string> {
  return new Set((list ?? '').split(',').map((name) => name.trim()));
}

function policyVerdict(claim: KubeObject, policy: VolumePolicy): Verdict {
  if (policy.default === 'None')
    return { verdict: 'excluded', reason: 'volumes.default is None and nothing asks for it' };
  if (!policy.isSelected(labelsOf(claim))) {
    return { verdict: 'excluded', reason: 'its labels are not those of volumes.labelSelector' };
  }
  return { verdict: 'in', reason: 'bound' };
}

export function labelsOf(object: KubeObject): Labels {
  const labels = Object.entries(objectAt(object.metadata, 'labels') ?? {});
  return Object.fromEntries(labels.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
