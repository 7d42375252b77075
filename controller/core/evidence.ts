import { allWriters, writersOf } from './evidence-fields.ts';
import { isAsked, type Writer } from './evidence-writers.ts';
import { arrayAt, isJsonObject, type Json, type KubeObject, objectAt, stringAt } from './object.ts';
import { childAt, parsePointer } from './pointer.ts';

export { isPersonManager, type Writer } from './evidence-writers.ts';

/**
 * What an object says about its own history, read before the rules take it away. Only references are taken here; the work is
 * done when a rule or a message asks.
 */
export interface Evidence {
  readonly resourceVersion: string | undefined;
  readonly uid: string | undefined;
  /** RFC 3339. */
  readonly creationTimestamp: string | undefined;
  /** The change-cause annotation: why it was changed, in the words of who changed it. */
  readonly why: string | undefined;
  readonly managedFields: readonly Json[];
  /** JSON text of the object as somebody applied it; holds a Secret's values in clear, so it must not outlive the handling. */
  readonly lastApplied: string | undefined;
  /** Pointers of ports that somebody asked for, where the cluster would have chosen one; the trailers keep them for a restore. */
  readonly requested: string[];
}

export function readEvidence(object: KubeObject): Evidence {
  const metadata = objectAt(object, 'metadata');
  const annotations = objectAt(metadata, 'annotations');
  return {
    resourceVersion: stringAt(metadata, 'resourceVersion'),
    uid: stringAt(metadata, 'uid'),
    creationTimestamp: stringAt(metadata, 'creationTimestamp'),
    why: stringAt(annotations, 'kubernetes.io/change-cause'),
    managedFields: arrayAt(metadata, 'managedFields'),
    lastApplied: stringAt(annotations, 'kubectl.kubernetes.io/last-applied-configuration'),
    requested: [],
  };
}

/** Who wrote last, status aside; undefined when managedFields does not tell. */
export function lastWriter(managedFields: readonly Json[]): Writer | undefined {
  return newestFirst(allWriters(managedFields).filter(isNoStatus))[0];
}

/**
 * The field managers that wrote the fields at `pointers` last (list elements by index or by name in brackets); without pointers,
 * who made the object. Empty when nothing tells: a field that went has no owner any more. With `notBefore` (RFC 3339, when the
 * object was seen last) the removal is ascribed to whoever wrote since.
 */
export function actorsOf(
  managedFields: readonly Json[],
  object: Json,
  pointers: readonly string[] | undefined,
  notBefore?: string,
): readonly string[] {
  if (pointers === undefined) return makersOf(managedFields);
  const latest = new Map<string, Writer>();
  for (const pointer of pointers) {
    const path = parsePointer(pointer);
    // Who sees how something ended is who says so.
    const isMeant = path[0] === 'status' ? () => true : isNoStatus;
    const [writer] = newestFirst(writersOf(managedFields, object, path).filter(isMeant));
    if (writer !== undefined) latest.set(writer.manager, writer);
  }
  if (latest.size > 0) return newestFirst([...latest.values()]).map((writer) => writer.manager);
  const last = notBefore === undefined ? undefined : lastWriter(managedFields);
  return last?.time !== undefined && notBefore !== undefined && last.time >= notBefore ? [last.manager] : [];
}

/** A new object was made by who asked for it; where no such name is, by the oldest. */
function makersOf(managedFields: readonly Json[]): readonly string[] {
  const writers = newestFirst(allWriters(managedFields).filter(isNoStatus));
  const maker = writers.find(isAsked) ?? writers.at(-1);
  return maker === undefined ? [] : [maker.manager];
}

function isNoStatus(writer: Writer): boolean {
  return writer.subresource !== 'status';
}

/** Times have whole seconds; within one, who was asked goes before a program. */
function newestFirst(writers: readonly Writer[]): readonly Writer[] {
  const rank = (writer: Writer) => `${writer.time ?? ''} ${isAsked(writer) ? 1 : 0}`;
  return writers.length < 2
    ? writers
    : [...writers].sort((left, right) => (rank(left) < rank(right) ? 1 : rank(left) > rank(right) ? -1 : 0));
}

/** Did the object that somebody applied hold a value at `path`? Its list elements are found by what names them in `object`. */
export function wasApplied(evidence: Evidence, object: Json, path: readonly string[]): boolean {
  let applied = evidence.lastApplied === undefined ? undefined : parseApplied(evidence.lastApplied);
  let value: Json | undefined = object;
  for (const segment of path) {
    value = childAt(value, segment);
    const element = value;
    applied = Array.isArray(applied)
      ? applied.find((candidate) => isSameElement(candidate, element))
      : childAt(applied, segment);
  }
  return applied !== undefined && applied !== null;
}

const IDENTITIES = ['name', 'port', 'protocol', 'containerPort', 'mountPath', 'key'];

function isSameElement(applied: Json, live: Json | undefined): boolean {
  if (!isJsonObject(applied) || !isJsonObject(live)) return applied === live;
  const shared = IDENTITIES.filter((key) => Object.hasOwn(applied, key) && Object.hasOwn(live, key));
  return shared.some((key) => key !== 'protocol') && shared.every((key) => applied[key] === live[key]);
}

/** Anybody may write this annotation; text that is no JSON is no evidence. */
function parseApplied(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
