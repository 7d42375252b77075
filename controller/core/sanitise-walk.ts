import type { Evidence } from './evidence.ts';
import type { Json, JsonObject, KubeObject, ResourceName } from './object.ts';
import { renderPointer } from './pointer.ts';
import type { Match } from './rule-match.ts';
import { type State, step } from './rule-states.ts';
import type { CompiledRule } from './rules/rule-set.ts';
import { dropNulls } from './sanitise-nulls.ts';
import type { SanitiseOptions } from './sanitise-options.ts';
import { noteRemoval } from './sanitise-remove.ts';

/** One walk over an object along the rules' pointers: every rule is asked, nothing but nulls is changed yet. */

/** A place, held by what leads to it: array indexes are still those of the object as it came. */
export interface Place {
  readonly path: readonly string[];
  readonly holders: readonly Json[];
}

export interface Removal {
  readonly holder: JsonObject | Json[];
  readonly key: string;
  /** Where the holder itself lies, to take away a map or list that the removals have emptied. */
  readonly above: JsonObject | Json[] | undefined;
  readonly aboveKey: string;
}

export interface Recorded {
  readonly rule: string;
  readonly pointer: string;
  readonly value: Json;
}

/** What a rule did at a place; kept only for people who ask. */
export interface Trace {
  readonly compiled: CompiledRule;
  readonly pointer: string;
  readonly value: Json;
  /** False: another rule decided about this place. */
  readonly decides: boolean;
}

export interface Walk extends Match {
  value: Json;
  readonly path: string[];
  readonly holders: Json[];
  readonly removals: Removal[];
  readonly kept: Place[];
  readonly held: Place[];
  readonly heldOrder: Place[];
  readonly secrets: Place[];
  readonly requested: Place[];
  readonly sorted: Json[][];
  readonly recorded: Recorded[];
  heldWhole: boolean;
  never: CompiledRule | undefined;
  /** Inside something that is taken out: whose rules say so, the user's if any does. */
  removing: CompiledRule['source'] | undefined;
  readonly traces: Trace[] | undefined;
}

export function startWalk(
  object: KubeObject,
  resource: ResourceName,
  evidence: Evidence,
  options: SanitiseOptions,
  traces?: Trace[],
): Walk {
  return {
    object,
    resource,
    evidence,
    options,
    value: object,
    path: [],
    holders: [],
    removals: [],
    kept: [],
    held: [],
    heldOrder: [],
    secrets: [],
    requested: [],
    sorted: [],
    recorded: [],
    heldWhole: false,
    never: undefined,
    removing: undefined,
    traces,
  };
}

/** What the rules say of the whole object. */
export function decideWhole(walk: Walk, states: State<CompiledRule>): void {
  const decided = decide(walk, states.rules);
  if (decided === undefined) return;
  const { verdict } = decided.rule;
  // The whole cannot be taken out of the file and leave a file.
  if (verdict === 'never' || verdict === 'strip' || verdict === 'record') walk.never = decided;
  if (verdict === 'hold') walk.heldWhole = true;
}

export function walkObject(walk: Walk, holder: JsonObject, state: State<CompiledRule>): void {
  for (const key in holder) {
    const next = step(state, key);
    const value = holder[key] as Json;
    if (next !== undefined) visit(walk, holder, key, value, next);
    else if (value === null) delete holder[key];
    else if (typeof value === 'object') dropNulls(value as JsonObject | Json[]);
  }
}

function walkArray(walk: Walk, holder: Json[], state: State<CompiledRule>): void {
  for (let index = 0; index < holder.length; index++) {
    const key = String(index);
    const next = step(state, key);
    const value = holder[index] as Json;
    if (next !== undefined) visit(walk, holder, key, value, next);
    else if (typeof value === 'object' && value !== null) dropNulls(value as JsonObject | Json[]);
  }
}

function visit(walk: Walk, holder: JsonObject | Json[], key: string, found: Json, state: State<CompiledRule>): void {
  const value = found === null ? fillNull(holder, key, state) : found;
  if (value === undefined) return;
  walk.path.push(key);
  walk.holders.push(holder);
  walk.value = value;
  const decided = state.rules.length === 0 ? undefined : decide(walk, state.rules);
  const removes = decided !== undefined && carryOut(walk, decided);
  if (typeof value === 'object' && value !== null && !isExactNumber(value)) {
    if (removes) walkRemoved(walk, value as JsonObject | Json[], state, decided.source);
    else if (!state.leads) dropNulls(value as JsonObject | Json[]);
    else if (Array.isArray(value)) walkArray(walk, value, state);
    else walkObject(walk, value as JsonObject, state);
  }
  if (removes) noteRemoval(walk, holder, key);
  walk.path.pop();
  walk.holders.pop();
}

