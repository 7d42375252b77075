import type { Lane } from './publish-lane.ts';

/** What no remote has yet. */
export interface Backlog {
  readonly repositories: number;
  /** Age of the oldest commit; 0 when nothing waits. */
  readonly oldestMs: number;
  /** '' when nothing waits. */
  readonly oldestRepository: string;
}

/** At `now`, in monotonic milliseconds. */
export function backlogOf(lanes: Iterable<Lane>, now: number): Backlog {
  let [repositories, oldestRepository, since] = [0, '', now];
  for (const { name, waitingSince } of lanes) {
    if (waitingSince === undefined) continue;
    repositories++;
    if (oldestRepository !== '' && waitingSince >= since) continue;
    [oldestRepository, since] = [name, waitingSince];
  }
  return { repositories, oldestMs: now - since, oldestRepository };
}
