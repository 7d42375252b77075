import { type ObjectRef, type Resource, renderRef } from '../object.ts';
import type { Filling } from './fill-objects.ts';
import { OpenVolumeWork } from './open-volume-work.ts';
import type { Action, PlanTarget, Selection } from './plan.ts';
import type { ObjectPlace } from './ports.ts';
import type { OwnerLink } from './prepare.ts';

/** What a restore writes down about itself, so that one that was stopped can be gone on with. Never what is in an object. */

export interface RestoreHeader {
  readonly version: 1;
  readonly id: string;
  /** RFC 3339. */
  readonly started: string;
  readonly plan: string;
  readonly repository: string;
  /** The directory that was restored from, where it was named; undefined: the data directory's own. */
  readonly from?: string;
  readonly commit: string;
  readonly target: PlanTarget;
  readonly selection: Selection;
  /** Of `target.asUser`. */
  readonly asGroups?: readonly string[];
  /** What the target calls otherwise; undefined: nothing. */
  readonly mappings?: RestoreMappings;
  /** By which live was compared with the archive; undefined in journals of earlier versions. */
  readonly rules?: RestoreRules;
  /** What everything was like before; undefined when there was nothing to keep. */
  readonly safetyTag?: string;
  /** The restore that this one goes on with. */
  readonly resumes?: string;
}

export interface RestoreRules {
  /** As `RuleSet.version`: a digest of the user's own stands behind a plus sign. */
  readonly version: string;
  /** The user's own, as a whole path; undefined: none. */
  readonly file?: string;
  readonly includeOwned: boolean;
}

export interface RestoreMappings {
  readonly storageClasses: readonly (readonly [from: string, to: string])[];
  readonly hosts?: readonly (readonly [from: string, to: string])[] | 'clear';
  readonly images: readonly (readonly [from: string, to: string])[];
}

export type StepResult =
  | 'done'
  /** The server refuses it. */
  | 'failed'
  /** It waited for something that did not come in time. */
  | 'timed-out'
  /** Live is not what was planned for any more; nothing was overwritten. */
  | 'moved'
  /** A step that it needs was not done. */
  | 'blocked'
  /** The restore was stopped first. */
  | 'not-begun';

/** What is added to an object once everything that it names lives. */
export interface LateWork {
  readonly ref: ObjectRef;
  readonly resource: Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced'>;
  readonly place: ObjectPlace;
  readonly owners: readonly OwnerLink[];
  readonly finalizers: readonly string[];
}

/** A workload that was scaled to zero, and what it had. */
export interface ScaledWork {
  readonly ref: ObjectRef;
  readonly resource: Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced'>;
  readonly replicas: number;
}

/** A volume that is kept until the new one is there, and what its reclaim policy was. */
export interface KeptVolume {
  readonly volume: string;
  readonly claim: string;
  readonly policy: string;
}

/** What a restore has in the cluster beside the objects that it restores, and takes away in the end. */
export interface VolumeWork {
  readonly fillings: readonly Filling[];
  readonly scaled: readonly ScaledWork[];
  readonly kept: readonly KeptVolume[];
}

export type JournalEntry =
  | { readonly type: 'wave'; readonly wave: string }
  | { readonly type: 'begun'; readonly step: string; readonly action: Action; readonly path?: string }
  | { readonly type: 'ended'; readonly step: string; readonly result: StepResult }
  | ({ readonly type: 'late'; readonly step: string } & Omit<LateWork, 'ref'> & { readonly ref: ObjectRef })
  | { readonly type: 'late-ended'; readonly step: string }
  /** Written before the objects are there that a claim is filled through, and after they are gone. */
  | ({ readonly type: 'filling' } & Filling)
  | { readonly type: 'filled'; readonly claim: string }
  /** Written before it is scaled to zero, and after it has its replicas again. */
  | ({ readonly type: 'scaled' } & ScaledWork)
  | { readonly type: 'scaled-back'; readonly ref: ObjectRef }
  /** Written before its reclaim policy is changed, and after it has its own again. */
  | ({ readonly type: 'volume-kept' } & KeptVolume)
  | { readonly type: 'volume-let-go'; readonly volume: string }
  /** `finished`: nothing is left to be gone on with. */
  | { readonly type: 'closed'; readonly as: 'finished' | 'stopped' | 'resumed' };

/** One restore's; a port of the flow. */
export interface RestoreJournal {
  /** In the file before this resolves, so that it survives the process; `durable`: on the disk as well. */
  append(entry: JournalEntry, durable?: boolean): Promise<void>;
}

/** How a journal names a step's object: 'configmaps/app', with its namespace in front as 'shop configmaps/app'. */
export function stepKey({ ref }: { readonly ref: ObjectRef }): string {
  return ref.namespace === undefined ? renderRef(ref) : `${ref.namespace} ${renderRef(ref)}`;
}

/** What a journal tells. */
export interface RestoreRecord {
  readonly header: RestoreHeader;
  readonly steps: ReadonlyMap<
    string,
    { readonly action: Action; readonly path?: string; readonly result?: StepResult }
  >;
  /** Named and not done yet. */
  readonly late: readonly LateWork[];
  /** Undefined: nothing. */
  readonly volumes?: VolumeWork;
  readonly closed: 'finished' | 'stopped' | 'resumed' | undefined;
}

/** The lines of a journal, the header first. The last line may be cut: the process ended in it. Throws SyntaxError when another is. */
export function readJournal(text: string): RestoreRecord {
  const lines = text.split('\n').filter((line) => line !== '');
  const isWhole = text.endsWith('\n');
  const [first, ...rest] = isWhole ? lines : lines.slice(0, -1);
  if (first === undefined) throw new SyntaxError('it has no header');
  const header = JSON.parse(first) as RestoreHeader;
  if (header.version !== 1)
    throw new SyntaxError(`it is of version ${String(header.version)}, and this kubekeeper knows version 1`);
  const steps = new Map<string, { action: Action; path?: string; result?: StepResult }>();
  const late = new Map<string, LateWork>();
  const volumes = new OpenVolumeWork();
  let closed: RestoreRecord['closed'];
  for (const line of rest) {
    const entry = JSON.parse(line) as JournalEntry;
    if (entry.type === 'begun') {
      const { step, type, ...known } = entry;
      steps.set(step, known);
    } else if (entry.type === 'ended') {
      const known = steps.get(entry.step);
      if (known !== undefined) known.result = entry.result;
    } else if (entry.type === 'late') {
      const { step, type, ...work } = entry;
      late.set(step, work);
    } else if (entry.type === 'late-ended') late.delete(entry.step);
    else if (entry.type === 'closed') closed = entry.as;
    else if (entry.type !== 'wave') volumes.take(entry);
  }
  const open = volumes.work;
  return { header, steps, late: [...late.values()], ...(open === undefined ? {} : { volumes: open }), closed };
}
