import { type Evidence, readEvidence } from './evidence.ts';
import { isJsonObject, type Json, type KubeObject, objectAt, type ResourceName } from './object.ts';
import { renderPointer } from './pointer.ts';
import type { RuleSet } from './rules/rule-set.ts';
import type { SanitiseOptions } from './sanitise-options.ts';
import { applyRemovals, locate } from './sanitise-remove.ts';
import { sortLists } from './sanitise-sort.ts';
import { decideWhole, type Recorded, startWalk, type Walk, walkObject } from './sanitise-walk.ts';

export { compileRules, type RuleSet } from './rules/rule-set.ts';

/** An object without what is volatile. */
export interface Sanitised {
  readonly object: KubeObject;
  /** Pointers in the file which alone must not make a commit; conditions and evidence are already decided. */
  readonly held: readonly string[];
  /** Pointers of arrays whose order alone must not make a commit. */
  readonly heldOrder: readonly string[];
  /** What goes to the commit's trailers; pointers of the object as it came. */
  readonly recorded: readonly Recorded[];
  /** Pointers of secret leaf values: the secrets policy must seal each before anything is written. */
  readonly secrets: readonly string[];
  readonly evidence: Evidence;
  /** The object is being deleted and waits for its finalizers. */
  readonly terminating: boolean;
}

export interface LeftOut {
  readonly leftOut: true;
  readonly rule: string;
  readonly reason: string;
}

export function isLeftOut(result: Sanitised | LeftOut): result is LeftOut {
  return 'leftOut' in result;
}

/**
 * Takes what is volatile out of an object, in place: the rules of its resource, and `null` values everywhere. Nothing else is
 * touched: no default is taken out, no empty value, no order (but of lists that a rule calls sorted). Sanitising twice is
 * sanitising once. Never throws, whatever the JSON; an object that is left out may have lost its nulls.
 */
export function sanitise(
  object: KubeObject,
  resource: ResourceName,
  rules: RuleSet,
  options: SanitiseOptions,
): Sanitised | LeftOut {
  const walk = startWalk(object, resource, readEvidence(object), options);
  const left = collect(walk, rules);
  return left ?? finish(walk);
}

/** Asks every rule about the object as it came, and notes what is to be done; what one rule takes out, another one may ask about. */
export function collect(walk: Walk, rules: RuleSet): LeftOut | undefined {
  const states = walk.traces === undefined ? rules.statesFor(walk.resource) : rules.allStatesFor(walk.resource);
  decideWhole(walk, states);
  if (walk.never === undefined) walkObject(walk, walk.object, states);
  const { never } = walk;
  return never === undefined ? undefined : { leftOut: true, rule: never.rule.id, reason: never.rule.reason };
}

export function finish(walk: Walk): Sanitised {
  const { object, evidence } = walk;
  const metadata = objectAt(object, 'metadata');
  const terminating = metadata !== undefined && isPresent(metadata['deletionTimestamp']);
  applyRemovals(walk);
  evidence.requested.push(...locate(walk, walk.requested));
  const secrets = locate(walk, walk.secrets);
  const held = walk.heldWhole ? wholePointers(object) : locate(walk, walk.held).reverse();
  const heldOrder = locate(walk, walk.heldOrder);
  sortLists(walk);
  return { object, held, heldOrder, recorded: walk.recorded, secrets, evidence, terminating };
}

function isPresent(value: Json | undefined): boolean {
  return value !== undefined && value !== null;
}

/** What makes up an object whose every change is held, but for what says which object it is. */
function wholePointers(object: KubeObject): readonly string[] {
  const keys = Object.keys(object).filter((key) => !['apiVersion', 'kind', 'metadata'].includes(key));
  const metadata = isJsonObject(object.metadata) ? Object.keys(object.metadata) : [];
  const rest = metadata.filter((key) => key !== 'name' && key !== 'namespace').map((key) => ['metadata', key]);
  return [...keys.map((key) => [key]), ...rest].map(renderPointer);
}
