import {
  arrayAt,
  groupOf,
  type Json,
  type JsonObject,
  type KubeObject,
  type Resource,
  renderRef,
} from '../core/object.ts';
import { type LateWork, stepKey } from '../core/restore/journal.ts';
import type { PatchOperation } from '../core/restore/ports.ts';
import type { OwnerLink } from '../core/restore/prepare.ts';
import { sideBySide } from '../core/streams.ts';
import { wordsOfRefusal } from './refusals.ts';
import type { Run } from './run.ts';
import { waitFor } from './waits.ts';

/** What is put back once everything lives: the owners of objects, by their new uids, and then the finalizers. */

const SIDE_BY_SIDE = 16;
const MOST_TRIES = 8;

export async function completeObjects(run: Run): Promise<void> {
  const works = [...run.late].filter(([key]) => !run.undone.has(key)).map(([, work]) => work);
  const owners = new Owners(run);
  for (const part of ['owners', 'finalizers'] as const) {
    await sideBySide(
      works.filter((work) => work[part].length > 0),
      SIDE_BY_SIDE,
      async (work) => {
        if (run.isStopped) return incomplete(run, work, `the restore was stopped before its ${part} were put back`);
        try {
          const reason = part === 'owners' ? await link(run, work, owners) : await addFinalizers(run, work);
          if (reason !== undefined) incomplete(run, work, reason);
          else if (part === 'finalizers' || work.finalizers.length === 0)
            await run.journal.append({ type: 'late-ended', step: stepKey(work) });
        } catch (error) {
          incomplete(run, work, run.failureOf(error).reason ?? 'the restore was stopped');
        }
      },
    );
  }
}

function incomplete(run: Run, { ref }: LateWork, reason: string): void {
  run.incomplete++;
  run.emit({ type: 'incomplete', object: renderRef(ref), reason });
}

async function link(run: Run, work: LateWork, owners: Owners): Promise<string | undefined> {
  const references: JsonObject[] = [];
  const missing: string[] = [];
  for (const owner of work.owners) {
    const uid = await owners.uidOf(owner, work);
    if (uid === undefined) missing.push(`${owner.kind} ${owner.name}`);
    else references.push(referenceTo(owner, uid));
  }
  const failure =
    references.length === 0 ? undefined : await add(run, work, 'ownerReferences', references, isSameOwner);
  if (failure !== undefined) return failure;
  return missing.length === 0 ? undefined : `its owner does not live: ${missing.join(', ')}`;
}

function addFinalizers(run: Run, work: LateWork): Promise<string | undefined> {
  return add(run, work, 'finalizers', [...work.finalizers], (left, right) => left === right);
}

function referenceTo({ apiVersion, kind, name, controller, blockOwnerDeletion }: OwnerLink, uid: string): JsonObject {
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  };
}

function isSameOwner(left: Json, right: Json): boolean {
  return (left as JsonObject)['uid'] === (right as JsonObject)['uid'];
}

/** Adds to a list of the metadata what it lacks. Why it could not, in words. */
async function add(
  run: Run,
  work: LateWork,
  field: 'ownerReferences' | 'finalizers',
  values: readonly Json[],
  isSame: (left: Json, right: Json) => boolean,
): Promise<string | undefined> {
  const { resource, place, ref } = work;
  const what = field === 'finalizers' ? 'finalizers' : 'owners';
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const live = await run.target.get(resource, place);
    if (live === undefined) return 'it does not live any more';
    if (live === 'forbidden') return `its ${what} could not be put back: it may not be read`;
    if (live.metadata['deletionTimestamp'] !== undefined) return `its ${what} were not put back: it is being deleted`;
    const lacking = values.filter((value) => !arrayAt(live.metadata, field).some((one) => isSame(one, value)));
    if (lacking.length === 0) return undefined;
    const answer = await run.target.patch(resource, place, additions(live, field, lacking), { dryRun: false });
    if (answer.ok) return undefined;
    const { status, reason, causes } = answer.refused;
    const isStale = reason === 'Conflict' || (status === 422 && causes.length === 0);
    if (!isStale) return `its ${what} could not be put back: ${wordsOfRefusal(answer.refused, 'change', ref)}`;
  }
  return `its ${what} could not be put back: it is changed all the time`;
}

function additions(live: KubeObject, field: string, lacking: readonly Json[]): readonly PatchOperation[] {
  const path = `/metadata/${field}`;
  const guard = {
    op: 'test',
    path: '/metadata/resourceVersion',
    value: live.metadata['resourceVersion'] ?? '',
  } as const;
  const present = arrayAt(live.metadata, field);
  return [guard, { op: 'add', path, value: [...present, ...lacking] }];
}

/** Each owner is looked up once; one that somebody else makes is waited for, all of them together. */
class Owners {
  readonly #run: Run;
  readonly #known = new Map<string, Promise<string | undefined>>();
  readonly #since: number;

  constructor(run: Run) {
    this.#run = run;
    this.#since = run.clock.monotonic();
  }

  uidOf(owner: OwnerLink, work: LateWork): Promise<string | undefined> {
    const key = [owner.apiVersion, owner.kind, work.place.namespace ?? '', owner.name].join(' ');
    const known = this.#known.get(key) ?? this.#find(owner, work);
    this.#known.set(key, known);
    return known;
  }

  async #find({ apiVersion, kind, name }: OwnerLink, { place }: LateWork): Promise<string | undefined> {
    const run = this.#run;
    const { resources } = await run.catalogue();
    const resource: Resource | undefined = resources.find(
      (one) => one.kind === kind && one.group === groupOf(apiVersion),
    );
    if (resource === undefined || (resource.namespaced && place.namespace === undefined)) return undefined;
    const at = resource.namespaced && place.namespace !== undefined ? { namespace: place.namespace, name } : { name };
    const look = async () => {
      const live = await run.target.get(resource, at);
      return typeof live === 'object' ? { value: live } : `${kind} ${name}, an owner, to live`;
    };
    const waited = await waitFor(run, run.limits.ownerMs, look, { since: this.#since });
    const live = waited.is === 'there' ? waited.value : undefined;
    return live?.metadata['deletionTimestamp'] === undefined
      ? (live?.metadata['uid'] as string | undefined)
      : undefined;
  }
}
