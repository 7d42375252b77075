import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type HookSpec, hookSchema } from '../../../controller/api/hooks.ts';
import { planHooks } from '../../../controller/core/data/hooks.ts';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';

interface PodOptions {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly claim?: string;
  readonly readOnly?: boolean;
  readonly phase?: string;
  readonly nodeName?: string;
}

function pod(name: string, options: PodOptions = {}): KubeObject {
  const { annotations = {}, labels = {}, claim = 'data', readOnly = false, phase = 'Running', nodeName } = options;
  const spec: JsonObject = {
    containers: [{ name: 'db' }, { name: 'side' }],
    initContainers: [{ name: 'once' }, { name: 'proxy', restartPolicy: 'Always' }],
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'v', persistentVolumeClaim: { claimName: claim, readOnly } },
    ],
  };
  if (nodeName !== undefined) spec['nodeName'] = nodeName;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: `uid-${name}`, annotations: { ...annotations }, labels: { ...labels } },
    spec,
    status: { phase },
  };
}

const velero = (words: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(words).map(([key, value]) => [key.replace('.', '.hook.backup.velero.io/'), value]));

const plan = (pods: readonly KubeObject[], hooks: readonly HookSpec[] = []) => planHooks('shop', pods, ['data'], hooks);

const exec = (...command: readonly string[]) => ({ exec: { command: [...command] } });

test("Velero's annotations are read as Velero reads them", () => {
  const annotations = velero({
    'pre.container': 'side',
    'pre.command': '["/bin/sh", "-c", "sync; fsfreeze -f /data"]',
    'pre.on-error': 'Continue',
    'pre.timeout': '1m30s',
    'post.command': '/usr/bin/thaw it',
  });
  const { pods, problems } = plan([pod('db-0', { annotations })]);
  assert.deepEqual(problems, []);
  assert.deepEqual(pods, [
    {
      namespace: 'shop',
      pod: 'db-0',
      uid: 'uid-db-0',
      pre: [
        {
          label: 'pre hook',
          container: 'side',
          command: ['/bin/sh', '-c', 'sync; fsfreeze -f /data'],
          timeoutMs: 90_000,
          isOptional: true,
        },
      ],
      held: [],
      // One program, whose name is all of the text; the first container, 30 s, and it counts.
      post: [
        { label: 'post hook', container: 'db', command: ['/usr/bin/thaw it'], timeoutMs: 30_000, isOptional: false },
      ],
    },
  ]);
});

const WRONG: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ 'pre.command': '["sh", ' }, /pre\.hook\.backup\.velero\.io\/command must be a program, or a JSON array/],
  [{ 'pre.command': '[]' }, /command must be a program/],
  [{ 'pre.command': '["sh", 3]' }, /command must be a program/],
  [{ 'pre.command': '' }, /command must be a program/],
  [{ 'pre.timeout': '30s' }, /command must be a program/],
  [{ 'pre.command': 'sync', 'pre.timeout': '30 seconds' }, /timeout must be a time such as 30s/],
  [{ 'pre.command': 'sync', 'pre.on-error': 'fail' }, /on-error must be Fail or Continue/],
  [{ 'pre.command': 'sync', 'pre.container': 'other' }, /container other, which it does not have/],
  [{ 'pre.command': 'sync', 'pre.container': 'once' }, /container once, which it does not have/],
];

for (const [words, problem] of WRONG) {
  test(`a wrong value is told and no hook of the pod runs, not even a good one: ${JSON.stringify(words)}`, () => {
    const annotations = velero({ ...words, 'post.command': 'thaw' });
    const { pods, problems } = plan([pod('db-0', { annotations })]);
    assert.deepEqual(pods, []);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', problem);
    assert.match(problems[0] ?? '', /^pod db-0: /);
  });
}

test('a timeout of 0 is the default, as with Velero, and a sidecar is a container as others', () => {
  const annotations = velero({ 'pre.command': 'sync', 'pre.timeout': '0s', 'pre.container': 'proxy' });
  const [found] = plan([pod('db-0', { annotations })]).pods;
  assert.equal(found?.pre[0]?.timeoutMs, 30_000);
  assert.equal(found?.pre[0]?.container, 'proxy');
});

