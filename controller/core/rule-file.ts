import { isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { KeeperError } from '../errors.ts';
import { compileGlob } from './glob.ts';
import { nearestFirst } from './nearest.ts';
import { parseResourceName } from './object.ts';
import { parsePointer, pointerFault } from './pointer.ts';
import { keysAt, type RuleEntry, ruleFileSchema } from './rule-file-schema.ts';
import { KNOWN_RESOURCES, mayBeServed } from './rule-resources.ts';
import { BUILT_IN_RULES } from './rules/built-in.ts';
import type { Condition, Rule } from './rules/rule.ts';

type Path = readonly PropertyKey[];
type Refuse = (path: Path, fault: string) => KeeperError;

/**
 * Reads a file of rules, YAML or JSON:
 *
 *     rules:
 *       - resources: [deployments.apps]         # as kubectl spells them; globs; a single one without brackets
 *         pointer: /metadata/annotations/example.com~1build   # RFC 6901; '' the whole object; '*' any key or index
 *         verdict: strip                        # strip, restore-only, keep, hold, record or never
 *         reason: A stamp of our build          # optional
 *         when: { namespace: [ci-*] }           # optional; every part must hold, see Condition
 *         secret: true                          # optional: the value is sealed by the secrets policy
 *       - id: never-nodes                       # the id of a built-in rule replaces it; its resources, pointer and
 *         verdict: keep                         # condition are taken over where the rule names neither place
 *
 * Throws KeeperError RULES_INVALID: one line with file:line:column that names the nearest valid thing. `file` is only for that.
 */
export function parseRuleFile(text: string, file: string): readonly Rule[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuseAt = (offset: number, fault: string, cause?: unknown) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return new KeeperError(
      `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${fault.replace(/\s+/g, ' ')}; nothing was changed`,
      {
        kind: 'invalid-input',
        code: 'RULES_INVALID',
        ...(cause === undefined ? {} : { cause }),
      },
    );
  };
  const [broken] = document.errors;
  if (broken !== undefined)
    throw refuseAt(broken.pos[0], `not valid YAML: ${firstLine(broken.message)}${hint(text, broken.pos[0])}`, broken);
  // YAML reads an unquoted '*' as the use of an anchor.
  visit(document, {
    Alias: (_, { source, range }) => {
      throw refuseAt(range?.[0] ?? 0, `a glob that begins with '*' needs quotes; nearest: "*${source}"`);
    },
  });
  const refuse: Refuse = (path, fault) => refuseAt(offsetOf(document, path), fault);
  const value: unknown = document.toJS();
  if (value === null || value === undefined) return [];
  const parsed = ruleFileSchema.safeParse(value);
  if (!parsed.success) throw refuseIssue(parsed.error.issues, value, refuse);
  return (parsed.data.rules ?? []).map((entry, index) => readRule(entry, index, refuse));
}

/** YAML takes an unquoted glob of nothing but '*' for an anchor without a name. */
function hint(text: string, offset: number): string {
  return text[offset] === '*' ? `; a glob that begins with '*' needs quotes; nearest: "*"` : '';
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/[.:]$/, '');
}

