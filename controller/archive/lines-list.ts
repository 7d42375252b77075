import { CLUSTER_REPOSITORY, type Resource, resourceName } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { RetakeParts } from './lines-retake.ts';
import type { Space } from './space.ts';
import type { Spaces } from './spaces.ts';
import { boundStage } from './spill.ts';
import type { Storage } from './storage.ts';
import { sweepUnseen } from './sweep.ts';
import { type Intake, takeApplied } from './take.ts';
import { Tally } from './tally.ts';

export interface ListParts extends Pick<RetakeParts, 'cluster' | 'clock' | 'labelSelector' | 'once'> {
  readonly spaces: Spaces;
  readonly storage: Storage;
  readonly intake: Intake;
  /** What is listed now. */
  readonly resources: () => readonly Resource[];
}

/** A Namespace lies in its own repository. */
function isClusterWide(resource: Resource): boolean {
  return !resource.namespaced && resourceName(resource) !== 'namespaces';
}

/** How the list of one namespace is taken: into its own repository alone, as any list, and counted by none. */
export function retakePartsOf(
  space: Space,
  parts: ListParts & Pick<RetakeParts, 'doubt'>,
  report: (outcome: Outcome) => void,
): RetakeParts {
  const { name: namespace } = space;
  const { resources, spaces, storage, clock } = parts;
  // The watches have counted these objects.
  const intake = { ...parts.intake, tally: new Tally() };
  return {
    ...parts,
    namespace,
    resources: resources().filter((resource) => isClusterWide(resource) === (namespace === CLUSTER_REPOSITORY)),
    take: async (change, seen) => {
      if (change.type === 'synced') sweepUnseen(spaces, { ...change, namespace, seen }, clock.monotonic());
      if (change.type !== 'applied') return undefined;
      const place = await takeApplied(intake, change.resource, change.object, { into: space });
      await boundStage(spaces, storage);
      return place;
    },
    skipped: (resource, { message: reason, code }) =>
      report({ type: 'skipped', resource: resourceName(resource), namespace, reason, code }),
  };
}
