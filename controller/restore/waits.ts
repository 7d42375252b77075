import { maskLine } from '../core/mask-line.ts';
import { arrayAt, isJsonObject, type KubeObject, objectAt, type Resource, stringAt } from '../core/object.ts';
import { pause } from '../core/pause.ts';
import type { ObjectPlace } from '../core/restore/ports.ts';
import type { Run } from './run.ts';

/** Every wait has a deadline, and says what it waits for. */

/** Between the first looks. Each costs the server, which has what was restored to start: only what others wait for is looked at often. */
const PACES = { eager: 50, usual: 100, leisurely: 250 } as const;
const LONGEST_MS = 2_000;
export const TELL_EVERY_MS = 5_000;

export type Waited<T> =
  | { readonly is: 'there'; readonly value: T }
  /** The deadline passed, and what held it. */
  | { readonly is: 'late'; readonly held: string }
  | { readonly is: 'stopped'; readonly held: string };

interface WaitOptions {
  /** The deadline counts from there, so that many who wait for the same share it. */
  readonly since?: number;
  /** How long it goes on after the restore was stopped. */
  readonly graceMs?: number;
  /** It takes a while in any case: told only when it takes longer. */
  readonly isUsual?: boolean;
  readonly pace?: keyof typeof PACES;
}

/** Looks until there is something: `look` answers it, or in words what holds it. */
export async function waitFor<T>(
  run: Run,
  deadlineMs: number,
  look: () => Promise<{ readonly value: T } | string>,
  { since = run.clock.monotonic(), graceMs = 0, isUsual = false, pace = 'usual' }: WaitOptions = {},
): Promise<Waited<T>> {
  const began = run.clock.monotonic();
  let stopped: number | undefined;
  let told = isUsual ? began : Number.NEGATIVE_INFINITY;
  for (;;) {
    const found = await look();
    if (typeof found !== 'string') return { is: 'there', value: found.value };
    const now = run.clock.monotonic();
    if (run.isStopped) stopped ??= now;
    if (stopped !== undefined && now - stopped >= graceMs) return { is: 'stopped', held: found };
    if (now - since >= deadlineMs) return { is: 'late', held: found };
    if (now - told >= TELL_EVERY_MS) {
      run.emit({ type: 'waiting', for: found, ms: Math.round(now - began), deadlineMs });
      told = now;
    }
    const left = Math.max(deadlineMs - (now - since), 1);
    await pause(Math.min(nextLookMs(now - began, pace), left), stopped === undefined ? run.signal : NEVER);
  }
}

/** What took a second is not told a second late: a look comes after an eighth of the time that was waited already. */
function nextLookMs(waitedMs: number, pace: keyof typeof PACES): number {
  return Math.min(Math.max(waitedMs / 8, PACES[pace]), LONGEST_MS);
}

export type GoneOptions = Pick<WaitOptions, 'graceMs' | 'isUsual' | 'pace'>;

/** Until the object is gone, or another one has its name; answers that one. */
export function untilGone(
  run: Run,
  resource: Resource,
  place: ObjectPlace,
  uid: string,
  options: GoneOptions = {},
): Promise<Waited<KubeObject | undefined>> {
  const what = `${resource.kind} ${place.name}`;
  const look = async () => {
    const live = await run.target.get(resource, place);
    if (live === 'forbidden') return `${what} to be gone, which may not be looked at`;
    if (live === undefined || live.metadata['uid'] !== uid) return { value: live };
    return `${what} to be gone, held by ${holdersOf(live)}`;
  };
  return waitFor(run, run.limits.goneMs, look, options);
}

/** A stop that was heard must not make the rest a busy loop. */
const NEVER = new AbortController().signal;

const TELLING: ReadonlySet<string> = new Set([
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceContentRemaining',
  'NamespaceFinalizersRemaining',
]);

/** What keeps an object that is being deleted. */
export function holdersOf(object: KubeObject): string {
  const finalizers = [...arrayAt(object.metadata, 'finalizers'), ...arrayAt(objectAt(object, 'spec'), 'finalizers')];
  const conditions = arrayAt(objectAt(object, 'status'), 'conditions')
    .filter((one) => TELLING.has(stringAt(one, 'type') ?? '') && stringAt(one, 'status') === 'True')
    .map((one) => maskLine(stringAt(one, 'message') ?? '', 200));
  const named = finalizers
    .filter((one) => typeof one === 'string' && one !== 'kubernetes')
    .map((one) => `finalizer ${String(one)}`);
  const held = [...conditions, ...named];
  return held.length === 0 ? 'the server, which is not done yet' : held.join('; ');
}

/** Why a definition's objects cannot be made yet; undefined when they can. */
export function unestablished(definition: KubeObject): string | undefined {
  const conditions = arrayAt(objectAt(definition, 'status'), 'conditions').filter(isJsonObject);
  for (const type of ['NamesAccepted', 'Established']) {
    const condition = conditions.find((one) => one['type'] === type);
    if (condition?.['status'] === 'True') continue;
    const message = maskLine(stringAt(condition, 'message') ?? '', 200);
    return `${definition.metadata.name} to be ${type === 'Established' ? 'established' : 'accepted'}${message === '' ? '' : `: ${message}`}`;
  }
  return undefined;
}
