import { maskLine } from '../mask-line.ts';
import { arrayAt, isJsonObject, type Json, type KubeObject, objectAt, stringAt } from '../object.ts';
import { boundContentOf } from './binding.ts';
import { renderDuration } from './durations.ts';
import type { ClaimRecord } from './record.ts';
import type { PlannedClaim } from './snapshot-plan.ts';

/** From what the cluster says of a snapshot to what the note says. Times are in milliseconds since 1970. */

/** Of a snapshot that is about to be asked for. `size`: bytes of the claim. */
export function recordOfRequest(
  { claim, driver, className }: PlannedClaim,
  request: {
    readonly volumeSnapshot: string;
    readonly askedAt: number;
    readonly size?: number;
    readonly group?: string;
  },
): ClaimRecord {
  const spec = objectAt(claim, 'spec');
  const volumeMode = stringAt(spec, 'volumeMode') === 'Block' ? 'Block' : 'Filesystem';
  const storageClass = stringAt(spec, 'storageClassName');
  return {
    uid: stringAt(claim.metadata, 'uid') ?? '',
    volumeSnapshot: request.volumeSnapshot,
    driver,
    class: className,
    state: 'pending',
    askedAt: new Date(request.askedAt).toISOString(),
    volumeMode,
    accessModes: arrayAt(spec, 'accessModes').filter((mode) => typeof mode === 'string'),
    ...(storageClass === undefined || storageClass === '' ? {} : { storageClass }),
    ...(request.size === undefined ? {} : { size: request.size }),
    ...(request.group === undefined ? {} : { group: request.group }),
  };
}

export interface Observed {
  /** Undefined: there is none (any more). */
  readonly snapshot: KubeObject | undefined;
  readonly content: KubeObject | undefined;
  /** Of a group: the VolumeGroupSnapshotContent's handle. */
  readonly groupHandle?: string | undefined;
  readonly now: number;
  /** After so long without being ready it has failed. */
  readonly timeoutMs: number;
}

/** The record as it is now. Only what is pending changes: once ready or failed, it is decided. */
export function observe(
  record: ClaimRecord,
  { snapshot, content, groupHandle, now, timeoutMs }: Observed,
): ClaimRecord {
  if (record.state !== 'pending') return record;
  const known = { ...record, ...(groupHandle === undefined ? {} : { groupHandle }), ...factsOf(snapshot, content) };
  // A driver that says nothing of readiness has not said that it is ready.
  const isReady = [snapshot, content].some((one) => one !== undefined && statusOf(one)?.['readyToUse'] === true);
  if (isReady && known.handle !== undefined) {
    const { why: _, ...ready } = known;
    return { ...ready, state: 'ready', readyAt: new Date(now).toISOString() };
  }
  if (snapshot === undefined && content === undefined) {
    return failed(known, 'the VolumeSnapshot was deleted before it was ready');
  }
  const message = [snapshot, content].map(errorOf).find((one) => one !== undefined);
  const told = message === undefined ? '' : `: ${message}`;
  if (now - Date.parse(record.askedAt) >= timeoutMs) {
    return failed(known, `not ready after ${renderDuration(timeoutMs)}${told}`);
  }
  // Errors on the way are often gone at the driver's next try.
  return message === undefined ? known : { ...known, why: message };
}

export function failed(record: ClaimRecord, why: string): ClaimRecord {
  return { ...record, state: 'failed', why: why.slice(0, LONGEST_WHY) };
}

const LONGEST_WHY = 500;

function factsOf(snapshot: KubeObject | undefined, content: KubeObject | undefined): Partial<ClaimRecord> {
  const [theirs, ours] = [statusOf(content), statusOf(snapshot)];
  const facts = {
    content: content?.metadata.name ?? boundContentOf(snapshot),
    handle: stringAt(theirs, 'snapshotHandle'),
    groupHandle: stringAt(theirs, 'volumeGroupSnapshotHandle'),
    creationTime: timeOf(theirs?.['creationTime']) ?? stringAt(ours, 'creationTime'),
    restoreSize: bytesOf(theirs?.['restoreSize']),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined));
}

function statusOf(object: KubeObject | undefined) {
  return objectAt(object, 'status');
}

function errorOf(object: KubeObject | undefined): string | undefined {
  const message = stringAt(objectAt(statusOf(object), 'error'), 'message');
  return message === undefined ? undefined : maskLine(inDriversWords(message), 200);
}

/** The snapshotter wraps what the driver said into what it was doing, with handles of volumes. */
function inDriversWords(message: string): string {
  const [, code, words] = /rpc error: code = (\w+) desc = (.+?)"?$/m.exec(message) ?? [];
  return code === undefined || words === undefined ? message : `${words} (${code})`;
}

/** A content tells nanoseconds since 1970, more than a double can hold. */
function timeOf(value: Json | undefined): string | undefined {
  const text = digitsOf(value);
  return text === undefined || text.length < 18 ? undefined : new Date(Number(BigInt(text) / 1_000_000n)).toISOString();
}

function bytesOf(value: Json | undefined): number | undefined {
  const bytes = Number(digitsOf(value) ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function digitsOf(value: Json | undefined): string | undefined {
  const text = typeof value === 'number' ? String(value) : JSON.isRawJSON(value) ? value.rawJSON : undefined;
  return text !== undefined && !isJsonObject(value) && /^\d{1,19}$/.test(text) ? text : undefined;
}
