import { type ObjectRef, renderRef } from './object.ts';
import { type FieldWords, oneLine } from './words.ts';

/** The message of a commit: what happened in the field's own words, one line per object, then trailers for machines. */

export interface ObjectChange {
  readonly ref: ObjectRef;
  readonly what: 'created' | 'changed' | 'deleted' | 'recreated';
  /** The fields that differ; empty for what was created or deleted, or where there were too many objects to compare. */
  readonly fields: readonly FieldWords[];
  /** The field managers that wrote what differs, as the object itself says; empty when it does not. */
  readonly actors: readonly string[];
  readonly resourceVersion?: string;
  /** Why it went or came, where more is known than that: 'its CustomResourceDefinition was deleted'. */
  readonly cause?: string;
  /** What a person asked for and the file does not tell from what the server chose: '/spec/ports/0/nodePort'. */
  readonly requested?: readonly string[];
  /** What the file must not hold and a restore wants to know: '/spec/volumeName "pvc-1"'. */
  readonly recorded?: readonly string[];
  /** `kubernetes.io/change-cause`: the person's own words. */
  readonly why?: string;
  /** The object is on its way out: a deletionTimestamp is set. */
  readonly terminating?: boolean;
}

export interface Occasion {
  /** Says instead of the objects what the commit is about: 'first archive of namespace shop'. */
  readonly headline?: string;
  readonly clusterId: string;
  readonly trailers?: readonly (readonly [string, string])[];
}

const SUBJECT_LIMIT = 100;
const BODY_OBJECTS = 200;
const LINE_FIELDS = 20;

/** Subject, blank line, body, blank line, trailers; ends with a newline. */
export function renderMessage(changes: readonly ObjectChange[], occasion: Occasion): string {
  const body = renderBody(changes);
  const trailers = renderTrailers(changes, occasion);
  return `${[renderSubject(changes, occasion), body, trailers].filter((part) => part !== '').join('\n\n')}\n`;
}

function renderSubject(changes: readonly ObjectChange[], occasion: Occasion): string {
  const [only] = changes;
  if (occasion.headline !== undefined) return `${occasion.headline}${countOf(changes.length)}`;
  if (only !== undefined && changes.length === 1) return clip(`${oneLine(renderRef(only.ref))}: ${summary(only)}`);
  const cause = commonCause(changes);
  if (cause !== undefined) return clip(`${cause}: ${changes.length} objects went with it`);
  return clip(
    `${changes.length} objects: ${changes.map((change) => `${oneLine(renderRef(change.ref))} ${change.what}`).join(', ')}`,
  );
}

function countOf(count: number): string {
  if (count === 0) return '';
  return `: ${count} ${count === 1 ? 'object' : 'objects'}`;
}

function summary(change: ObjectChange): string {
  const why = change.why === undefined ? '' : ` (${oneLine(change.why)})`;
  if (change.cause !== undefined) return `${change.what}, ${change.cause}${why}`;
  if (change.terminating === true && change.fields.length === 0) return 'being deleted';
  if (change.fields.length === 0) return `${change.what}${why}`;
  const words = change.fields.map((field) => field.short);
  const shown = [...new Set(words)].slice(0, 3).join(', ');
  const rest = words.length > 3 ? `, ${words.length - 3} more` : '';
  return `${change.what === 'recreated' ? 'recreated, ' : ''}${shown}${rest}${why}`;
}

/** The one cause that explains every deletion, or undefined. */
function commonCause(changes: readonly ObjectChange[]): string | undefined {
  const causes = new Set(changes.map((change) => (change.what === 'deleted' ? change.cause : undefined)));
  return causes.size === 1 ? [...causes][0] : undefined;
}

function renderBody(changes: readonly ObjectChange[]): string {
  if (changes.length === 1 && (changes[0]?.fields.length ?? 0) === 0) return '';
  const lines = changes.slice(0, BODY_OBJECTS).map(renderLine);
  if (changes.length > BODY_OBJECTS) lines.push(`... and ${changes.length - BODY_OBJECTS} more objects`);
  return lines.join('\n');
}

function renderLine(change: ObjectChange): string {
  const head = `${change.what} ${oneLine(renderRef(change.ref))}`;
  const fields = change.fields.slice(0, LINE_FIELDS).map((field) => field.long);
  if (change.fields.length > LINE_FIELDS) fields.push(`${change.fields.length - LINE_FIELDS} more fields`);
  const notes = [...(change.cause === undefined ? [] : [change.cause]), ...fields];
  if (change.terminating === true) notes.push('being deleted');
  return notes.length === 0 ? head : `${head}: ${notes.join('; ')}`;
}

function renderTrailers(changes: readonly ObjectChange[], occasion: Occasion): string {
  const trailers: [string, string][] = [['Archived-From', `cluster ${occasion.clusterId}`]];
  const versions = versionRange(changes);
  if (versions !== undefined) trailers.push(['Resource-Version', versions]);
  for (const actor of actorsOf(changes)) trailers.push(['Actor', actor]);
  for (const change of changes) {
    if (change.what === 'recreated') trailers.push(['Recreated', oneLine(renderRef(change.ref))]);
    for (const pointer of change.requested ?? []) {
      trailers.push(['Requested', `${oneLine(renderRef(change.ref))} ${oneLine(pointer)}`]);
    }
    for (const record of change.recorded ?? []) {
      trailers.push(['Recorded', `${oneLine(renderRef(change.ref))} ${oneLine(record)}`]);
    }
  }
  const all = [...trailers, ...(occasion.trailers ?? [])];
  return all.map(([name, value]) => `${name}: ${value}`).join('\n');
}

/** Each with its grade; a change that nobody can be named for says so. */
function actorsOf(changes: readonly ObjectChange[]): ReadonlySet<string> {
  return new Set(
    changes.flatMap((change) =>
      change.actors.length === 0 ? ['unknown'] : change.actors.map((actor) => `${oneLine(actor)} (manager)`),
    ),
  );
}

function versionRange(changes: readonly ObjectChange[]): string | undefined {
  const versions = changes
    .flatMap((change) => (change.resourceVersion === undefined ? [] : [change.resourceVersion]))
    .filter((version) => /^\d+$/.test(version))
    .map(BigInt);
  if (versions.length === 0) return undefined;
  versions.sort((left, right) => (left < right ? -1 : 1));
  const [lowest, highest] = [versions[0], versions.at(-1)];
  return lowest === highest ? `${lowest}` : `${lowest}..${highest}`;
}

function clip(subject: string): string {
  return subject.length <= SUBJECT_LIMIT
    ? subject
    : `${subject.slice(0, SUBJECT_LIMIT - 4).replace(/[\s,]+$/, '')} ...`;
}
