import type { Change } from '../core/change.ts';
import type { Clock } from '../core/ports.ts';
import type { Coverage } from './coverage.ts';
import { newerThan } from './lines-retake.ts';
import type { ListInProgress } from './resource-streams.ts';
import type { ScaleTargets } from './scale-targets.ts';
import type { Spaces } from './spaces.ts';
import { boundStage } from './spill.ts';
import type { Storage } from './storage.ts';
import { sweepUnseen } from './sweep.ts';
import { type Intake, takeApplied, takeDeleted } from './take.ts';
import { isDefinition } from './vanished.ts';

/** What one change does, whether it comes from a watch or from a list. */

export interface Taking {
  readonly intake: Intake;
  readonly spaces: Spaces;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly scaled: ScaleTargets;
  readonly coverage: Coverage;
}

export function openTaking(
  { rules, sealer, clock }: Pick<Intake, 'rules' | 'sealer' | 'clock'>,
  { scope, includeOwned }: Pick<Intake, 'scope' | 'includeOwned'>,
  { tally, ...shared }: Pick<Taking, 'spaces' | 'storage' | 'scaled' | 'coverage'> & Pick<Intake, 'tally'>,
): Taking {
  const { spaces, storage, scaled, coverage } = shared;
  const intake: Intake = {
    ...{ spaces, storage, scope, rules, sealer, clock, tally, includeOwned },
    isScaleTarget: (target) => scaled.has(target),
    isArchived: (group, kind) => coverage.isArchived(group, kind),
  };
  return { ...shared, clock, intake };
}

/** `list`: the one under way, which remembers what it named. */
export async function takeChange(
  { intake, spaces, storage, clock, scaled, coverage }: Taking,
  change: Exclude<Change, { readonly type: 'listing' | 'skipped' }>,
  list: ListInProgress | undefined,
): Promise<void> {
  switch (change.type) {
    case 'applied': {
      scaled.note(change.resource, change.object);
      if (isDefinition(change.resource)) coverage.noteDefinition(change.object.metadata.name);
      const place = await takeApplied(intake, change.resource, change.object, { isListed: list !== undefined });
      if (list !== undefined && place !== undefined) {
        list.seen.add(place);
        list.objects++;
      }
      await boundStage(spaces, storage);
      break;
    }
    case 'deleted':
      scaled.forget(change.resource, change.object);
      await takeDeleted(intake, change.resource, change.object);
      break;
    case 'synced':
      if (list !== undefined) {
        const newer = await newerThan(spaces, change);
        sweepUnseen(spaces, { ...change, ...list, newer }, clock.monotonic());
      }
      break;
    default:
      change satisfies never;
  }
}
