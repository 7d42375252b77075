import { difference } from '../core/diff.ts';
import { endingOf } from '../core/ending.ts';
import { renderJson } from '../core/json.ts';
import {
  groupOf,
  type Json,
  type KubeObject,
  type ObjectRef,
  objectAt,
  parseResourceName,
  type Resource,
  type ResourceName,
} from '../core/object.ts';
import { setAt, valueAt } from '../core/pointer.ts';
import { digestOf } from '../core/restore/digest.ts';
import { managedBy } from '../core/restore/managed.ts';
import { patchOf } from '../core/restore/patch.ts';
import { pickFields } from '../core/restore/pick-fields.ts';
import type { Selection, Step } from '../core/restore/plan.ts';
import type { PatchOperation, SealedComparer, SecretOpener } from '../core/restore/ports.ts';
import { type PrepareContext, prepare } from '../core/restore/prepare.ts';
import { waveOf } from '../core/restore/waves.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import { copy } from '../core/sanitise-held.ts';
import type { SanitiseOptions } from '../core/sanitise-options.ts';
import { describe, type FieldWords } from '../core/words.ts';
import { compare } from './compare.ts';
import type { ManifestEntry } from './hostile.ts';
import type { Undo } from './undo.ts';
import type { Fallback, OwnerLink } from './work.ts';
import { isTerminating } from './world.ts';

/** One object of the restore point beside what lives: what would be done with it, before the server is asked. Nothing here writes. */

export interface DraftParts {
  readonly rules: RuleSet;
  readonly opener: SecretOpener;
  readonly comparer: SealedComparer | undefined;
  /** May somebody in the target take this finalizer away? */
  readonly hasKeeper: (finalizer: string) => boolean;
  /** One commit is taken back, and nothing else. */
  readonly undo: Undo | undefined;
  readonly options: SanitiseOptions;
  readonly selection: Selection;
  /** What the archive and the target know beside the object. */
  readonly contextOf: (entry: ManifestEntry, name: string) => PrepareContext;
  readonly where: (entry: ManifestEntry) => { readonly repository: string; readonly path: string };
}

/** What would be sent. */
export interface Sending {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly fallbacks: readonly Fallback[];
  readonly owners: readonly OwnerLink[];
  readonly finalizers: readonly string[];
  /** Of an update, and of a replacement what it would have changed. */
  readonly operations: readonly PatchOperation[];
  /** Why it must not be made anew. */
  readonly finished: string | undefined;
  readonly live: KubeObject | undefined;
  /** What the operations would change, as it lives: a digest that is never told. */
  readonly was: string;
  /** It holds secret values: what the server says of it is told without them. */
  readonly isSecret: boolean;
  /** What the object should be, as the archive would see it; differs from `object` where live keeps something. */
  readonly wanted: KubeObject;
}

export type Draft =
  | { readonly is: 'equal'; readonly step?: undefined }
  /** Nothing will be sent: keep, skip. */
  | { readonly is: 'settled'; readonly step: Step }
  /** create or update, unless the server has something against it. */
  | { readonly is: 'open'; readonly step: Step; readonly sending: Sending };

export interface DraftPlace {
  readonly entry: ManifestEntry;
  readonly resource: Resource;
  readonly manifest: KubeObject;
  readonly raw: KubeObject | undefined;
  readonly ref: ObjectRef;
}

export async function draft(parts: DraftParts, place: DraftPlace): Promise<Draft> {
  const { entry, resource, manifest, raw, ref } = place;
  const opened = await parts.opener.open(copy(manifest), parts.where(entry));
  const prepared = prepare(opened.object, parts.contextOf(entry, manifest.metadata.name));
  const base = baseOf(place, managedBy(raw ?? opened.object));
  if ('skip' in prepared) return rightlySkipped(base, prepared.skip);
  const notes = [...prepared.notes];
  const isKept = base.managedBy !== undefined && !parts.selection.evenIfManaged;
  const isSecret = entry.resource === 'secrets' || (opened.object !== manifest && 'sops' in manifest);
  const making = { ...prepared, resource, isSecret, finalizers: prepared.finalizers.filter(parts.hasKeeper) };
  const { finished } = prepared;
  if (raw === undefined || isTerminating(raw)) {
    if (finished !== undefined) return rightlySkipped(base, finished);
    if (parts.selection.fields.length > 0)
      return settled(base, 'skip', 'it is not there, and only fields of it were asked for');
    const [closed] = opened.closed;
    if (closed !== undefined) return settled(base, 'skip', `${closed.why}: ${pointersOf(opened.closed)}`);
    if (isKept) return settled(base, 'keep', `${base.managedBy} makes it; --even-if-managed restores it all the same`);
    const waits = raw === undefined ? [] : ['it is being deleted: the restore waits until it is gone'];
    const reason = raw === undefined ? 'it is not there' : 'the one that lives is being deleted';
    const step = {
      ...base,
      action: 'create',
      reason,
      notes: [...notes, ...waits],
      digest: digestOf(['create', entry.id, refJson(ref)]),
    } as const;
    const { object } = prepared;
    return { is: 'open', step, sending: { ...making, operations: [], live: undefined, was: '', wanted: object } };
  }
  if (finished !== undefined && endingOf(objectAt(raw, 'status')) === undefined)
    return settled(base, 'keep', 'it had finished, and the one that lives has not: that one is left alone');
  const closed = opened.closed.map(({ pointer }) => pointer);
  const free = [
    ...prepared.given,
    ...prepared.fallbacks.flatMap(({ pointers }) => pointers),
    ...closed,
    '/metadata/ownerReferences',
    '/metadata/finalizers',
    ...(isScaled(parts, place) ? ['/spec/replicas'] : []),
  ];
  const compared = compare(raw, prepared.object, { ...parts, resource: entry.resource, free });
  const undone = await parts.undo?.fieldsOf(entry.path, compared.live);
  const only = undone?.fields ?? (parts.selection.fields.length === 0 ? undefined : parts.selection.fields);
  const wanted =
    only === undefined ? compared.wanted : (pickFields(compared.live, compared.wanted, only) as KubeObject);
  const since = undone?.since ?? [];
  if (since.length > 0) notes.push(`${since.join(', ')} was changed again since, and stays`);
  const operations = patchOf(raw, compared.live, wanted, []);
  const lost = keptSecrets(parts, place, opened.closed);
  if (operations.length === 0) {
    const kept = since.length > 0 ? notes.at(-1) : lost;
    return kept === undefined ? { is: 'equal' } : settled(base, 'keep', kept);
  }
  const fields = wordsOf(compared.live, wanted, compared.secrets);
  const told = { ...base, fields, notes: lost === undefined ? notes : [...notes, lost] };
  if (isKept)
    return settled(told, 'keep', `${base.managedBy} keeps it as it is; --even-if-managed restores it all the same`);
  if (parts.selection.existing === 'skip')
    return settled(told, 'keep', 'it lives and differs, and --existing skip leaves it');
  const digest = digestOf(['update', entry.id, refJson(ref), ...digestible(operations, compared.secrets)]);
  const reason = fields.length === 1 ? '1 field differs' : `${fields.length} fields differ`;
  return {
    is: 'open',
    step: { ...told, action: 'update', reason, digest },
    sending: { ...making, operations, live: raw, was: wasOf(raw, operations), wanted },
  };
}