/** The offset of what stands at a path: of a key where there is one, else of what is nearest around it. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number {
  const parent = path.length === 0 ? undefined : path.slice(0, -1);
  const holder = parent === undefined ? undefined : document.getIn(parent, true);
  if (isMap(holder)) {
    const pair = holder.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
  }
  const node = document.getIn(path, true) as { range?: readonly number[] } | undefined;
  if (node?.range?.[0] !== undefined) return node.range[0];
  return parent === undefined ? 0 : offsetOf(document, parent);
}

function refuseIssue(issues: readonly z.core.$ZodIssue[], value: unknown, refuse: Refuse): KeeperError {
  const issue = issues[0] as z.core.$ZodIssue;
  const { path } = issue;
  const place = renderPath(path);
  if (issue.code === 'unrecognized_keys') {
    const key = String(issue.keys[0]);
    return refuse([...path, key], `key "${key}" is not known; nearest: "${nearestFirst(keysAt(path), key)[0]}"`);
  }
  const found = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  if (issue.code === 'invalid_value' && typeof found === 'string') {
    const name = String(path.at(-1));
    return refuse(
      path,
      `${name} "${found}" is not known; nearest: "${nearestFirst(issue.values.map(String), found)[0]}"`,
    );
  }
  if (found === undefined && path.length > 0) {
    const values = issue.code === 'invalid_value' ? `; one of ${issue.values.map(String).join(', ')}` : '';
    return refuse(path.slice(0, -1), `${place} is missing${values}`);
  }
  if (path.at(-1) === 'id')
    return refuse(path, `id ${JSON.stringify(found)} is not kebab-case, like "${kebabOf(found)}"`);
  return refuse(path, `${place === '' ? 'the file' : place} is not what it should be: ${firstLine(issue.message)}`);
}

function kebabOf(found: unknown): string {
  const words = String(found)
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();
  return words.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'my-rule';
}

function renderPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function readRule(entry: RuleEntry, index: number, refuse: Refuse): Rule {
  const path = ['rules', index];
  const { resources, pointer, when } = readPlace(entry, path, refuse);
  for (const name of entry.resources ?? []) checkResource(name, [...path, 'resources'], refuse);
  checkPointer(pointer, entry, [...path, 'pointer'], refuse);
  if (when !== undefined) checkCondition(when, [...path, 'when'], refuse);
  return {
    id: entry.id ?? `user-${index + 1}`,
    resources,
    pointer,
    verdict: entry.verdict,
    reason: entry.reason ?? 'By a rule of your own',
    ...(when === undefined ? {} : { when }),
    ...(entry.secret === undefined ? {} : { secret: entry.secret }),
  };
}

/** A rule that only names a built-in one is about the same place. */
function readPlace(entry: RuleEntry, path: Path, refuse: Refuse): Pick<Rule, 'resources' | 'pointer' | 'when'> {
  const { id, resources, pointer, when } = entry;
  const given = when === undefined ? {} : { when };
  if (resources !== undefined && pointer !== undefined) return { resources, pointer, ...given };
  const missing = resources === undefined ? 'resources' : 'pointer';
  if (id === undefined) throw refuse(path, `rule has no ${missing}; say which, or name a built-in rule by its id`);
  const replaced = BUILT_IN_RULES.find((rule) => rule.id === id);
  if (replaced === undefined) {
    const [meant] = nearestFirst(
      BUILT_IN_RULES.map((rule) => rule.id),
      id,
    );
    throw refuse(
      [...path, 'id'],
      `rule "${id}" has no ${missing}, and no built-in rule has this id; nearest: "${meant}"`,
    );
  }
  if (resources !== undefined || pointer !== undefined) {
    throw refuse(
      path,
      `rule "${id}" has no ${missing}; give both resources and pointer, or neither to take those of the built-in rule`,
    );
  }
  const inherited = replaced.when === undefined ? {} : { when: replaced.when };
  return { resources: replaced.resources, pointer: replaced.pointer, ...inherited, ...given };
}

function checkResource(name: string, path: Path, refuse: Refuse): void {
  if (/[*?]/.test(name) && !/[/\s]/.test(name)) return;
  if (mayBeServed(name)) return;
  const bare = (name.split('/').at(-1) ?? name).toLowerCase();
  // Both spellings are candidates, so that 'deployment' is near 'deployments.apps'.
  const spellings = new Map(
    [...KNOWN_RESOURCES].flatMap((known) => [
      [parseResourceName(known).plural, known] as const,
      [known, known] as const,
    ]),
  );
  const [spelling = ''] = nearestFirst([...spellings.keys()], bare);
  const meant = spellings.get(spelling);
  throw refuse(path, `resource "${name}" is not spelt as kubectl does (PLURAL.GROUP); nearest: "${meant}"`);
}

const IDENTITY = [['apiVersion'], ['kind'], ['metadata'], ['metadata', 'name'], ['metadata', 'namespace']];

function checkPointer(pointer: string, entry: RuleEntry, path: Path, refuse: Refuse): void {
  const wrong = pointerFault(pointer);
  if (wrong !== undefined) throw refuse(path, `pointer "${pointer}" ${wrong.fault}; nearest: "${wrong.nearest}"`);
  if (entry.verdict !== 'strip' && entry.verdict !== 'record') return;
  if (pointer === '')
    throw refuse(path, `${entry.verdict} of the whole object would leave no file; nearest verdict: "never"`);
  const segments = parsePointer(pointer);
  const hit = IDENTITY.find(
    (place) => place.length === segments.length && place.every((key, at) => compileGlob(segments[at] ?? '')(key)),
  );
  if (hit !== undefined) {
    throw refuse(
      path,
      `pointer "${pointer}" would take out /${hit.join('/')}, which says what object it is; nearest: "/metadata/labels/*"`,
    );
  }
}

function checkCondition(condition: Condition, path: Path, refuse: Refuse): void {
  const tests = { fields: condition.fields, parts: condition.parts, around: condition.around?.parts };
  for (const [key, fields] of Object.entries(tests)) {
    for (const pointer of Object.keys(fields ?? {})) {
      const wrong = pointerFault(pointer);
      if (wrong !== undefined)
        throw refuse([...path, key], `pointer "${pointer}" ${wrong.fault}; nearest: "${wrong.nearest}"`);
    }
  }
  for (const [index, one] of (condition.any ?? []).entries()) checkCondition(one, [...path, 'any', index], refuse);
  if (condition.not !== undefined) checkCondition(condition.not, [...path, 'not'], refuse);
}
