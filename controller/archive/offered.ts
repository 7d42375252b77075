import type { Offered } from '../core/vitals.ts';
import type { Coverage } from './coverage.ts';
import type { Publishing } from './publishing.ts';
import type { ResourceStreams } from './resource-streams.ts';
import type { Spaces } from './spaces.ts';

/** What a run can be asked at any moment, for metrics and probes. */
export function offeredBy(
  spaces: Spaces,
  coverage: Coverage,
  streams: ResourceStreams,
  publishing: Publishing | undefined,
): Offered {
  return {
    gaps: () => [...coverage.gaps(), ...streams.gaps],
    unpushed: () => publishing?.waiting ?? [],
    held: () =>
      spaces.all().flatMap(({ name, held }) => (held.size === 0 ? [] : [{ repository: name, deletions: held.size }])),
    repositories: () => spaces.all().length,
    openWindows: () => spaces.all().filter((space) => space.window !== undefined).length,
  };
}
