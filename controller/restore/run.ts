import {
  arrayAt,
  isJsonObject,
  type KubeObject,
  type ObjectRef,
  objectAt,
  type Resource,
  type ResourceName,
  renderRef,
  resourceName,
} from '../core/object.ts';
import type { Catalogue, Clock } from '../core/ports.ts';
import {
  type JournalEntry,
  type LateWork,
  type RestoreJournal,
  type StepResult,
  stepKey,
} from '../core/restore/journal.ts';
import { OpenVolumeWork, type VolumeEntry } from '../core/restore/open-volume-work.ts';
import type { Step } from '../core/restore/plan.ts';
import type { RestoreTarget } from '../core/restore/ports.ts';
import { Queue } from '../core/streams.ts';
import { type ErrorCode, KeeperError } from '../errors.ts';
import { ended, type RestoreEvent, type StepEnd } from './events.ts';
import { Sources } from './sources.ts';
import type { PlannedRestore } from './work.ts';

/** What the steps of one restore share. */

export interface ApplyParts {
  readonly target: RestoreTarget;
  readonly journal: RestoreJournal;
  readonly clock: Clock;
  /** Of the history that a namespace which is made again goes on with; without it, a new one begins. */
  readonly line?: {
    /** Before it is made. */
    making(): Promise<void>;
    made(uid: string): Promise<void>;
  };
}

export interface ApplyLimits {
  /** For an object, or a namespace, to be gone. */
  readonly goneMs: number;
  /** For a definition to be established and served. */
  readonly definitionMs: number;
  /** For what the server says will pass: a quota that is not counted yet, a webhook that nobody answers for. */
  readonly readyMs: number;
  /** For an owner that somebody else makes. */
  readonly ownerMs: number;
  /** For a snapshot to be ready; a snapshot controller waits up to 5 min between its tries. */
  readonly snapshotMs: number;
  /** For a snapshot that the driver says it does not have. */
  readonly unknownMs: number;
  /** For a filled claim to be bound. */
  readonly boundMs: number;
  /** For the pod of a claim that waits for its first consumer. */
  readonly consumerMs: number;
}

export const LIMITS: ApplyLimits = {
  ...{ goneMs: 300_000, definitionMs: 60_000, readyMs: 60_000, ownerMs: 10_000 },
  ...{ snapshotMs: 600_000, unknownMs: 30_000, boundMs: 300_000, consumerMs: 10_000 },
};

/** Nobody can be spoken to, or nothing written down: no step would fare better. */
const ENDING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLUSTER_UNREACHABLE',
  'CREDENTIALS_REFUSED',
  'DATA_DIRECTORY_UNUSABLE',
]);

export class Run {
  readonly target: RestoreTarget;
  readonly planned: PlannedRestore;
  readonly journal: RestoreJournal;
  readonly clock: Clock;
  readonly line: ApplyParts['line'];
  readonly limits: ApplyLimits;
  readonly signal: AbortSignal;
  readonly events = new Queue<RestoreEvent>();
  /** By key of their step. */
  readonly late = new Map<string, LateWork>();
  /** What is in the cluster beside the objects, to be taken away. */
  readonly volumes = new OpenVolumeWork();
  /** What claims are filled from. */
  readonly sources = new Sources(this);
  /** Objects that claims are filled from and that this very run made, by resource and name. */
  readonly fillings = new Map<string, KubeObject>();
  /** Claims whose data should have been replaced and was not. */
  readonly unreplaced = new Set<string>();
  /** Keys of steps that were not done: there is nothing to complete. */
  readonly undone = new Set<string>();
  /** What the definitions serve that this restore brought. */
  readonly defined = new Set<ResourceName>();
  /** When each kind of waiting began that all steps share, on the monotonic clock. */
  readonly waitingSince = new Map<string, number>();
  readonly counts: Record<StepResult, number> = {
    done: 0,
    failed: 0,
    'timed-out': 0,
    moved: 0,
    blocked: 0,
    'not-begun': 0,
  };
  incomplete = 0;
  stoppedBy: 'abort' | KeeperError | undefined;
  readonly #missing = new Map<string, string>();
  readonly #madeNamespaces = new Set<string>();
  readonly #lists = new Map<ResourceName, ReturnType<RestoreTarget['list']>>();
  #catalogue: Promise<Catalogue> | undefined;

