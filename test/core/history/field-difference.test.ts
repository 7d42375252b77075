import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldDifferences } from '../../../controller/core/history/field-difference.ts';
import { renderField } from '../../../controller/core/history/render-fields.ts';
import { renderJson } from '../../../controller/core/json.ts';
import type { Json } from '../../../controller/core/object.ts';

function shown(before: Json, after: Json): string[] {
  return fieldDifferences(renderJson(before), renderJson(after))
    .flatMap(renderField)
    .map(({ sign, text }) => `${sign} ${text}`);
}

test('fields are told with what they were and what they are, elements of lists by name', () => {
  const of = (image: string, replicas: number, labels: { [key: string]: string }) => ({
    metadata: { labels },
    spec: {
      replicas,
      containers: [
        { name: 'side', image: 'x' },
        { name: 'web', image },
      ],
    },
  });
  assert.deepEqual(shown(of('shop:1', 1, { 'a.b/c': 'x y' }), of('shop:2', 3, { tier: 'web' })).sort(), [
    '+ metadata.labels.tier: web',
    '- metadata.labels["a.b/c"]: "x y"',
    '~ spec.containers[web].image: shop:1 -> shop:2',
    '~ spec.replicas: 1 -> 3',
  ]);
});

test('what is added as a structure is told as it stands in the file', () => {
  const added = { name: 'new', ports: [{ name: 'web', port: 80 }], args: ['-v', '--x'] };
  const [field] = fieldDifferences(renderJson({ spec: [{ name: 'a' }] }), renderJson({ spec: [{ name: 'a' }, added] }));
  assert.deepEqual(field?.after, added);
  assert.equal(field?.pointer, '/spec/[new]');
});

test('texts of several lines are told by their lines', () => {
  const lines = shown({ data: { conf: 'a\nb\nc\nd\n' } }, { data: { conf: 'a\nb\nC\nd\n' } });
  assert.deepEqual(
    lines,
    ['~ data.conf:', '    b', '-   -c', '+   +C', '    d'].map((line) =>
      line.replace('    b', '     b').replace('    d', '     d'),
    ),
  );
});

test('secret values are only ever said to have changed, whatever stands for them', () => {
  for (const [old, new_] of [
    ['kubekeeper:hmac-sha256:11', 'kubekeeper:hmac-sha256:22'],
    ['ENC[AES256_GCM,data:one]', 'ENC[AES256_GCM,data:two]'],
    ['kubekeeper:omitted', 'kubekeeper:changed'],
  ] as const) {
    const before = { data: { p: old, gone: old } };
    const after = { data: { p: new_, come: new_ } };
    const fields = fieldDifferences(renderJson(before), renderJson(after));
    for (const field of fields)
      assert.deepEqual([field.before, field.after, field.isSecret], [undefined, undefined, true]);
    const text = shown(before, after).join('\n');
    assert.doesNotMatch(text, /hmac|ENC|omitted|kubekeeper/);
    assert.match(text, /^~ data\.p: changed$/m);
    assert.doesNotMatch(JSON.stringify(fields), /hmac|ENC\[|omitted/);
  }
});

test('an exact number and a name with control characters are told safely, on one line', () => {
  const fields = fieldDifferences('{"n": 1.0}', '{"n": 12345678901234567890}');
  assert.equal(JSON.stringify(fields[0]?.after), '12345678901234567890');
  const text = shown({ data: {} }, { data: { 'a\u001b[31mb': 'x\u0007y' } }).join('|');
  assert.doesNotMatch(text, /\p{Cc}/u);
});

test('a file that is no JSON differs as a whole and shows nothing of itself', () => {
  const [field] = fieldDifferences('{"password": "hunter2"', '{}');
  assert.deepEqual(
    [field?.change, field?.before, field?.after, field?.isSecret],
    ['changed', undefined, undefined, true],
  );
  assert.equal(fieldDifferences('not json', 'not json').length, 0);
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  assert.equal(fieldDifferences(deep, '{}').length, 1);
});
