import type { LabelSelector } from '../../api/label-selector.ts';
import type { KubeObject } from '../object.ts';
import { labelsOf } from './claims.ts';
import { compileLabelSelector } from './selector.ts';
import { chooseByDefault } from './snapshot-class.ts';

/** Which claims are snapshotted at one moment by their driver. */

export interface ClaimGroup {
  readonly className: string;
  /** Finds exactly these claims in their namespace: a VolumeGroupSnapshot names no claims, only labels. */
  readonly selector: LabelSelector;
  /** Sorted. */
  readonly claims: readonly string[];
}

export interface GroupableClaim {
  readonly claim: KubeObject;
  readonly driver: string;
}

const DEFAULT_MARK = 'groupsnapshot.storage.kubernetes.io/is-default-class';

/** Where somebody says himself which claims belong together. */
const OWN_LABELS = ['kubekeeper.dev/volume-group', 'velero.io/volume-group'];

/**
 * `all` are all claims of the namespace. `classes` are the VolumeGroupSnapshotClasses; undefined where none are served. Claims are
 * never labelled for it, since that would change what is archived: what no labels tell apart from the others stays alone.
 */
export function groupClaims(
  wanted: readonly GroupableClaim[],
  all: readonly KubeObject[],
  classes: readonly KubeObject[] | undefined,
): readonly ClaimGroup[] {
  const drivers = [...new Set(wanted.map(({ driver }) => driver))].sort();
  return drivers.flatMap((driver) => {
    const choice = chooseByDefault(driver, classes ?? [], { kind: 'VolumeGroupSnapshotClass', mark: DEFAULT_MARK });
    if (!('className' in choice)) return [];
    const ours = wanted.filter((one) => one.driver === driver).map(({ claim }) => claim);
    return groupsByLabels(ours, all).map((group) => ({ ...group, className: choice.className }));
  });
}

type Group = Omit<ClaimGroup, 'className'>;

/** The largest group that labels can tell, then the largest of what is left. */
function groupsByLabels(ours: readonly KubeObject[], all: readonly KubeObject[]): readonly Group[] {
  const groups: Group[] = [];
  let left = new Set(ours.map(({ metadata }) => metadata.name));
  for (;;) {
    const candidates = selectorsFor(ours.filter(({ metadata }) => left.has(metadata.name)));
    const found = candidates
      .map((selector) => ({ selector, claims: selected(selector, all) }))
      .filter(({ claims }) => claims.length > 1 && claims.every((name) => left.has(name)));
    const isOwn = ({ selector }: Group) => OWN_LABELS.some((key) => Object.hasOwn(selector.matchLabels ?? {}, key));
    found.sort((one, other) => Number(isOwn(other)) - Number(isOwn(one)) || other.claims.length - one.claims.length);
    const [largest] = found;
    if (largest === undefined) return groups;
    groups.push(largest);
    left = left.difference(new Set(largest.claims));
  }
}

function selected(selector: LabelSelector, all: readonly KubeObject[]): readonly string[] {
  const fits = compileLabelSelector(selector);
  return all
    .filter((claim) => fits(labelsOf(claim)))
    .map(({ metadata }) => metadata.name)
    .sort();
}

/** One label with its value, or one label with all its values: in the order of the keys, so that the same claims give the same groups. */
function selectorsFor(claims: readonly KubeObject[]): readonly LabelSelector[] {
  const values = new Map<string, Set<string>>();
  for (const claim of claims) {
    for (const [key, value] of Object.entries(labelsOf(claim))) {
      const known = values.get(key);
      if (known === undefined) values.set(key, new Set([value]));
      else known.add(value);
    }
  }
  return [...values.keys()].sort().flatMap((key): LabelSelector[] => {
    const sorted = [...(values.get(key) ?? [])].sort();
    const each = sorted.map((value) => ({ matchLabels: { [key]: value } }));
    if (OWN_LABELS.includes(key) || sorted.length === 1) return each;
    return [{ matchExpressions: [{ key, operator: 'In', values: sorted }] }, ...each];
  });
}
