import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRuleFile } from '../../controller/core/rule-file.ts';
import { compileRules } from '../../controller/core/sanitise.ts';
import { KeeperError } from '../../controller/errors.ts';
import { clean, leftOutBy, object } from './builders.ts';

function refusal(text: string): string {
  try {
    parseRuleFile(text, 'rules.yaml');
  } catch (error) {
    assert.ok(error instanceof KeeperError);
    assert.equal(error.code, 'RULES_INVALID');
    assert.equal(error.kind, 'invalid-input');
    return error.message;
  }
  return '';
}

const rule = (fields: string) => `rules:\n  - ${fields.split('\n').join('\n    ')}\n`;
const whole = 'resources: [deployments.apps]\npointer: /spec/x\nverdict: strip';

test('a file in YAML or JSON becomes rules', () => {
  const expected = [
    {
      id: 'user-1',
      resources: ['deployments.apps'],
      pointer: '/spec/x',
      verdict: 'strip',
      reason: 'By a rule of your own',
    },
  ];
  assert.deepEqual(parseRuleFile(rule(whole), 'r'), expected);
  assert.deepEqual(
    parseRuleFile('{"rules":[{"resources":["deployments.apps"],"pointer":"/spec/x","verdict":"strip"}]}', 'r'),
    expected,
  );
});

test('a file without rules is no error', () => {
  for (const text of ['', '# nothing yet\n', 'rules:\n', 'rules: []\n']) assert.deepEqual(parseRuleFile(text, 'r'), []);
});

test('a rule that names a built-in one takes over where it applies and when', () => {
  const rules = compileRules(parseRuleFile(rule('id: generated-account-tokens\nverdict: keep'), 'r'));
  const token = object('v1', 'Secret', {
    metadata: { name: 'web-token-x7k2p', annotations: { 'kubernetes.io/service-account.name': 'web' } },
    type: 'kubernetes.io/service-account-token',
  });
  assert.equal(leftOutBy(token, 'secrets'), 'generated-account-tokens');
  assert.equal(leftOutBy(token, 'secrets', rules), undefined);
  assert.equal(
    leftOutBy(object('v1', 'Secret', { type: 'bootstrap.kubernetes.io/token' }), 'secrets', rules),
    'bootstrap-tokens',
  );
});

test('a condition decides where a rule applies', () => {
  const rules = compileRules(
    parseRuleFile(
      rule(
        'resources: configmaps\npointer: /data/*\nverdict: strip\nwhen: { namespace: [ci-*], not: { labels: [keep=true] } }',
      ),
      'r',
    ),
  );
  const map = (namespace: string, labels = {}) =>
    object('v1', 'ConfigMap', { metadata: { namespace, labels }, data: { a: '1' } });
  assert.equal(clean(map('ci-1'), 'configmaps', rules).object['data'], undefined);
  assert.deepEqual(clean(map('shop'), 'configmaps', rules).object['data'], { a: '1' });
  assert.deepEqual(clean(map('ci-1', { keep: 'true' }), 'configmaps', rules).object['data'], { a: '1' });
});

test('what is wrong is named with its place and the nearest valid thing', () => {
  const cases: [string, string, RegExp][] = [
    [
      'a verdict',
      rule(whole.replace('strip', 'stripp')),
      /^rules\.yaml:4:5: verdict "stripp" is not known; nearest: "strip"; nothing was changed$/,
    ],
    ['a key', rule(`${whole}\nreasons: x`), /^rules\.yaml:5:5: key "reasons" is not known; nearest: "reason"/],
    ['the key at the top', 'rule: []', /^rules\.yaml:1:1: key "rule" is not known; nearest: "rules"/],
    [
      'a key of a condition',
      rule(`${whole}\nwhen: { label: [x] }`),
      /^rules\.yaml:5:13: key "label" is not known; nearest: "labels"/,
    ],
    [
      'a fact',
      rule(`${whole}\nwhen: { fact: scaled }`),
      /fact "scaled" is not known; nearest: "injected"|nearest: "owned"/,
    ],
    [
      'a pointer without slash',
      rule(whole.replace('/spec/x', 'spec/x')),
      /^rules\.yaml:3:5: pointer "spec\/x" does not begin with '\/'; nearest: "\/spec\/x"/,
    ],
    ['a pointer with dots', rule(whole.replace('/spec/x', 'spec.x')), /nearest: "\/spec\/x"/],
    ['a bad escape', rule(whole.replace('/spec/x', '/a~b')), /pointer "\/a~b" has a '~' .* nearest: "\/a~0b"/],
    [
      'a pointer in a condition',
      rule(`${whole}\nwhen: { fields: { spec/type: [x] } }`),
      /pointer "spec\/type" .* nearest: "\/spec\/type"/,
    ],
    [
      'a singular',
      rule(whole.replace('deployments.apps', 'deployment.apps')),
      /^rules\.yaml:2:5: resource "deployment\.apps" .* nearest: "deployments\.apps"/,
    ],
    ['a kind', rule(whole.replace('deployments.apps', 'Deployment')), /nearest: "deployments\.apps"/],
    [
      'a resource without its group',
      rule(whole.replace('deployments.apps', 'deployments')),
      /nearest: "deployments\.apps"/,
    ],
    ['an API path', rule(whole.replace('deployments.apps', 'apps/v1/deployments')), /nearest: "deployments\.apps"/],
    [
      'an id that is no built-in rule',
      rule('id: never-event\nverdict: keep'),
      /^rules\.yaml:2:5: rule "never-event" has no resources.* nearest: "never-events"/,
    ],
    ['no pointer', rule('resources: [pods]\nverdict: strip'), /^rules\.yaml:2:5: rule has no pointer/],
    ['no verdict', rule('resources: [pods]\npointer: /x'), /verdict is missing; one of strip, restore-only/],
    ['the name', rule(whole.replace('/spec/x', '/metadata/*')), /would take out \/metadata\/name/],
    ['the whole object', rule(whole.replace('/spec/x', "''")), /nearest verdict: "never"/],
    ['an id', rule(`id: My Rule\n${whole}`), /id "My Rule" is not kebab-case, like "my-rule"/],
    ['text that is no YAML', 'rules: [', /^rules\.yaml:1:\d+: not valid YAML/],
    [
      'a glob without quotes',
      rule(whole.replace('deployments.apps', '*.kyverno.io')),
      /^rules\.yaml:2:17: a glob that begins with '\*' needs quotes; nearest: "\*\.kyverno\.io"/,
    ],
    ['a star without quotes', rule(whole.replace('deployments.apps', '*')), /^rules\.yaml:2:\d+: .*quotes/],
    ['a list', '[]', /the file is not what it should be/],
  ];
  for (const [what, text, message] of cases) {
    const told = refusal(text);
    assert.match(told, message, what);
    assert.ok(!told.includes('\n'), what);
  }
});

test('a custom resource is never misspelt, nor is a glob', () => {
  for (const name of ['widgets.example.com', '"*.kyverno.io"', '"*"', 'deploy*']) {
    assert.equal(refusal(rule(whole.replace('deployments.apps', name))), '', name);
  }
});
