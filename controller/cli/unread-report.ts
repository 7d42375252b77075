import type { Unread } from '../archive/compare-live.ts';
import { parseManifestPath } from '../core/manifest.ts';
import type { Wanted } from '../history/objects.ts';
import type { LiveLook } from '../open-live.ts';
import { printNote } from './output.ts';

/** Says what a look at the cluster could not compare; true when it could compare all that is wanted. */
export function tellUnread(look: LiveLook, wanted: Wanted): boolean {
  const gaps = unreadOf(look, wanted);
  for (const gap of gaps) {
    printNote(
      `not compared: ${gap.namespace === undefined ? gap.resource : `${gap.resource} in ${gap.namespace}`}: ${gap.reason}`,
    );
  }
  const secrets = unknownSecretsOf(look, wanted);
  if (secrets > 0)
    printNote(
      `secret values of ${secrets} ${secrets === 1 ? 'object' : 'objects'} not compared: ${look.secretsReason ?? 'they are archived without a fingerprint'}`,
    );
  for (const { point, isOtherCluster } of look.drifts) {
    if (isOtherCluster) printNote(`${point.name}: this is the archive of another cluster`);
  }
  return gaps.length === 0 && secrets === 0;
}

export function unreadOf({ drifts }: LiveLook, wanted: Wanted): readonly Unread[] {
  const gaps = drifts.flatMap(({ unread }) => unread).filter(({ resource }) => wanted.mayBeOf(resource));
  return [...new Map(gaps.map((gap) => [`${gap.resource} ${gap.namespace ?? ''}`, gap])).values()];
}

/** How many objects have secret values that nobody here can compare. */
export function unknownSecretsOf({ unknownSecrets }: LiveLook, wanted: Wanted): number {
  return [...unknownSecrets].filter((place) => {
    const slash = place.indexOf('/');
    const { resource = '', name = '' } = parseManifestPath(place.slice(slash + 1)) ?? {};
    return wanted.includes({ resource, name });
  }).length;
}
