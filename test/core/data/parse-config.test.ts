import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { clusterArchiveSchema } from '../../../controller/api/cluster-archive.ts';
import { parseConfigFile } from '../../../controller/core/data/parse-config.ts';
import { dataPolicyOf } from '../../../controller/core/data/policy.ts';
import { renderLabelSelector } from '../../../controller/core/data/selector.ts';
import { KeeperError } from '../../../controller/errors.ts';

function faults(text: string): readonly string[] {
  try {
    parseConfigFile(text, 'shop.yaml');
  } catch (error) {
    assert.ok(error instanceof KeeperError, String(error));
    assert.deepEqual([error.code, error.kind], ['CONFIG_INVALID', 'invalid-input']);
    assert.match(error.message, /; nothing was changed$/);
    return error.message.replace(/; nothing was changed$/, '').split('\n');
  }
  return [];
}

const WHOLE = `
includedNamespaces: [shop, "team-*"]
excludedResources: [events]
labelSelector:
  matchLabels: { app: web }
  matchExpressions: [{ key: tier, operator: NotIn, values: [test, ci] }]
window: 5s
maxWindow: 1m30s
secrets: { policy: encrypt, ageRecipients: [age1abc] }
remote:
  url: https://git.example/ops/{cluster}-{namespace}.git
  credentialsSecretRef: { namespace: kubekeeper-system, name: git }
data:
  volumes: { default: Snapshot, labelSelector: { matchLabels: { backup: "yes" } } }
  volumeSnapshotClassName: fast
  volumeSnapshotClassNames: { nfs.example.com: slow }
  minimumInterval: 10m
  maximumInterval: 24h
  timeout: 20m
  groupSnapshots: never
  hooks:
    resources:
      - name: mariadb
        labelSelector: { matchLabels: { app: db } }
        held: [{ exec: { container: db, command: [mariadb, -e, FLUSH TABLES WITH READ LOCK], timeout: 60s, onError: Fail } }]
  retention: { keepLast: 3, keepHourly: 24, days: 7, keepWeekly: 4, keepWithin: 1y6m, ttl: 720h, keepTags: ["release/*"], timeZone: Europe/Berlin }
  hold: true
`;

test('a file in YAML or JSON, or a whole ClusterArchive, becomes a spec', () => {
  const spec = parseConfigFile(WHOLE, 'shop.yaml');
  assert.deepEqual(spec.includedNamespaces, ['shop', 'team-*']);
  assert.equal(renderLabelSelector(spec.labelSelector ?? {}), 'app=web,tier notin (test,ci)');
  assert.deepEqual(parseConfigFile(JSON.stringify(spec), 'shop.json'), spec);
  const whole = { apiVersion: 'kubekeeper.dev/v1alpha1', kind: 'ClusterArchive', metadata: { name: 'all' }, spec };
  assert.deepEqual(parseConfigFile(JSON.stringify(whole), 'shop.json'), spec);
});

test('what is written is counted in milliseconds, with the aliases that people bring', () => {
  const policy = dataPolicyOf(parseConfigFile(WHOLE, 'shop.yaml'));
  assert.ok(policy);
  assert.deepEqual(policy.cadence, { minimumIntervalMs: 600_000, maximumIntervalMs: 86_400_000 });
  assert.equal(policy.timeoutMs, 1_200_000);
  assert.deepEqual(policy.retention.keep, { Last: 3, Hourly: 24, Daily: 7, Weekly: 4, Monthly: 0, Yearly: 0 });
  assert.deepEqual(policy.retention.within, { span: { years: 1, months: 6, days: 0, ms: 0 }, text: '1y6m' });
  assert.deepEqual([policy.retention.ttlMs, policy.retention.hold], [2_592_000_000, true]);
  assert.ok(policy.volumes.isSelected({ backup: 'yes' }) && !policy.volumes.isSelected({}));
});

