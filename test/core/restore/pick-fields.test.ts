import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, renderJson } from '../../../controller/core/json.ts';
import type { Json } from '../../../controller/core/object.ts';
import { namedPointer, pickFields } from '../../../controller/core/restore/pick-fields.ts';

const live = {
  spec: {
    replicas: 1,
    containers: [
      { name: 'side', image: 's:1' },
      { name: 'web', image: 'w:2', tty: true },
    ],
    list: ['a', 'b'],
  },
  metadata: { labels: { app: 'web', 'a/b': '1' } },
};
const target = {
  spec: {
    replicas: 3,
    containers: [
      { name: 'web', image: 'w:1' },
      { name: 'new', image: 'n:1' },
    ],
    paused: true,
    list: ['c'],
  },
  metadata: { labels: { app: 'shop' }, annotations: { own: 'x' } },
};

function picked(...fields: string[]): Json {
  return pickFields(live, target, fields);
}

const changed = (
  change: (value: typeof live & { spec: Record<string, unknown>; metadata: Record<string, unknown> }) => void,
): Json => {
  const value = structuredClone(live);
  change(value);
  return value as Json;
};

for (const [field, expected] of [
  ['/spec/replicas', changed(({ spec }) => Object.assign(spec, { replicas: 3 }))],
  ['/spec/paused', changed(({ spec }) => Object.assign(spec, { paused: true }))],
  [
    '/spec/containers/[web]/image',
    changed(({ spec }) => Object.assign(spec.containers[1] as object, { image: 'w:1' })),
  ],
  ['/spec/containers/[web]/tty', changed(({ spec }) => delete (spec.containers[1] as { tty?: boolean }).tty)],
  ['/spec/containers/[side]', changed(({ spec }) => spec.containers.splice(0, 1))],
  ['/spec/containers/[new]', changed(({ spec }) => spec.containers.push({ name: 'new', image: 'n:1' } as never))],
  ['/spec/containers/[new]/image', changed(() => undefined)],
  ['/spec/containers/0/image', changed(({ spec }) => Object.assign(spec.containers[0] as object, { image: 'w:1' }))],
  ['/spec/list/[1]', changed(({ spec }) => spec.list.splice(1, 1))],
  ['/spec/list', changed(({ spec }) => Object.assign(spec, { list: ['c'] }))],
  ['/metadata/labels/a~1b', changed(({ metadata }) => delete (metadata.labels as Record<string, string>)['a/b'])],
  ['/metadata/annotations/own', changed(({ metadata }) => Object.assign(metadata, { annotations: { own: 'x' } }))],
  ['/spec/nothing/here', changed(() => undefined)],
  ['/spec/replicas/deeper', changed(() => undefined)],
  ['', target],
] as const) {
  test(`"${field}" alone is taken over`, () => {
    const before = renderJson(live);
    assert.equal(renderJson(picked(field)), renderJson(expected as Json));
    assert.equal(renderJson(live), before);
  });
}

test('several fields are taken over together', () => {
  assert.deepEqual(pickFields({ a: 1, b: 2, c: 3 }, { a: 4, b: 5 }, ['/a', '/c']), { a: 4, b: 2 });
});

test('a key that looks like a prototype is a key, and exact numbers stay exact', () => {
  const picked = pickFields(parseJson('{"a":1.0}'), parseJson('{"__proto__":{"x":1e3},"a":2.0}'), [
    '/__proto__/x',
    '/a',
  ]);
  assert.equal(JSON.stringify(picked), '{"__proto__":{"x":1e3},"a":2.0}');
});

test('a place by index is named, so that it is the same element elsewhere', () => {
  assert.equal(namedPointer(live, '/spec/containers/1/image'), '/spec/containers/[web]/image');
  assert.equal(namedPointer(live, '/spec/containers/7/image'), '/spec/containers/7/image');
  assert.equal(namedPointer(live, '/spec/list/1'), '/spec/list/1');
  assert.equal(namedPointer(live, '/metadata/labels/a~1b'), '/metadata/labels/a~1b');
  assert.equal(namedPointer(live, ''), '');
  const here = { ports: [{ name: 'new' }, { name: 'http' }] };
  const there = { ports: [{ name: 'http', nodePort: 30080 }] };
  const taken = pickFields(
    here,
    there,
    ['/ports/0/nodePort', '/ports/1/nodePort'].map((one) => namedPointer(here, one)),
  );
  assert.deepEqual(taken, { ports: [{ name: 'new' }, { name: 'http', nodePort: 30080 }] });
});