test('an annotation on a pod wins over the hooks of the policy for its phase, and only for that', () => {
  const hooks: readonly HookSpec[] = [
    { name: 'all', pre: [exec('policy-pre')], held: [exec('policy-held')], post: [exec('policy-post')] },
  ];
  const annotations = velero({ 'pre.command': 'own-pre' });
  const [found] = plan([pod('db-0', { annotations })], hooks).pods;
  assert.deepEqual(
    found?.pre.map(({ command }) => command),
    [['own-pre']],
  );
  assert.deepEqual(
    found?.held.map(({ label, command }) => [label, command]),
    [['held hook all', ['policy-held']]],
  );
  assert.deepEqual(
    found?.post.map(({ command }) => command),
    [['policy-post']],
  );
});

test('hooks of the policy are for their namespaces and labels, in the order in which they are written', () => {
  const hooks: readonly HookSpec[] = [
    { name: 'one', includedNamespaces: ['sh*'], pre: [exec('1'), exec('2')] },
    { name: 'other', excludedNamespaces: ['shop'], pre: [exec('never')] },
    { name: 'elsewhere', includedNamespaces: ['blog'], pre: [exec('never')] },
    { name: 'labelled', labelSelector: { matchLabels: { app: 'db' } }, pre: [exec('3')] },
    { name: 'stranger', labelSelector: { matchLabels: { app: 'web' } }, pre: [exec('never')] },
  ];
  const [found] = plan([pod('db-0', { labels: { app: 'db' } })], hooks).pods;
  assert.deepEqual(
    found?.pre.flatMap(({ command }) => command),
    ['1', '2', '3'],
  );
});

const PRE = velero({ 'pre.command': 'sync' });

test('only running pods that use one of the claims have hooks run', () => {
  const others = [
    pod('elsewhere', { annotations: PRE, claim: 'other' }),
    pod('done', { annotations: PRE, phase: 'Succeeded' }),
    pod('broken', { annotations: PRE, phase: 'Failed' }),
    pod('waiting', { annotations: PRE, phase: 'Pending' }),
  ];
  assert.deepEqual(plan(others), { pods: [], problems: [] });
  const { pods, problems } = plan([...others, pod('db-0', { annotations: PRE })]);
  assert.deepEqual([pods.map(({ pod: name }) => name), problems], [['db-0'], []]);
});

test('a pod that can write to a claim and has nothing that holds it still is told, and one that only reads is not', () => {
  const pods = [
    pod('db-0', { annotations: PRE }),
    pod('web'),
    pod('late', { annotations: velero({ 'post.command': 'thaw' }) }),
    pod('begins', { annotations: PRE, phase: 'Pending', nodeName: 'node-1' }),
    pod('silent', { annotations: PRE, phase: 'Unknown' }),
    pod('reader', { readOnly: true }),
  ];
  const found = plan(pods);
  assert.deepEqual(
    found.pods.map(({ pod: name }) => name),
    ['db-0', 'late'],
  );
  assert.deepEqual(found.problems, [
    'pod web: nothing holds it still, it has no pre or held hook',
    'pod late: nothing holds it still, it has no pre or held hook',
    'pod begins: it is starting',
    'pod silent: whether it runs is not known',
  ]);
});

test('where no hook is for any pod there is nothing to tell', () => {
  const hooks: readonly HookSpec[] = [{ name: 'x', includedNamespaces: ['blog'], pre: [exec('sync')] }];
  assert.deepEqual(plan([pod('web'), pod('db-0')], hooks), { pods: [], problems: [] });
});

test('every example of docs/hooks.md is one that a policy takes', async () => {
  const page = await readFile('docs/hooks.md', 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => parse(block));
  assert.ok(blocks.length >= 4);
  for (const block of blocks) {
    const written = block.data?.hooks.resources ?? [{ name: 'x', ...block }];
    for (const hook of written) hookSchema.parse(hook);
  }
});
