import type { ObjectRef } from '../object.ts';
import type { FieldWords } from '../words.ts';
import { isVolumeWork, type VolumePlan } from './volume-plan.ts';
import type { WaveName } from './waves.ts';

/** A plan is a value: every step of a restore with its reason, made from the restore point, the live state and a dry run. */

/**
 * create · update (the fields that differ) · replace (deleted and made again, since a field cannot be changed) · delete (with prune) ·
 * keep (live stays as it is, on purpose) · skip (wanted, and cannot or must not be done). What is equal has no step.
 */
export type Action = 'create' | 'update' | 'replace' | 'delete' | 'keep' | 'skip';

export const ACTIONS: readonly Action[] = ['create', 'update', 'replace', 'delete', 'keep', 'skip'];

export interface Step {
  readonly action: Action;
  /** In the target. */
  readonly ref: ObjectRef;
  /** Of the manifest in the restore point's tree; undefined for what is not in it. */
  readonly path: string | undefined;
  readonly wave: WaveName;
  /** In words, one line, never with a secret's value. */
  readonly reason: string;
  /** What differs from live, as archive -> would be: update and replace; empty else. */
  readonly fields: readonly FieldWords[];
  /** What was left out or changed of the manifest, and what to know: 'clusterIP is given out anew'. */
  readonly notes: readonly string[];
  /** Who else keeps this object as it is: 'Argo CD application shop'; undefined for nobody. */
  readonly managedBy: string | undefined;
  /** The resourceVersion that the step was planned for; undefined where nothing lives. */
  readonly liveVersion: string | undefined;
  /**
   * Hex of SHA-256 over what would be sent: the operations, or the manifest as it lies in Git; of objects with secret values only their
   * pointers and the sealed manifest, so that it tells nothing.
   */
  readonly digest: string;
  /** Of a skip: nothing is missing without it, since it is over, or somebody else makes it. */
  readonly isRight?: true;
}

/** It should have been restored and cannot be. */
export function isLeftUndone({ action, isRight }: Step): boolean {
  return action === 'skip' && isRight !== true;
}

export interface PlanTarget {
  /** The uid of kube-system, or ''. */
  readonly clusterId: string;
  /** The namespace that is restored into; '' for `_cluster`. */
  readonly namespace: string;
  /** Who is impersonated; undefined: the kubeconfig's own user. */
  readonly asUser: string | undefined;
}

export interface Plan {
  readonly version: 1;
  /** The repository that is restored from. */
  readonly repository: string;
  /** The restore point. */
  readonly commit: string;
  readonly target: PlanTarget;
  /** As given, so that the same can be planned again. */
  readonly selection: Selection;
  /** By wave, then by resource and name. */
  readonly steps: readonly Step[];
  /** What happens to the data of claims, by name; absent in plans of earlier versions. */
  readonly volumes?: readonly VolumePlan[];
  /** Objects of the restore point that live the same already. */
  readonly equal: number;
  /** Hex of SHA-256 over everything above but words (reasons, notes, fields) and live versions: the same hash, the same effect. */
  readonly hash: string;
}

/** What of a restore point is restored, and how. */
export interface Selection {
  /** Globs as RESOURCE/NAME; all when empty. */
  readonly objects: readonly string[];
  /** Resources or kinds, as kubectl spells them; all when empty. */
  readonly kinds: readonly string[];
  /** A label selector; '' for all. */
  readonly selector: string;
  /** JSON pointers (RFC 6901): only these fields are set, nothing is created or deleted; all when empty. */
  readonly fields: readonly string[];
  /** What lives and is not in the restore point is deleted. */
  readonly prune: boolean;
  /** What is done with an object that lives and differs. */
  readonly existing: 'skip' | 'update' | 'replace';
  /** Restore over what Argo CD or Flux manages. */
  readonly evenIfManaged: boolean;
  /** Protected objects that may be deleted all the same, as RESOURCE/NAME. */
  readonly unprotect: readonly string[];
  /** Which claims get their data back: all when left out; `only`: all, and nothing else is restored; or these names. */
  readonly volumes?: 'none' | 'only' | readonly string[];
  /** Claims that live are made anew with the data of the restore point; left as they are when left out. */
  readonly existingData?: 'replace';
  /** The commit that is taken back, and nothing else of the restore point is restored. */
  readonly undo?: string;
}

export const EVERYTHING: Selection = {
  objects: [],
  kinds: [],
  selector: '',
  fields: [],
  prune: false,
  existing: 'update',
  evenIfManaged: false,
  unprotect: [],
};

/** How often each action occurs. */
export function countSteps(steps: readonly Step[]): Readonly<Record<Action, number>> {
  const counts: Record<Action, number> = { create: 0, update: 0, replace: 0, delete: 0, keep: 0, skip: 0 };
  for (const { action } of steps) counts[action]++;
  return counts;
}

/** Does carrying the plan out change anything? */
export function changesAnything({ steps, volumes = [] }: Plan): boolean {
  return steps.some(({ action }) => action !== 'keep' && action !== 'skip') || volumes.some(isVolumeWork);
}

/** Data of claims that live, which should have been replaced and cannot be. What is said of one that is not made is said by its step. */
export function volumesLeftUndone({ steps, volumes = [] }: Plan): readonly VolumePlan[] {
  const told = new Set(steps.flatMap(({ ref }) => (ref.resource === 'persistentvolumeclaims' ? [ref.name] : [])));
  return volumes.filter(({ action, claim }) => action === 'refuse' && !told.has(claim));
}
