import type { DataAccess, VolumeData } from '../core/data/volume-data.ts';
import { CLUSTER_REPOSITORY } from '../core/object.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Clock } from '../core/ports.ts';
import { NOTES } from '../git/notes.ts';
import type { Repository } from '../git/repository.ts';
import type { Space } from './space.ts';
import type { Guard, Spaces } from './spaces.ts';

/** The archive's side of the volume data: what it is given of one run. */

export type OpenVolumeData = (access: DataAccess<Repository>) => VolumeData;

export interface VolumeHooks {
  readonly guard: Guard | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Something is in a window. */
  readonly touched: () => void;
  /** There is a new note to push. */
  readonly noted: (repository: string) => void;
  readonly report: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

export function openVolumes(open: OpenVolumeData | undefined, spaces: Spaces, hooks: VolumeHooks) {
  return open?.({
    within: async (name, work) => {
      const space = spaces.get(name);
      if (space === undefined || space.users.isClosed) return undefined;
      using _user = space.users.enter();
      const before = space.repository.ref(NOTES);
      const result = await work(space.repository);
      if (space.repository.ref(NOTES) !== before) hooks.noted(name);
      return result;
    },
    due: (name) => {
      const space = spaces.get(name);
      if (space === undefined || name === CLUSTER_REPOSITORY) return;
      wantSnapshots(space, 'due', hooks.clock.monotonic());
      hooks.touched();
    },
    guard: async () => hooks.guard?.(),
    signal: hooks.signal,
    report: hooks.report,
    fail: hooks.fail,
  });
}

/** `forced`: whatever the interval says. The next commit asks for them; where there is none, one is made for them. */
export function wantSnapshots(space: Space, how: 'due' | 'forced', now: number): void {
  if (space.snapshots !== 'forced') space.snapshots = how;
  space.touch(now);
}