  constructor(parts: ApplyParts, planned: PlannedRestore, limits: ApplyLimits, signal: AbortSignal) {
    this.target = parts.target;
    this.journal = parts.journal;
    this.clock = parts.clock;
    this.line = parts.line;
    this.planned = planned;
    this.limits = limits;
    this.signal = signal;
  }

  get isStopped(): boolean {
    if (this.signal.aborted) this.stoppedBy ??= 'abort';
    return this.stoppedBy !== undefined;
  }

  emit(event: RestoreEvent): void {
    this.events.push(event);
  }

  /** Durable. A journal that takes nothing ends the restore. */
  async note(entry: JournalEntry): Promise<void> {
    try {
      await this.journal.append(entry, true);
    } catch (error) {
      this.failureOf(error);
    }
  }

  /** On the disk before it is done. Throws what the journal throws. */
  async noteVolume(entry: VolumeEntry): Promise<void> {
    await this.journal.append(entry, true);
    this.volumes.take(entry);
  }

  end(step: Step, end: StepEnd): void {
    if (end.result !== 'done') this.undone.add(stepKey(step));
    this.counts[end.result]++;
    this.emit({ type: 'step', step, ...end });
  }

  /** What others need was not made. */
  noteMissing({ ref }: Pick<Step, 'ref'>, reason: string): void {
    this.#missing.set(renderRef(ref), reason);
  }

  /** Why a step cannot be done: its namespace, or the definition of its resource. */
  missingFor({ ref }: Pick<Step, 'ref'>): string | undefined {
    const needs = [`customresourcedefinitions.apiextensions.k8s.io/${ref.resource}`];
    if (ref.namespace !== undefined) needs.push(`namespaces/${ref.namespace}`);
    const missing = needs.find((need) => this.#missing.has(need));
    return missing === undefined ? undefined : `it needs ${missing}: ${this.#missing.get(missing)}`;
  }

  noteMade(ref: ObjectRef): void {
    if (ref.resource === 'namespaces') this.#madeNamespaces.add(ref.name);
  }

  noteDefined(definition: KubeObject): void {
    const isServed = arrayAt(objectAt(definition, 'spec'), 'versions').some(
      (one) => isJsonObject(one) && one['served'] === true,
    );
    if (isServed) this.defined.add(definition.metadata.name);
  }

  /** In a namespace that this restore made, controllers make some objects before their turn comes; these are nobody's change. */
  mayAdopt({ action, ref }: Step): boolean {
    return action === 'create' && ref.namespace !== undefined && this.#madeNamespaces.has(ref.namespace);
  }

  /** As it is served now, where the plan knew it only by its definition. */
  async served(resource: Resource): Promise<Resource> {
    if (resource.verbs.length > 0) return resource;
    const { resources } = await this.catalogue();
    const name = resourceName(resource);
    const found = resources.find((one) => resourceName(one) === name);
    return found === undefined ? resource : { ...found, version: resource.version };
  }

  catalogue(): Promise<Catalogue> {
    this.#catalogue ??= this.target.discover({ pinned: new Map<ResourceName, string>() }).catch((error: unknown) => {
      this.forgetCatalogue();
      throw error;
    });
    return this.#catalogue;
  }

  /** What is served is asked anew. */
  forgetCatalogue(): void {
    this.#catalogue = undefined;
  }

  /** All of one resource as somebody first found it: for many claims that ask the same, and where what this restore makes counts for nothing. */
  listed(resource: Resource): ReturnType<RestoreTarget['list']> {
    const name = resourceName(resource);
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const list = this.target.list(resource, {});
    this.#lists.set(name, list);
    list.catch(() => this.#lists.delete(name));
    return list;
  }

  /** What to say of the step that it ended; some end the whole restore. Throws defects. */
  failureOf(error: unknown): StepEnd {
    if (this.isAbort(error))
      return ended('failed', 'the restore was stopped in the middle of it; it may have been done');
    if (!(error instanceof KeeperError) || error.kind === 'defect') throw error;
    if (ENDING.has(error.code)) this.stoppedBy ??= error;
    return ended('failed', error.message);
  }

  isAbort(error: unknown): boolean {
    return this.signal.aborted && error === this.signal.reason;
  }
}

/** A namespaced object always says where it lives. */
export function placed(object: KubeObject, resource: Resource, namespace: string): KubeObject {
  if (!resource.namespaced || object.metadata['namespace'] !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
