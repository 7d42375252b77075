import { compileGlobs } from '../glob.ts';
import type { ResourceName } from '../object.ts';
import { parsePointer } from '../pointer.ts';
import { compileCondition, isEmptyCondition } from '../rule-condition.ts';
import type { MatchTest } from '../rule-match.ts';
import { buildStates, type State } from '../rule-states.ts';
import { BUILT_IN_RULES, RULES_VERSION } from './built-in.ts';
import type { Rule, Verdict } from './rule.ts';

/** A rule, made ready to be asked. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly source: 'built-in' | 'user';
  readonly segments: readonly string[];
  /** Undefined: always. */
  readonly test: MatchTest | undefined;
  readonly order: number;
}

export interface RuleSet {
  /** '1', or '1+ab12cd34' with a digest of the user's rules: a change of either rewrites the files in a commit of its own. */
  readonly version: string;
  /** The rules that apply to a resource, those of the user last. */
  rulesFor(resource: ResourceName): readonly CompiledRule[];
  /** The pointers of those that do something while archiving, as one automaton; made once per resource. */
  statesFor(resource: ResourceName): State<CompiledRule>;
  /** The same of all rules, to tell people about. */
  allStatesFor(resource: ResourceName): State<CompiledRule>;
  /** The rule by which no object of the resource is archived, whatever is in it: there is no need to list it. */
  neverArchives(resource: ResourceName): Rule | undefined;
}

/**
 * The built-in rules with the user's on top. At one place, the user's rules decide before the built-in ones and the later of them
 * before the earlier; of the built-in ones, never, strip and record decide before hold, hold before restore-only, and keep last.
 * A user's rule replaces a built-in one of the same id. What a built-in rule calls secret stays secret.
 */
export function compileRules(user: readonly Rule[] = []): RuleSet {
  const replaced = new Set(user.map((rule) => rule.id));
  const standing = BUILT_IN_RULES.filter((rule) => rule.secret === true || !replaced.has(rule.id));
  const rules = [
    ...standing.map((rule, order) => compileRule(rule, 'built-in', order)),
    ...user.map((rule, order) => compileRule(rule, 'user', order)),
  ];
  const rulesFor = remember((resource) => rules.filter(({ matches }) => matches(resource)));
  const statesFor = remember((resource) =>
    buildStates<CompiledRule>(rulesFor(resource).filter(acts), comparePrecedence),
  );
  const allStatesFor = remember((resource) => buildStates<CompiledRule>(rulesFor(resource), comparePrecedence));
  return {
    version: user.length === 0 ? String(RULES_VERSION) : `${RULES_VERSION}+${digest(JSON.stringify(user))}`,
    rulesFor,
    statesFor,
    allStatesFor,
    neverArchives: (resource) => {
      const first = statesFor(resource).rules.find(({ rule, test }) => test === undefined || rule.verdict !== 'never');
      return first?.rule.verdict === 'never' ? first.rule : undefined;
    },
  };
}

function remember<Value>(make: (resource: ResourceName) => Value): (resource: ResourceName) => Value {
  const made = new Map<ResourceName, Value>();
  return (resource) => {
    const known = made.get(resource);
    if (known !== undefined) return known;
    const value = make(resource);
    made.set(resource, value);
    return value;
  };
}

/** A built-in keep or restore-only leaves the file as it is and gives way to every other rule: it is there for people and restores. */
function acts({ rule, source }: CompiledRule): boolean {
  if (source === 'user' || (rule.verdict !== 'keep' && rule.verdict !== 'restore-only')) return true;
  const { secret, recorded, sorted, evenWithin, nullIs, when } = rule;
  return (
    [secret, recorded, sorted, evenWithin, nullIs].some((aspect) => aspect !== undefined) || when?.fact === 'requested'
  );
}

function compileRule(rule: Rule, source: 'built-in' | 'user', order: number) {
  return {
    rule,
    source,
    order,
    segments: parsePointer(rule.pointer),
    test: rule.when === undefined || isEmptyCondition(rule.when) ? undefined : compileCondition(rule.when),
    matches: compileGlobs(rule.resources),
  };
}

const STRENGTH: Readonly<Record<Verdict, number>> = {
  never: 0,
  strip: 1,
  record: 1,
  hold: 2,
  'restore-only': 3,
  keep: 4,
};

function comparePrecedence(left: CompiledRule, right: CompiledRule): number {
  if (left.source !== right.source) return left.source === 'user' ? -1 : 1;
  if (left.source === 'user') return right.order - left.order;
  return STRENGTH[left.rule.verdict] - STRENGTH[right.rule.verdict] || left.order - right.order;
}

/** FNV-1a, 32 bits: it notices a change, it protects from nobody. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