function baseOf({ entry, ref, raw }: DraftPlace, managed: string | undefined) {
  const version = raw?.metadata['resourceVersion'];
  return {
    ref,
    path: entry.path,
    wave: waveOf(entry.resource, isCustom(entry.resource)),
    fields: [] as readonly FieldWords[],
    notes: [] as readonly string[],
    managedBy: managed,
    liveVersion: typeof version === 'string' ? version : undefined,
  };
}

function settled(
  base: ReturnType<typeof baseOf>,
  action: 'keep' | 'skip',
  reason: string,
): Extract<Draft, { is: 'settled' }> {
  return { is: 'settled', step: { ...base, action, reason, digest: digestOf([action, refJson(base.ref)]) } };
}

function rightlySkipped(base: ReturnType<typeof baseOf>, reason: string): Draft {
  return { is: 'settled', step: { ...settled(base, 'skip', reason).step, isRight: true } };
}

function pointersOf(closed: readonly { readonly pointer: string }[]): string {
  return closed.map(({ pointer }) => pointer).join(', ');
}

/** Whatever number an autoscaler last chose, or was left by a person, it is the autoscaler's to choose again. */
function isScaled({ options }: DraftParts, { manifest: { apiVersion, kind }, ref }: DraftPlace): boolean {
  const { namespace = '', name } = ref;
  return options.isScaleTarget?.({ namespace, group: groupOf(apiVersion), kind, name }) === true;
}

/** Values that are others than in the restore point, or may be, and that nobody can make; undefined when all are known to be the same. */
function keptSecrets(
  { comparer, where }: DraftParts,
  { entry, manifest, raw }: DraftPlace,
  closed: readonly { readonly pointer: string; readonly why: string }[],
): string | undefined {
  const [first] = closed;
  if (first === undefined || raw === undefined) return undefined;
  const pointers = closed.map(({ pointer }) => pointer);
  if (comparer === undefined)
    return `whether ${pointers.join(', ')} is the same is not known, it stays as it lives: ${first.why}`;
  const others = comparer.differing(manifest, raw, pointers, where(entry));
  return others.length === 0
    ? undefined
    : `${others.join(', ')} is another than then, and stays as it lives: ${first.why}`;
}

/** What differs in words; of secret values only that they do. */
function wordsOf(live: KubeObject, wanted: KubeObject, secrets: readonly string[]): readonly FieldWords[] {
  const [before, after] = [copy(live), copy(wanted)];
  for (const pointer of secrets) {
    const [was, is] = [valueAt(live, pointer), valueAt(wanted, pointer)];
    const isSame = was !== undefined && is !== undefined && renderJson(was) === renderJson(is);
    if (was !== undefined) setAt(before, pointer, 'kubekeeper:was');
    if (is !== undefined) setAt(after, pointer, isSame ? 'kubekeeper:was' : 'kubekeeper:is');
  }
  return difference(before as Json, after as Json).map(describe);
}

function wasOf(live: KubeObject, operations: readonly PatchOperation[]): string {
  const changing = operations.filter(({ op }) => op !== 'test');
  return digestOf(changing.map(({ path }) => [path, valueAt(live, path) ?? []]));
}

/** The operations without the version that they are for, and without values that may be secret. */
function digestible(operations: readonly PatchOperation[], secrets: readonly string[]): readonly Json[] {
  return operations
    .filter(({ op }) => op !== 'test')
    .map((operation) => {
      const isSecret = secrets.some(
        (pointer) => isWithin(pointer, operation.path) || isWithin(operation.path, pointer),
      );
      const value = 'value' in operation && !isSecret ? [operation.value] : [];
      return [operation.op, operation.path, ...value];
    });
}

function isWithin(pointer: string, other: string): boolean {
  return pointer === other || pointer.startsWith(`${other}/`);
}

/** A group of Kubernetes' own has no dot, or ends as only its own may. */
export function isCustom(resource: ResourceName): boolean {
  const { group } = parseResourceName(resource);
  return group.includes('.') && !group.endsWith('.k8s.io');
}

function refJson({ resource, namespace = '', name }: ObjectRef): Json {
  return [resource, namespace, name];
}
