import jsonPatch, { type Operation } from 'fast-json-patch';
import { readEvidence } from './evidence.ts';
import type { Json, KubeObject, ResourceName } from './object.ts';
import { renderCondition } from './rule-condition.ts';
import type { Verdict } from './rules/rule.ts';
import type { CompiledRule, RuleSet } from './rules/rule-set.ts';
import { collect, finish, type LeftOut, type Sanitised } from './sanitise.ts';
import { copy } from './sanitise-held.ts';
import type { SanitiseOptions } from './sanitise-options.ts';
import { startWalk, type Trace } from './sanitise-walk.ts';

/** What the rules say, for people. */

export interface RuleRow {
  readonly pointer: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly id: string;
  /** In words; undefined: always. */
  readonly when: string | undefined;
  readonly secret: boolean;
  readonly source: 'built-in' | 'user';
  readonly since: string | undefined;
}

/** The rules of a resource by pointer, at one pointer in the order in which they decide. */
export function explainRules(resource: ResourceName, rules: RuleSet): readonly RuleRow[] {
  const rows = rules.rulesFor(resource).map(renderRule);
  return rows.sort((left, right) => (left.pointer < right.pointer ? -1 : left.pointer > right.pointer ? 1 : 0));
}

export interface MatchRow extends RuleRow {
  /** Concrete; `pointer` is the rule's own. */
  readonly at: string;
  /** A short scalar that is not secret. */
  readonly value: string | undefined;
  /** False: a rule of more weight decided about this place. */
  readonly decides: boolean;
}

export interface ObjectExplanation {
  /** Set when the object is not archived. */
  readonly leftOut: LeftOut | undefined;
  readonly matches: readonly MatchRow[];
  /** From the object as it came to the one in the file, as a JSON Patch (RFC 6902). */
  readonly patch: readonly Operation[];
  /** Undefined when it is left out. The secret values are still in it. */
  readonly sanitised: Sanitised | undefined;
}

/** What each rule did to a live object; the object stays as it is. */
export function explainObject(
  object: KubeObject,
  resource: ResourceName,
  rules: RuleSet,
  options: SanitiseOptions,
): ObjectExplanation {
  const after = copy(object);
  const traces: Trace[] = [];
  const walk = startWalk(after, resource, readEvidence(after), options, traces);
  const leftOut = collect(walk, rules);
  const matches = renderMatches(traces);
  if (leftOut !== undefined) return { leftOut, matches, patch: [], sanitised: undefined };
  const sanitised = finish(walk);
  return { leftOut: undefined, matches, patch: effectOf(object, sanitised), sanitised };
}

/** Lists that moved are written anew in a patch, so what is secret in them is masked. */
function effectOf(before: KubeObject, { object, secrets }: Sanitised): readonly Operation[] {
  return jsonPatch
    .compare(before, object)
    .map((operation) =>
      'value' in operation &&
      secrets.some((secret) => isWithin(secret, operation.path) || isWithin(operation.path, secret))
        ? { ...operation, value: '(secret)' }
        : operation,
    );
}

function isWithin(pointer: string, around: string): boolean {
  return pointer === around || pointer.startsWith(`${around}/`);
}

function renderMatches(traces: readonly Trace[]): readonly MatchRow[] {
  const secrets = traces.filter(({ compiled }) => compiled.rule.secret === true).map(({ pointer }) => pointer);
  const isSecret = (at: string) =>
    at.includes('last-applied-configuration') || secrets.some((secret) => isWithin(at, secret));
  return traces.map(({ compiled, pointer, value, decides }) => ({
    ...renderRule(compiled),
    at: pointer,
    value: isSecret(pointer) ? undefined : renderScalar(value),
    decides,
  }));
}

function renderRule({ rule, source }: CompiledRule): RuleRow {
  const { pointer, verdict, reason, id, since } = rule;
  const when = rule.when === undefined ? undefined : renderCondition(rule.when);
  return { pointer, verdict, reason, id, when, secret: rule.secret === true, source, since };
}

const LONGEST_VALUE = 60;

function renderScalar(value: Json): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (JSON.isRawJSON(value)) return value.rawJSON;
  return typeof value === 'string' && value.length <= LONGEST_VALUE ? value : undefined;
}
