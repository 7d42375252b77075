import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { Json, KubeObject } from '../../controller/core/object.ts';
import { parsePointer } from '../../controller/core/pointer.ts';
import { KNOWN_RESOURCES } from '../../controller/core/rule-resources.ts';
import { BUILT_IN_RULES } from '../../controller/core/rules/built-in.ts';
import { isLeftOut, sanitise } from '../../controller/core/sanitise.ts';
import { builtIn } from './builders.ts';

const resources = [...KNOWN_RESOURCES, 'widgets.example.com'];
/** Words that rules know, so that arbitrary objects run into them. */
const words = [...new Set(BUILT_IN_RULES.flatMap((rule) => parsePointer(rule.pointer)))].filter(
  (word) => !/[*?]/.test(word),
);
const values = [
  'None',
  'true',
  'LoadBalancer',
  'web-token-abcde',
  'orphan',
  'kube-api-access-abcde',
  'Secret',
  'kubernetes.io/service-account-token',
];
const key = fc.oneof(fc.constantFrom(...words), fc.string(), fc.constant('__proto__'));

const { tree } = fc.letrec<{ tree: Json; map: Json }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, false, true, 0, '', ...values),
    fc.string(),
    fc.integer(),
    fc.array(tie('tree'), { maxLength: 4 }),
    tie('map'),
  ),
  map: fc.dictionary(key, tie('tree'), { maxKeys: 6 }),
}));
const map = fc.dictionary(key, tree, { maxKeys: 8 });

/** From nothing like an object to one with metadata in all the right places. */
const objects = fc
  .record({
    apiVersion: fc.constantFrom('v1', 'apps/v1'),
    kind: fc.string(),
    metadata: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          name: fc.constantFrom('web', 'default', 'kubernetes', 'system:x'),
          namespace: fc.constantFrom('default', 'shop'),
          annotations: map,
          labels: map,
          finalizers: fc.array(fc.constantFrom('orphan', 'a/b', 'c/d')),
          managedFields: fc.array(tree),
          uid: fc.string(),
          creationTimestamp: tree,
        }),
      },
      { weight: 1, arbitrary: tree },
    ),
    spec: tree,
    data: tree,
    status: tree,
    rest: map,
  })
  .map(({ rest, ...object }) => Object.assign(Object.create(null), rest, object) as Json)
  .map((object) => parseJson(JSON.stringify(object)) as KubeObject);

function run(object: KubeObject, resource: string): string | undefined {
  const result = sanitise(object, resource, builtIn, { includeOwned: true });
  return isLeftOut(result) ? undefined : renderJson(result.object);
}

const copyOf = (object: KubeObject) => parseJson(JSON.stringify(object)) as KubeObject;

test('sanitising twice is sanitising once, and no JSON makes it throw', () => {
  fc.assert(
    fc.property(objects, fc.constantFrom(...resources), (object, resource) => {
      const once = run(object, resource);
      if (once !== undefined) assert.equal(run(parseJson(once) as KubeObject, resource), once);
    }),
    { numRuns: 2000 },
  );
});

test('the order of keys makes no difference', () => {
  const turned = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(turned);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value)
      .reverse()
      .map(([name, child]) => `${JSON.stringify(name)}:${JSON.stringify(turned(child as Json))}`);
    return JSON.parse(`{${entries.join(',')}}`) as Json;
  };
  fc.assert(
    fc.property(objects, fc.constantFrom(...resources), (object, resource) => {
      const other = turned(copyOf(object)) as KubeObject;
      assert.equal(run(other, resource), run(object, resource));
    }),
    { numRuns: 1000 },
  );
});

test('fields that no rule knows come out as they went in', () => {
  const unknown = fc.dictionary(
    fc.string().map((name) => `x-${name}`),
    tree.map((value) => JSON.parse(JSON.stringify(value, (_, child) => (child === null ? 0 : child))) as Json),
  );
  fc.assert(
    fc.property(unknown, fc.constantFrom(...resources), (fields, resource) => {
      const object = {
        apiVersion: 'v1',
        kind: 'X',
        metadata: { name: 'a' },
        spec: { inside: fields },
        ...fields,
      } as KubeObject;
      const before = renderJson(object);
      const after = run(object, resource);
      if (after !== undefined) assert.equal(after, before);
    }),
    { numRuns: 1000 },
  );
});

test('every secret pointer leads to a value of the file', () => {
  fc.assert(
    fc.property(
      objects,
      fc.constantFrom('secrets', 'templates.template.openshift.io', 'routes.route.openshift.io'),
      (object, resource) => {
        const result = sanitise(object, resource, builtIn, { includeOwned: true });
        if (isLeftOut(result)) return;
        for (const pointer of result.secrets) {
          const value = parsePointer(pointer).reduce<unknown>(
            (found, name) => (found as Record<string, unknown>)[name],
            result.object,
          );
          assert.notEqual(value, undefined, pointer);
          assert.ok(typeof value !== 'object' || value === null, pointer);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