test('data that is asked for without a word takes every bound claim, each quarter of an hour at most, and keeps all', () => {
  const policy = dataPolicyOf(parseConfigFile('data: {}', 'shop.yaml'));
  assert.equal(policy?.volumes.default, 'Snapshot');
  assert.deepEqual(policy?.cadence, { minimumIntervalMs: 900_000, maximumIntervalMs: undefined });
  assert.ok((policy?.timeoutMs ?? 0) > 300_000);
  assert.ok(Object.values(policy?.retention.keep ?? {}).every((count) => count === 0));
  for (const text of ['', '# nothing\n', '{}', 'window: 5s']) {
    assert.equal(dataPolicyOf(parseConfigFile(text, 'shop.yaml')), undefined, text);
  }
});

test('each fault is named with its place and what is expected', () => {
  const cases: [string, string, string][] = [
    ['includedNamespace: [a]', '1:1', 'key "includedNamespace" is not known here; nearest: "includedNamespaces"'],
    ['data:\n  retention:\n    keepDayly: 3', '3:5', 'key "keepDayly" is not known here; nearest: "keepDaily"'],
    ['data:\n  keepDaily: 3', '2:3', 'key "keepDaily" is not known here; it belongs in data.retention'],
    ['keepDaily: 3', '1:1', 'key "keepDaily" is not known here; it belongs in data.retention'],
    ['retention: {}', '1:1', 'key "retention" is not known here; it belongs in data'],
    [
      'data: { volumes: { default: snapshot } }',
      '1:20',
      'data.volumes.default is none of Snapshot, None; nearest: "Snapshot"',
    ],
    ['data: { retention: { keepDaily: "3" } }', '1:22', 'data.retention.keepDaily is text; expected is a whole number'],
    [
      'data: { retention: { keepDaily: 1.5 } }',
      '1:22',
      'data.retention.keepDaily is a number; expected is a whole number',
    ],
    ['data: { retention: { keepDaily: -2 } }', '1:22', 'data.retention.keepDaily is less than -1'],
    ['data: { retention: { minKeep: 0 } }', '1:22', 'data.retention.minKeep is less than 1'],
    ['data: { retention: { ttl: 30 } }', '1:22', 'data.retention.ttl is a number; expected is text'],
    ['data: { retention: { ttl: 30 days } }', '1:22', 'data.retention.ttl is not a time such as 30s, 15m or 720h'],
    [
      'data: { retention: { keepWithin: 90s } }',
      '1:22',
      'data.retention.keepWithin is not a span such as 14d or 1y6m: years, months, weeks, days, hours',
    ],
    ['data: { retention: { days: 3, keepDaily: 3 } }', '1:22', 'days is the same as keepDaily, give one of them'],
    [
      'data: { retention: { timeZone: Mars/Olympus } }',
      '1:22',
      'timeZone is not known, write it like Europe/Berlin or UTC',
    ],
    [
      'data: { minimumInterval: 2h, maximumInterval: 1h }',
      '1:30',
      'maximumInterval must not be shorter than minimumInterval (15m when left out)',
    ],
    ['data:', '1:1', 'data is empty; expected is a map of keys'],
    ['data: { hooks: { resources: [{ name: a }] } }', '1:30', 'a hook needs pre, held or post'],
    [
      'data: { hooks: { resources: [{ name: a, pre: [{ exec: {} }] }] } }',
      '1:49',
      'data.hooks.resources[0].pre[0].exec.command is missing; expected is a list',
    ],
    [
      'data: { hooks: { resources: [{ name: a, pre: [{ exec: { command: [] } }] }] } }',
      '1:57',
      'data.hooks.resources[0].pre[0].exec.command is empty',
    ],
    ['includedNamespaces: shop', '1:1', 'includedNamespaces is text; expected is a list'],
    ['includedNamespaces: [shop, 7]', '1:28', 'includedNamespaces[1] is a number; expected is text'],
    ['includedNamespaces: [*]', '1:22', 'not valid YAML: '],
    ['includedNamespaces: [*-prod]', '1:22', "text that begins with '*' needs quotes"],
    ['labelSelector: { matchExpressions: [{ key: a, operator: In }] }', '1:37', 'operator In needs values'],
    [
      'labelSelector: { matchLabels: { "a b": c } }',
      '1:33',
      'labelSelector.matchLabels.a b is not a label key such as app or example.com/tier',
    ],
    ['labelSelector: app=web', '1:1', 'labelSelector is text; expected is a map of keys'],
    ['maxWindow: 1s', '1:1', 'maxWindow must not be shorter than window'],
    ['secrets: { policy: encrypt }', '1:1', 'policy encrypt needs ageRecipients'],
    ['remote: { forge: github }', '1:1', 'remote.url is missing; expected is text'],
    [
      'remote: { url: https://git.example/ops.git }',
      '1:11',
      'remote.url cannot be used: its last part must hold {namespace}',
    ],
    ['[]', '1:1', 'the file is a list; expected is a map of keys'],
    ['window: 5s\nwindow: 6s', '2:1', 'not valid YAML: the key is there twice'],
    ['window:\n\t- 5s', '2:1', 'not valid YAML: a tab indents; YAML takes only spaces'],
    ['a: 1\n---\nb: 2', '2:1', 'not valid YAML: there is a second document; only one is read'],
    ['apiVersion: kubekeeper.dev/v1\nkind: ClusterArchive', '1:1', 'apiVersion is not kubekeeper.dev/v1alpha1'],
    [
      'apiVersion: kubekeeper.dev/v1alpha1\nkind: ClusterArchive\ndata: {}',
      '3:1',
      'key "data" is not known here; settings belong in spec',
    ],
    [
      'kind: ClusterArchive\napiVersion: kubekeeper.dev/v1alpha1\nspec:\n  windw: 5s',
      '4:3',
      'key "windw" is not known here; nearest: "window"',
    ],
  ];
  for (const [text, place, fault] of cases) {
    const [first = '', ...rest] = faults(text);
    assert.ok(first.startsWith(`shop.yaml:${place}: ${fault}`), `${text}\n${first}`);
    assert.deepEqual(rest, [], text);
  }
});

