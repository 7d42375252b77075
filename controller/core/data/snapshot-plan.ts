import { type KubeObject, objectAt, stringAt } from '../object.ts';
import { claimsInScope } from './claims.ts';
import { type ClaimGroup, groupClaims } from './group-claims.ts';
import type { DataPolicy } from './policy.ts';
import { chooseSnapshotClass, driverOf } from './snapshot-class.ts';

/** What to ask of the cluster for the volumes of one namespace, and what not, with reasons. */

/** Objects as the API server sends them; undefined where a kind is not served or may not be read. */
export interface NamespaceVolumes {
  readonly claims: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  /** PersistentVolumes by name. */
  readonly volumes: ReadonlyMap<string, KubeObject>;
  readonly snapshotClasses: readonly KubeObject[] | undefined;
  readonly groupSnapshotClasses: readonly KubeObject[] | undefined;
}

export interface PlannedClaim {
  readonly claim: KubeObject;
  readonly driver: string;
  readonly className: string;
  readonly reason: string;
}

export interface SkippedClaim {
  readonly name: string;
  readonly kind: 'excluded' | 'impossible';
  readonly why: string;
}

export interface SnapshotPlan {
  /** Each once, in a group or alone; by name. */
  readonly alone: readonly PlannedClaim[];
  readonly groups: readonly (ClaimGroup & { readonly members: readonly PlannedClaim[] })[];
  /** For the note of the commit. */
  readonly skipped: readonly SkippedClaim[];
}

export function planSnapshots(namespace: NamespaceVolumes, policy: DataPolicy): SnapshotPlan {
  const planned: PlannedClaim[] = [];
  const skipped: SkippedClaim[] = [];
  const claims = [...namespace.claims].sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  for (const { claim, verdict, reason } of claimsInScope(claims, namespace.pods, policy.volumes)) {
    const { name } = claim.metadata;
    if (verdict !== 'in') skipped.push({ name, kind: verdict, why: reason });
    else {
      const one = planClaim(claim, reason, namespace, policy);
      if ('why' in one) skipped.push({ name, kind: 'impossible', why: one.why });
      else planned.push(one);
    }
  }
  const classes = policy.groupSnapshots === 'never' ? undefined : namespace.groupSnapshotClasses;
  const groups = groupClaims(planned, namespace.claims, classes).map((group) => ({
    ...group,
    members: planned.filter(({ claim }) => group.claims.includes(claim.metadata.name)),
  }));
  const grouped = new Set(groups.flatMap((group) => group.claims));
  return { alone: planned.filter(({ claim }) => !grouped.has(claim.metadata.name)), groups, skipped };
}

function planClaim(
  claim: KubeObject,
  reason: string,
  { volumes, snapshotClasses }: NamespaceVolumes,
  policy: DataPolicy,
): PlannedClaim | { readonly why: string } {
  const volume = volumes.get(stringAt(objectAt(claim, 'spec'), 'volumeName') ?? '');
  const behind = driverOf(claim, volume);
  if ('reason' in behind) return { why: behind.reason };
  const choice = chooseSnapshotClass(claim, behind.driver, snapshotClasses, policy.classes);
  return 'reason' in choice ? { why: choice.reason } : { claim, ...behind, ...choice, reason };
}
