import type { KubeObject, Resource } from '../core/object.ts';
import { stepKey } from '../core/restore/journal.ts';
import type { Step } from '../core/restore/plan.ts';
import type { ObjectPlace, Refused } from '../core/restore/ports.ts';
import { without } from './check.ts';
import { ended, type StepEnd } from './events.ts';
import { persist } from './persist.ts';
import { wordsOfRefusal } from './refusals.ts';
import { placed, type Run } from './run.ts';
import { untilGone } from './waits.ts';
import type { Fallback, Work } from './work.ts';

/** Makes an object that does not live, and waits for what has to come first. */

type Making = Extract<Work, { do: 'create' | 'replace' }>;

/** Objects of one name that come and go while it is tried. */
const MOST_TRIES = 10;

/** `again`: one lives by now that the plan may be fitted to. */
export async function make(run: Run, step: Step, work: Making): Promise<StepEnd | 'again'> {
  const resource = await run.served(work.resource);
  const object = placed(work.object, resource, run.planned.plan.target.namespace);
  const place = placeOf(object);
  await noteLate(run, step, resource, place, work);
  for (let tries = 1; ; tries++) {
    const sent = await sendFitting(run, step, { ...work, resource, object });
    if (sent.is === 'ended') return sent.end;
    if (sent.is === 'made') return made(run, step, { ...work, resource }, sent);
    const { refused } = sent;
    if (refused.reason !== 'AlreadyExists' || tries === MOST_TRIES)
      return ended('failed', wordsOfRefusal(refused, 'create', step.ref));
    const live = await run.target.get(resource, place);
    if (live === undefined) continue;
    if (live === 'forbidden' || live.metadata['deletionTimestamp'] === undefined)
      return run.mayAdopt(step) ? 'again' : ended('moved', 'somebody made one of this name after this was planned');
    const gone = await untilGone(run, resource, place, uidOf(live));
    if (gone.is === 'late') return ended('timed-out', `it waited for ${gone.held}`);
    if (gone.is === 'stopped') return ended('failed', `stopped while it waited for ${gone.held}`);
  }
}

type Sent =
  | { readonly is: 'made'; readonly object: KubeObject; readonly notes: readonly string[] }
  | { readonly is: 'refused'; readonly refused: Refused }
  | { readonly is: 'ended'; readonly end: StepEnd };

/** What the server finds taken or invalid is left out where the plan allows it: first what it names, then all of it. */
async function sendFitting(run: Run, step: Step, { resource, object, fallbacks, isSecret }: Making): Promise<Sent> {
  const options = { dryRun: false, ...(isSecret === undefined ? {} : { isSecret }) };
  let [sending, left] = [object, fallbacks];
  const notes: string[] = [];
  for (;;) {
    const answer = await persist(run, step, () => run.target.create(resource, sending, options));
    if (answer.ok === 'ended') return { is: 'ended', end: answer.end };
    if (answer.ok) return { is: 'made', object: answer.object, notes: [...notes, ...(answer.warnings ?? [])] };
    const { refused } = answer;
    if (refused.status !== 422 || left.length === 0) return { is: 'refused', refused };
    const named = left.filter((fallback) => isNamed(fallback, refused));
    const taken = named.length === 0 ? left : named;
    left = left.filter((fallback) => !taken.includes(fallback));
    sending = without(sending, taken);
    notes.push(...taken.map(({ note }) => note));
  }
}

function isNamed({ pointers }: Fallback, { causes }: Refused): boolean {
  const fields = causes.map(({ field }) => `${field.replace(/\[(\d+)\]/g, '.$1')}.`);
  const paths = pointers.map((pointer) => `${pointer.slice(1).replaceAll('/', '.')}.`);
  return paths.some((path) => fields.some((field) => field.startsWith(path) || path.startsWith(field)));
}

/** Written before the object is there: who is killed in between leaves a word of what it lacks. */
async function noteLate(run: Run, step: Step, resource: Resource, place: ObjectPlace, work: Making): Promise<void> {
  const { owners, finalizers } = work;
  if (owners.length === 0 && finalizers.length === 0) return;
  const { group, version, plural, namespaced } = resource;
  const late = { ref: step.ref, resource: { group, version, plural, namespaced }, place, owners, finalizers };
  run.late.set(stepKey(step), late);
  await run.journal.append({ type: 'late', step: stepKey(step), ...late });
}

async function made(
  run: Run,
  step: Step,
  { resource }: Pick<Making, 'resource'>,
  { object, notes }: Extract<Sent, { is: 'made' }>,
): Promise<StepEnd> {
  run.noteMade(step.ref);
  if (step.ref.resource === 'namespaces') await run.line?.made(uidOf(object));
  return { result: 'done', notes, resource };
}

function placeOf({ metadata }: KubeObject): ObjectPlace {
  const namespace = metadata['namespace'];
  return typeof namespace === 'string' ? { namespace, name: metadata.name } : { name: metadata.name };
}

function uidOf({ metadata }: KubeObject): string {
  return String(metadata['uid'] ?? '');
}
