import { renderRef } from '../object.ts';
import { oneLine } from '../words.ts';
import { ACTIONS, type Action, countSteps, type Plan, type Step } from './plan.ts';
import type { VolumePlan } from './volume-plan.ts';

/** What is said of a plan, before it becomes a table or Markdown. Everything that others named is on one line. */

export interface Row {
  readonly action: Action;
  /** RESOURCE/NAME, or how many of one resource. */
  readonly object: string;
  readonly reason: string;
  /** Fields and notes, one line each. */
  readonly details: readonly string[];
}

/** So many new objects of one resource, with nothing to say of any, are one row. */
const FOLDED = 8;
const MOST_FIELDS = 8;

export function rowsOf(plan: Plan, verbose: boolean): readonly Row[] {
  const folded = verbose ? new Map<string, readonly Step[]>() : foldable(plan.steps);
  const told = new Set<string>();
  return plan.steps.flatMap((step): readonly Row[] => {
    const key = foldKey(step);
    const group = key === undefined ? undefined : folded.get(key);
    if (key === undefined || group === undefined) return [rowOf(step, verbose)];
    if (told.has(key)) return [];
    told.add(key);
    const names = group.slice(0, 3).map(({ ref }) => oneLine(ref.name));
    const object = `${oneLine(step.ref.resource)} (${group.length})`;
    return [{ action: step.action, object, reason: `${oneLine(step.reason)}: ${names.join(', ')}, ...`, details: [] }];
  });
}

function foldable(steps: readonly Step[]): ReadonlyMap<string, readonly Step[]> {
  const groups = Map.groupBy(steps, (step) => foldKey(step) ?? '');
  groups.delete('');
  return new Map([...groups].filter(([, group]) => group.length >= FOLDED));
}

/** Deletions, replacements and what is skipped are each named. */
function foldKey(step: Step): string | undefined {
  if (step.action !== 'create' || step.notes.length > 0 || step.managedBy !== undefined) return undefined;
  return `${step.ref.resource} ${step.reason}`;
}

function rowOf(step: Step, verbose: boolean): Row {
  const most = verbose ? step.fields.length : MOST_FIELDS;
  const fields = step.fields.slice(0, most).map(({ long }) => oneLine(long));
  const rest = step.fields.length - fields.length;
  return {
    action: step.action,
    object: oneLine(renderRef(step.ref)),
    reason: oneLine(step.reason) + managed(step),
    details: [
      ...fields,
      ...(rest > 0 ? [`${rest} more fields`] : []),
      ...step.notes.map((note) => `note: ${oneLine(note)}`),
    ],
  };
}

function managed({ managedBy, reason }: Step): string {
  return managedBy === undefined || reason.includes(managedBy) ? '' : ` (${oneLine(managedBy)} keeps it, too)`;
}

/** What happens to data: a grade once, since it is of all data of the commit, and a row for each claim. */
export interface VolumeRows {
  readonly grade: string | undefined;
  readonly rows: readonly { readonly action: string; readonly claim: string; readonly reason: string }[];
}

export function volumeRowsOf({ volumes = [] }: Plan): VolumeRows {
  const grade = volumes.find(({ data }) => data !== undefined && data.grade !== '')?.data?.grade;
  const rows = volumes.map(({ action, claim, reason }) => ({ action, claim: oneLine(claim), reason: oneLine(reason) }));
  return { grade: grade === undefined ? undefined : oneLine(grade), rows };
}

/** '2 to create, 1 to update; 12 skipped; 210 objects are equal already'. */
export function countsLine(plan: Plan): string {
  const volumes = volumeCounts(plan.volumes ?? []);
  const all = [...objectCounts(plan), ...volumes];
  const isIdle = plan.steps.length === 0 && volumes.length === 0;
  return [...(isIdle ? ['nothing to do'] : []), ...all].join(', ');
}

/** 'data of 2 claims restored', 'of 1 refused'. */
function volumeCounts(volumes: readonly VolumePlan[]): readonly string[] {
  const words = { restore: 'comes back', replace: 'replaces what lives', refuse: 'cannot be had' } as const;
  return (['restore', 'replace', 'refuse'] as const).flatMap((action) => {
    const count = volumes.filter((volume) => volume.action === action).length;
    return count === 0 ? [] : [`data of ${count === 1 ? '1 claim' : `${count} claims`} ${words[action]}`];
  });
}

function objectCounts(plan: Plan): readonly string[] {
  const counts = countSteps(plan.steps);
  const phrases: Record<Action, string> = {
    create: 'to create',
    update: 'to update',
    replace: 'to replace',
    delete: 'to delete',
    keep: 'kept',
    skip: 'skipped',
  };
  const parts = ACTIONS.filter((action) => counts[action] > 0).map((action) => `${counts[action]} ${phrases[action]}`);
  const equal = plan.equal === 1 ? '1 object is equal already' : `${plan.equal} objects are equal already`;
  return [...parts, ...(plan.equal === 0 ? [] : [equal])];
}
