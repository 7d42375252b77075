import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { Json } from '../../controller/core/object.ts';
import { renderYaml } from '../../controller/core/render-yaml.ts';

test('a manifest reads as people write it', () => {
  const object =
    parseJson(`{"data": {"a": "one\\ntwo\\n", "b": "no newline\\nat the end"}, "kind": "ConfigMap", "apiVersion": "v1",
    "metadata": {"name": "x", "labels": {"yes": "on", "n": "1"}}, "list": [{"a": 1, "b": [[], {}]}, "x:y", 1.0, 1e400, 9007199254740993, null, true]}`);
  assert.equal(
    renderYaml(object),
    `apiVersion: v1
kind: ConfigMap
metadata:
  name: x
  labels:
    "yes": "on"
    "n": "1"
data:
  a: |
    one
    two
  b: |-
    no newline
    at the end
list:
- a: 1
  b:
  - []
  - {}
- x:y
- 1.0
- 1e400
- 9007199254740993
- null
- true
`,
  );
});

const odd = [
  'yes',
  'NO',
  'on',
  '~',
  'null',
  '0x1f',
  '1_000',
  '1:30',
  '012',
  '2026-11-20',
  '.inf',
  '=',
  '<<',
  '- a',
  '# x',
  'a: b',
  'a:',
  ' a',
  'a ',
]
  .concat([
    '',
    '\n',
    'a\n',
    'a\n\n',
    '\na',
    ' a\nb',
    'a\n b',
    'a \nb',
    'a\n\n\nb',
    'a\r\nb',
    '\t',
    'a\n\tb',
    '|',
    '---',
    '---\na',
    'a\n---\nb',
    'a\n...\nb',
  ])
  .concat([
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u007f',
    '😀',
    '!x',
    '&a',
    '*a',
    '%a',
    '@a',
    '`a',
    '{a',
    '[a',
    '"a',
    "'a",
    'x'.repeat(2000),
    '\\n',
  ]);

test('whatever a text is, a reader of YAML 1.1 and one of 1.2 get the same back', () => {
  const text = fc.oneof(
    fc.constantFrom(...odd),
    fc.string({ unit: 'grapheme' }),
    fc.stringMatching(/^[ \na:#-]{0,12}$/),
  );
  const value = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        tie('json'),
        { maxKeys: 4 },
      ) as fc.Arbitrary<Json>,
    ),
  })).json;
  fc.assert(
    fc.property(fc.dictionary(text, value, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<Json>, (json) => {
      const yaml = renderYaml(json);
      for (const version of ['1.1', '1.2'] as const)
        assert.equal(renderJson(parse(yaml, { version, merge: false }) as Json), renderJson(json), yaml);
    }),
    { numRuns: 500 },
  );
});
