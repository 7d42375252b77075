import { difference, type FieldChange } from '../core/diff.ts';
import type { Json, KubeObject, ResourceName } from '../core/object.ts';
import { namedPointer, pickFields } from '../core/restore/pick-fields.ts';
import type { RuleSet } from '../core/rules/rule-set.ts';
import { isLeftOut, sanitise } from '../core/sanitise.ts';
import { copy } from '../core/sanitise-held.ts';
import type { SanitiseOptions } from '../core/sanitise-options.ts';

/** What a live object and the one that it should be differ in, with the eyes of the archive. */

export interface Comparison {
  /** Live, as the archive would take it; secret values are as they are. */
  readonly live: KubeObject;
  /** What it should be, with what the cluster or an autoscaler decides taken from live. */
  readonly wanted: KubeObject;
  readonly changes: readonly FieldChange[];
  /** Pointers of the secret values of either: one that only comes back is as secret as one that lives. */
  readonly secrets: readonly string[];
}

export interface ComparedWith {
  readonly resource: ResourceName;
  readonly rules: RuleSet;
  readonly options: SanitiseOptions;
  /** Pointers of the wanted object in which live may have anything. */
  readonly free: readonly string[];
}

/**
 * `raw` is live as the server sent it, and stays as it is. What the archive would leave out as it lives, such as an account that nobody has
 * changed yet, is compared all the same: it was archived once.
 */
export function compare(
  raw: KubeObject,
  wanted: KubeObject,
  { resource, rules, options, free }: ComparedWith,
): Comparison {
  const sanitised = sanitise(copy(raw), resource, leavingNothingOut(rules), { ...options, includeOwned: true });
  if (isLeftOut(sanitised))
    throw new TypeError(`${resource} is left out by ${sanitised.rule}, though no rule leaves anything out`);
  const live = sanitised.object;
  const kept = [
    ...free.map((pointer) => namedPointer(wanted, pointer)),
    // How a Job ended is archived; no restore can write it, and none can make it undone.
    '/status',
    ...sanitised.held.map((pointer) => namedPointer(live, pointer)),
  ];
  const aim = pickFields(wanted, live, kept) as KubeObject;
  const changes = difference(live as Json, aim as Json);
  // Most are equal, and nothing is told of these.
  if (changes.length === 0) return { live, wanted: aim, changes, secrets: sanitised.secrets };
  const coming = sanitise(copy(aim), resource, leavingNothingOut(rules), { ...options, includeOwned: true });
  const secrets = new Set([...sanitised.secrets, ...(isLeftOut(coming) ? [] : coming.secrets)]);
  return { live, wanted: aim, changes, secrets: [...secrets] };
}

function leavingNothingOut(rules: RuleSet): RuleSet {
  return {
    ...rules,
    statesFor: (resource) => {
      const states = rules.statesFor(resource);
      return { ...states, rules: states.rules.filter(({ rule }) => rule.verdict !== 'never') };
    },
  };
}