/** Asking the engine costs more than a look at the one key that such a number has. */
function isExactNumber(value: object): boolean {
  return 'rawJSON' in value && JSON.isRawJSON(value);
}

/** A null is dropped from an object, or becomes what a rule says; in an array it has a place of its own and stays. */
function fillNull(holder: JsonObject | Json[], key: string, state: State<CompiledRule>): Json | undefined {
  if (Array.isArray(holder)) return null;
  const filling = state.rules.find(({ rule }) => rule.nullIs !== undefined)?.rule.nullIs;
  if (filling === undefined) delete holder[key];
  // The key is there as its own property, so this assigns to it even where it is '__proto__'.
  else holder[key] = filling;
  return filling;
}

/** The first rule, in order of precedence, that applies; what else a rule asks for, each that applies gets. */
function decide(walk: Walk, rules: readonly CompiledRule[]): CompiledRule | undefined {
  let decided: CompiledRule | undefined;
  for (const compiled of rules) {
    if (compiled.test !== undefined && !compiled.test(walk)) continue;
    const decides = decided === undefined;
    if (decides) decided = compiled;
    walk.traces?.push({ compiled, pointer: renderPointer(walk.path), value: walk.value, decides });
    const { rule } = compiled;
    if (rule.secret === true) noteLeaves(walk, walk.value, [...walk.path], [...walk.holders]);
    if (rule.recorded === true) record(walk, compiled);
    if (rule.sorted === true && Array.isArray(walk.value)) walk.sorted.push(walk.value);
  }
  return decided;
}

/** Notes what the verdict asks for; true when the value is to be taken out. */
function carryOut(walk: Walk, decided: CompiledRule): boolean {
  const { rule } = decided;
  switch (rule.verdict) {
    case 'never':
      walk.never ??= decided;
      return false;
    case 'record':
      record(walk, decided);
      return true;
    case 'strip':
      return true;
    case 'hold':
      (rule.orderOnly === true ? walk.heldOrder : walk.held).push(placeOf(walk));
      return false;
    case 'keep':
      if (staysWithin(walk, decided)) walk.kept.push(placeOf(walk));
      if (rule.when?.fact === 'requested') walk.requested.push(placeOf(walk));
      return false;
    default:
      return false;
  }
}

/** What is kept of something that goes; a user who takes all of it out has the word over the built-in rules. */
function staysWithin({ removing }: Walk, { rule, source }: CompiledRule): boolean {
  if (removing === undefined) return false;
  return source === 'user' ? rule.secret !== true : rule.evenWithin === true && removing === 'built-in';
}

function record(walk: Walk, { rule }: CompiledRule): void {
  // A path without wildcards is its own pointer.
  const pointer = rule.pointer.includes('*') ? renderPointer(walk.path) : rule.pointer;
  walk.recorded.push({ rule: rule.id, pointer, value: walk.value });
}

/** Below something that goes, rules may still record, and keep a part. */
function walkRemoved(
  walk: Walk,
  value: JsonObject | Json[],
  state: State<CompiledRule>,
  source: CompiledRule['source'],
): void {
  if (!state.leads) return;
  const { removing } = walk;
  if (removing !== 'user') walk.removing = source;
  if (Array.isArray(value)) walkArray(walk, value, state);
  else walkObject(walk, value, state);
  walk.removing = removing;
}

function noteLeaves(walk: Walk, value: Json, path: string[], holders: Json[]): void {
  if (value === null) return;
  if (typeof value !== 'object' || JSON.isRawJSON(value)) {
    walk.secrets.push({ path, holders });
    return;
  }
  for (const key of Object.keys(value)) {
    noteLeaves(walk, (value as JsonObject)[key] as Json, [...path, key], [...holders, value]);
  }
}

function placeOf(walk: Walk): Place {
  return { path: [...walk.path], holders: [...walk.holders] };
}
