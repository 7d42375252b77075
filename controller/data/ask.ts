import { failed, recordOfRequest } from '../core/data/observe.ts';
import type { ClaimRecord, DataNote } from '../core/data/record.ts';
import { archiveLabels, groupSnapshotName, RUN_LABEL, snapshotName } from '../core/data/snapshot-names.ts';
import { groupSnapshotRequest, snapshotRequest } from '../core/data/snapshot-objects.ts';
import type { NamespaceVolumes, PlannedClaim, SnapshotPlan } from '../core/data/snapshot-plan.ts';
import { maskLine } from '../core/mask-line.ts';
import { type KubeObject, objectAt } from '../core/object.ts';
import { parseQuantity } from '../core/restore/quantity.ts';
import { type Engine, passing } from './engine.ts';
import { Run } from './run.ts';

/** Asks the cluster for all snapshots of a plan at once. */

/** Names everything, asks for nothing yet. */
export function beginRun({ parts }: Engine, repository: string, after: string, plan: SnapshotPlan): Run {
  const [id, askedAt] = [parts.newRunId(), parts.clock.wall()];
  const record = (planned: PlannedClaim, volumeSnapshot: string, group?: string) =>
    [
      planned.claim.metadata.name,
      recordOfRequest(planned, { volumeSnapshot, askedAt, ...sizeOf(planned.claim), ...(group && { group }) }),
    ] as const;
  const alone = plan.alone.map((planned) => record(planned, snapshotName(planned.claim.metadata.name, id)));
  const grouped = plan.groups.flatMap(({ members, className }, index) => {
    const name = groupSnapshotName(index, id);
    return members.map((planned) => record({ ...planned, className }, name, name));
  });
  const records = new Map([...alone, ...grouped].sort(([left], [right]) => (left < right ? -1 : 1)));
  const note: DataNote = { version: 1, askedAt: new Date(askedAt).toISOString(), skipped: skippedOf(plan) };
  return new Run({ repository, id, askedAt, after, records, note, unasked: records.keys() });
}

/** For the note. */
export function skippedOf({ skipped }: SnapshotPlan): NonNullable<DataNote['skipped']> {
  return Object.fromEntries(skipped.map(({ name, kind, why }) => [name, { kind, why: why.slice(0, LONGEST_WHY) }]));
}

const LONGEST_WHY = 500;

function sizeOf(claim: KubeObject): { readonly size?: number } {
  const status = objectAt(objectAt(claim, 'status'), 'capacity')?.['storage'];
  const spec = objectAt(objectAt(objectAt(claim, 'spec'), 'resources'), 'requests')?.['storage'];
  const bytes = Number((parseQuantity(status ?? spec) ?? -1n) / 1_000_000_000n);
  return Number.isSafeInteger(bytes) && bytes > 0 ? { size: bytes } : {};
}

/** Holds the applications still where hooks say so, then asks. Resolves when everything was taken or refused; a refusal is in the record. */
export async function askFor(
  engine: Engine,
  run: Run,
  plan: SnapshotPlan,
  pods: NamespaceVolumes['pods'],
): Promise<void> {
  const { quiescer } = engine.parts;
  const claims = [...run.records.keys()];
  run.hold = await quiescer?.hold(run.repository, { pods, claims }, engine.signal);
  await Promise.all([
    ...plan.alone.map(({ claim }) => askOne(engine, run, claim.metadata.name)),
    ...plan.groups.map((group) => askGroup(engine, run, group)),
  ]);
}

async function askOne(engine: Engine, run: Run, claim: string): Promise<void> {
  await ask(engine, run, [claim], async () => {
    const served = await engine.cluster.resource('snapshots', engine.signal);
    return [served, snapshotRequest(served, requestOf(engine, run, [claim]), claim)];
  });
}

async function askGroup(engine: Engine, run: Run, { claims, selector }: SnapshotPlan['groups'][number]): Promise<void> {
  await ask(engine, run, claims, async () => {
    const served = await engine.cluster.resource('groups', engine.signal);
    return [served, groupSnapshotRequest(served, requestOf(engine, run, claims), selector)];
  });
}

function requestOf({ parts }: Engine, run: Run, claims: readonly string[]) {
  const records = Object.fromEntries(claims.map((claim) => [claim, run.records.get(claim) as ClaimRecord]));
  const { volumeSnapshot, class: className } = records[claims[0] as string] as ClaimRecord;
  const labels = { ...archiveLabels(parts.archiveId), [RUN_LABEL]: run.id };
  return { namespace: run.repository, name: volumeSnapshot, className, labels, after: run.after, records };
}

type Made = readonly [Parameters<Engine['cluster']['target']['create']>[0], KubeObject];

async function ask(
  { cluster, signal }: Engine,
  run: Run,
  claims: readonly string[],
  make: () => Promise<Made>,
): Promise<void> {
  const refuse = (why: string) => {
    for (const claim of claims) run.records.set(claim, failed(run.records.get(claim) as ClaimRecord, why));
  };
  try {
    const [served, object] = await make();
    const answer = await cluster.target.create(served, object, { dryRun: false, signal });
    if (!answer.ok) refuse(`the API server refused it: ${maskLine(answer.refused.message, 200)}`);
  } catch (error) {
    if (signal.aborted) return;
    refuse(`it could not be asked for: ${maskLine(passing(error).message, 200)}`);
  }
  for (const claim of claims) run.unasked.delete(claim);
}
