import type { Lane } from './publish-lane.ts';
import type { Outages } from './publish-outage.ts';

/**
 * Who may try now. Repositories in good standing share eight places, in the order in which they became due. A try that takes long
 * gives its place up and goes on beside them, so that remotes that hang hold up nobody. Those that failed share four places of their
 * own, and while the whole server is in trouble only one: the probe.
 */

const PLACES = 8;
const PLACES_AFTER_FAILURE = 4;
const TRY_IS_LONG_MS = 3000;
/** Each may hold a pack in memory: so many long ones, then they keep their places. */
const MOST_LONG = 24;

/** Who begins next, or undefined when nobody may. */
export function chooseNext(lanes: Iterable<Lane>, outages: Outages, now: number): Lane | undefined {
  const idle: Lane[] = [];
  const running: Lane[] = [];
  for (const lane of lanes) (lane.isRunning ? running : idle).push(lane);
  const hasPlace = countBusy(running, now) < PLACES;
  const retrying = running.filter((lane) => lane.trouble !== undefined);
  let next: Lane | undefined;
  for (const lane of idle) {
    const isFree = lane.trouble === undefined ? hasPlace && lane.dueAt <= now : mayRetry(lane, retrying, outages, now);
    if (isFree && (next === undefined || orderOf(lane) < orderOf(next))) next = lane;
  }
  return next;
}

function countBusy(running: readonly Lane[], now: number): number {
  const fresh = running.filter((lane) => lane.trouble === undefined);
  const long = fresh.filter((lane) => now - (lane.startedAt ?? now) >= TRY_IS_LONG_MS).length;
  return fresh.length - Math.min(long, MOST_LONG);
}

function mayRetry(lane: Lane, retrying: readonly Lane[], outages: Outages, now: number): boolean {
  const outage = lane.trouble === undefined ? undefined : outages[lane.trouble];
  if (outage?.isDown === true) {
    const isProbed = retrying.some((other) => other.trouble === lane.trouble);
    return !isProbed && now >= outage.probeAt && now >= lane.notBefore;
  }
  return retrying.length < PLACES_AFTER_FAILURE && lane.dueAt <= now;
}

/** Probes go around: the one that was tried longest ago is next, so that one that hangs for itself does not hide the server's return. */
function orderOf(lane: Lane): number {
  return lane.trouble === undefined ? lane.dueAt : lane.triedAt;
}

/** When to choose again if nothing else happens: the next moment at which more may begin than now. */
export function nextChoiceAt(lanes: Iterable<Lane>, outages: Outages, now: number): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (at: number) => {
    if (at > now && at < next) next = at;
  };
  for (const lane of lanes) {
    if (lane.startedAt !== undefined) consider(lane.startedAt + TRY_IS_LONG_MS);
    else if (lane.trouble !== undefined && outages[lane.trouble].isDown) {
      consider(Math.max(outages[lane.trouble].probeAt, lane.notBefore));
    } else consider(lane.dueAt);
  }
  return next;
}
