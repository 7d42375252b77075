import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import stringify from 'json-stable-stringify';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { Json } from '../../controller/core/object.ts';

test('numbers come out exactly as they went in', () => {
  const numbers = [
    '9223372036854775807',
    '-9223372036854775808',
    '9007199254740993',
    '1.0',
    '1e3',
    '1E-7',
    '-0',
    '0.10',
  ];
  for (const number of [...numbers, '12345678901234567000', '0', '1', '-1', '0.5', '1.25', '100000']) {
    assert.equal(renderJson(parseJson(`{"a":${number}}`)), `{\n  "a": ${number}\n}\n`, number);
    assert.equal(renderJson(parseJson(`[${number},"x"]`)), `[\n  ${number},\n  "x"\n]\n`, number);
    assert.equal(renderJson(parseJson(`{"a": ${number} }`)), `{\n  "a": ${number}\n}\n`, number);
    assert.equal(renderJson(parseJson(number)), `${number}\n`, number);
  }
});

test('any number text that JSON allows survives at any place', () => {
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.oneof(fc.constant('0'), fc.bigInt({ min: 1n, max: 10n ** 25n }).map(String)),
      fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,20}$/)),
      fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?[0-9]{1,2}$/)),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(number, fc.constantFrom('', ' ', '\n\t'), (text, space) => {
      const document = `{"k":${space}${text}${space},"l":[${space}${text},${space}${text}]}`;
      assert.equal(
        renderJson(parseJson(document)),
        `{\n  "k": ${text},\n  "l": [\n    ${text},\n    ${text}\n  ]\n}\n`,
      );
    }),
    { numRuns: 2000 },
  );
});

test('the bytes are those of json-stable-stringify', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const oracle = stringify(value, { space: 2, collapseEmpty: true });
      // The oracle respells -0; the writer gets values from a parser that keeps its text.
      assert.equal(renderJson(JSON.parse(JSON.stringify(value)) as Json), `${oracle}\n`);
    }),
    { numRuns: 2000 },
  );
});

test('keys are sorted by code unit, and "__proto__", "9" and "10" are only keys', () => {
  const text = '{"b":1,"__proto__":{"x":1},"10":2,"9":3,"A":4,"\\ud83d\\ude00":5,"\\uff5e":6}';
  const rendered = renderJson(parseJson(text));
  assert.deepEqual(
    [...rendered.matchAll(/^ {2}"(.*?)":/gm)].map((match) => match[1]),
    ['10', '9', 'A', '__proto__', 'b', '\u{1f600}', '\uff5e'],
  );
  assert.equal(renderJson(parseJson(rendered)), rendered);
});

test('a number inside a string is text', () => {
  const text = '{"image":"web:1.0","list":"[1.0,1e3]","quoted":"\\":1.0"}';
  assert.deepEqual(parseJson(text), JSON.parse(text));
});
