import { writersOf } from './evidence-fields.ts';
import { isAsked } from './evidence-writers.ts';
import { compileGlob, compileGlobs } from './glob.ts';
import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from './object.ts';
import { parsePointer, valuesAt } from './pointer.ts';
import { FACTS } from './rule-facts.ts';
import type { Match, MatchTest } from './rule-match.ts';
import type { Condition, FieldTests } from './rules/rule.ts';

/** A condition as one test; every part that is given must hold. */
export function compileCondition(condition: Condition): MatchTest {
  const tests = [...objectTests(condition), ...valueTests(condition)];
  if (condition.any !== undefined) {
    const any = condition.any.map(compileCondition);
    tests.push((match) => any.some((test) => test(match)));
  }
  if (condition.not !== undefined) {
    const not = compileCondition(condition.not);
    tests.push((match) => !not(match));
  }
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (match) => tests.every((test) => test(match));
}

function objectTests(condition: Condition): MatchTest[] {
  const tests: MatchTest[] = [];
  for (const key of ['name', 'namespace'] as const) {
    const globs = condition[key];
    if (globs === undefined) continue;
    const matches = compileGlobs(globs);
    tests.push(({ object }) => matches(stringAt(objectAt(object, 'metadata'), key) ?? ''));
  }
  for (const key of ['annotations', 'labels'] as const) {
    const globs = condition[key];
    if (globs === undefined) continue;
    const matches = globs.map(compilePair);
    tests.push(({ object }) => hasPair(objectAt(objectAt(object, 'metadata'), key), matches));
  }
  if (condition.owners !== undefined) tests.push(ownersTest(condition.owners));
  if (condition.fields !== undefined) {
    const matches = compileFields(condition.fields);
    tests.push(({ object }) => matches(object));
  }
  if (condition.fact !== undefined) tests.push(FACTS[condition.fact].test);
  return tests;
}

function valueTests(condition: Condition): MatchTest[] {
  const tests: MatchTest[] = [];
  const { value, parts, around, writer } = condition;
  if (value !== undefined) {
    const matches = compileGlobs(value);
    tests.push((match) => matches(scalarText(match.value)));
  }
  if (parts !== undefined) {
    const matches = compileFields(parts);
    tests.push((match) => matches(match.value));
  }
  if (around !== undefined) {
    const matches = compileFields(around.parts);
    tests.push(({ holders }) => matches(holders.at(-around.levels)));
  }
  if (writer !== undefined) {
    const matches = compileGlobs(writer);
    tests.push((match) => isWrittenBy(match, matches));
  }
  return tests;
}

function isWrittenBy(match: Match, matches: (manager: string) => boolean): boolean {
  const writers = writersOf(match.evidence.managedFields, match.object, match.path);
  return writers.some((writer) => matches(writer.manager)) && !writers.some(isAsked);
}

type Pair = (key: string, value: Json | undefined) => boolean;

function compilePair(glob: string): Pair {
  const equals = glob.indexOf('=');
  const key = compileGlob(equals === -1 ? glob : glob.slice(0, equals));
  if (equals === -1) return key;
  const value = compileGlob(glob.slice(equals + 1));
  return (name, text) => key(name) && typeof text === 'string' && value(text);
}

function hasPair(map: JsonObject | undefined, matches: readonly Pair[]): boolean {
  for (const key in map) if (matches.some((test) => test(key, map[key]))) return true;
  return false;
}

function ownersTest(globs: readonly string[]): MatchTest {
  const matches = globs.map((glob) => {
    const [kind, name] = glob.split('/', 2);
    return { kind: compileGlob(kind ?? ''), name: compileGlob(name ?? '*') };
  });
  return ({ object }) =>
    arrayAt(objectAt(object, 'metadata'), 'ownerReferences').some((owner) => {
      const [kind, name] = [stringAt(owner, 'kind') ?? '', stringAt(owner, 'name') ?? ''];
      return matches.some((test) => test.kind(kind) && test.name(name));
    });
}

/** A field of which nothing is there, or null, matches no glob. */
function compileFields(fields: FieldTests): (root: Json | undefined) => boolean {
  const tests = Object.entries(fields).map(([pointer, globs]) => {
    const segments = parsePointer(pointer);
    const matches = compileGlobs(globs);
    return (root: Json | undefined) =>
      valuesAt(root, segments).some((value) => value !== null && matches(scalarText(value)));
  });
  return (root) => tests.every((test) => test(root));
}

/** Text to compare with globs; objects and arrays, which have none, are '' and so match only '*'. */
function scalarText(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : '';
}

/** The condition in words, for people: 'its type is LoadBalancer and not (annotation x is present)'. */
export function renderCondition(condition: Condition): string {
  const { name, namespace, annotations, labels, owners, fields, value, parts, around, writer, fact, any, not } =
    condition;
  const words: string[] = [];
  const oneOf = (globs: readonly string[]) => globs.join(' or ');
  const renderFields = (tests: FieldTests) =>
    Object.entries(tests).map(([at, globs]) => (globs[0] === '*' ? `${at} is there` : `${at} is ${oneOf(globs)}`));
  if (name !== undefined) words.push(`name is ${oneOf(name)}`);
  if (namespace !== undefined) words.push(`namespace is ${oneOf(namespace)}`);
  if (annotations !== undefined) words.push(`annotation ${oneOf(annotations)} is there`);
  if (labels !== undefined) words.push(`label ${oneOf(labels)} is there`);
  if (owners !== undefined) words.push(`owner is ${oneOf(owners)}`);
  if (fields !== undefined) words.push(...renderFields(fields));
  if (value !== undefined) words.push(`the value is ${oneOf(value)}`);
  if (parts !== undefined) words.push(...renderFields(parts).map((part) => `its ${part}`));
  if (around !== undefined) words.push(...renderFields(around.parts).map((part) => `${part} around it`));
  if (writer !== undefined) words.push(`written by ${oneOf(writer)}`);
  if (fact !== undefined) words.push(FACTS[fact].words);
  if (any !== undefined) words.push(`(${any.map(renderCondition).join(', or ')})`);
  if (not !== undefined) words.push(`not (${renderCondition(not)})`);
  return words.join(' and ');
}

/** Is it a condition that no object can fail? */
export function isEmptyCondition(condition: Condition | undefined): boolean {
  return condition === undefined || !isJsonObject(condition) || Object.keys(condition).length === 0;
}