test('several faults are told at once, in the order of the file', () => {
  const told = faults('windw: 5s\nsecrets:\n  policy: encrypted\ndata:\n  timeout: soon\n  retension: {}\n');
  assert.deepEqual(
    told.map((line) => line.split(': ')[0]),
    ['shop.yaml:1:1', 'shop.yaml:3:3', 'shop.yaml:5:3', 'shop.yaml:6:3'],
  );
});

test('no value is ever shown, wherever a secret was put by mistake', () => {
  const secret = 'hunter2-correct-horse';
  const texts = [
    `remote: { url: "https://me:${secret}@git.example/{namespace}.git" }`,
    `remote: { url: "https://git.example/{namespace}.git", forge: ${secret} }`,
    `remote: ${secret}`,
    `secrets: { policy: ${secret} }`,
    `data: { timeout: ${secret}, retention: { timeZone: ${secret}, keepTags: ${secret} } }`,
    `window: *${secret}`,
    `window: !${secret} 5s`,
    `window: "${secret}`,
    `window: ${secret}: 5s`,
    `includedNamespaces:\n- a\n ${secret}: x\n`,
    `labelSelector: { matchLabels: { app: "${secret} ${secret}" } }`,
    `apiVersion: ${secret}\nkind: ${secret}`,
    `- ${secret}`,
  ];
  for (const text of texts) {
    const told = faults(text);
    assert.ok(told.length > 0, text);
    assert.ok(!told.join().includes('hunter2'), `${text}\n${told}`);
  }
});

test('aliases that would grow without end are refused', () => {
  const bomb = [
    'a: &a [x, x]',
    ...'bcdefghijklmn'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghijklm'[index]}`)}]`),
  ];
  assert.equal(faults(bomb.join('\n')).length, 1);
});

test('the schema becomes a schema of Kubernetes', () => {
  const schema = z.toJSONSchema(clusterArchiveSchema) as { properties: Record<string, { description?: string }> };
  assert.ok(Object.hasOwn(schema.properties, 'data'));
  assert.match(schema.properties['data']?.description ?? '', /none when left out/);
});
