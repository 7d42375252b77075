import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, renderJson } from '../../../controller/core/json.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from '../../../controller/core/object.ts';
import { setAt, valueAt } from '../../../controller/core/pointer.ts';
import { patchOf } from '../../../controller/core/restore/patch.ts';
import { isLeftOut, sanitise } from '../../../controller/core/sanitise.ts';
import { copy } from '../../../controller/core/sanitise-held.ts';
import { builtIn, object } from '../builders.ts';
import { applyPatch } from './apply-patch.ts';

/** What somebody wants an object to be, and what a cluster has made of another such object: with everything that is taken out. */

const word = fc.constantFrom('a', 'b', 'c', 'web', 'side', '__proto__', 'x/y', '~', '');
const name = fc.constantFrom('web', 'side', 'proxy', 'init');
const exact = fc.constantFrom<Json>(
  ...['1.0', '9007199254740993', '1e3', '-0'].map((text) => parseJson(text)),
  1,
  true,
);
const { any } = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    exact,
    word,
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(word, tie('any'), { maxKeys: 4 }),
  ),
}));
const words = fc.dictionary(word, word, { maxKeys: 3 });
const named = (more: Record<string, fc.Arbitrary<unknown>>) =>
  fc.uniqueArray(fc.record({ name, ...more }, { requiredKeys: ['name'] }), {
    selector: (one) => (one as JsonObject)['name'] as string,
    maxLength: 4,
  }) as fc.Arbitrary<Json[]>;

const annotations = fc
  .tuple(
    words,
    fc.dictionary(
      fc.constantFrom('deployment.kubernetes.io/revision', 'kubectl.kubernetes.io/last-applied-configuration'),
      word,
    ),
  )
  .map(([own, server]) => ({ ...own, ...server }));
const metadata = fc.record(
  {
    annotations,
    labels: words,
    finalizers: fc.uniqueArray(fc.constantFrom('kubernetes.io/pvc-protection', 'b.example/x', 'a.example/y', 'orphan')),
    resourceVersion: fc.constant('7'),
    managedFields: fc.constant([{ manager: 'kubectl', operation: 'Update' }]),
  },
  { requiredKeys: ['resourceVersion', 'managedFields'] },
);
const unreachable = {
  key: 'node.kubernetes.io/unreachable',
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
};
const tolerations = fc.array(
  fc.constantFrom<Json>(
    unreachable,
    { ...unreachable, key: 'node.kubernetes.io/not-ready' },
    { operator: 'Exists' },
    {
      key: 'gpu',
      operator: 'Exists',
      effect: 'NoExecute',
    },
  ),
  { maxLength: 4 },
);
const tokenMount = { name: 'kube-api-access-abcde', mountPath: '/var/run/secrets' };
const containers = named({
  image: word,
  volumeMounts: fc.array(
    fc.constantFrom<Json>(tokenMount, { name: 'data', mountPath: '/data' }, { name: 'tmp', mountPath: '/tmp' }),
  ),
  args: fc.array(word, { maxLength: 3 }),
});
const podSpec = fc.record(
  {
    containers,
    tolerations,
    nodeName: word,
    volumes: fc
      .uniqueArray(fc.constantFrom('data', 'tmp', 'kube-api-access-abcde', 'cache'))
      .map((names) => names.map((one) => ({ name: one, emptyDir: {} }))),
    nodeSelector: words,
  },
  { requiredKeys: ['containers'] },
);
const secretNames = fc
  .uniqueArray(fc.constantFrom('web-token-abcde', 'pull', 'web-dockercfg-12345', 'other'))
  .map((names) => names.map((one) => ({ name: one })));

const families: Record<string, fc.Arbitrary<KubeObject>> = {
  'widgets.example.com': make('example.com/v1', 'Widget', { spec: any, extra: any }),
  configmaps: make('v1', 'ConfigMap', { data: words, binaryData: fc.dictionary(word, fc.constantFrom(null, 'AA==')) }),
  serviceaccounts: make('v1', 'ServiceAccount', { secrets: secretNames, imagePullSecrets: secretNames }),
  pods: make('v1', 'Pod', { spec: podSpec, status: fc.constant({ phase: 'Running' }) }),
  'deployments.apps': make('apps/v1', 'Deployment', {
    spec: fc.record({
      replicas: fc.nat(3),
      template: fc.record({
        metadata: fc.record({ creationTimestamp: fc.constant(null), labels: words }),
        spec: podSpec,
      }),
    }),
    status: fc.constant({ replicas: 1 }),
  }),
};

function make(
  apiVersion: string,
  kind: string,
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<KubeObject> {
  return fc.record({ metadata, rest: fc.record(fields, { requiredKeys: [] }) }).map(({ metadata: made, rest }) => {
    const fields = kind === 'Widget' ? rest : asServed(rest as JsonObject);
    return object(apiVersion, kind, { metadata: asServed(made as unknown as JsonObject), ...(fields as JsonObject) });
  });
}

/** A server leaves empty lists, and maps of words, out of its own kinds and of all metadata. */
function asServed<Value extends Json>(value: Value, key = ''): Value {
  if (Array.isArray(value)) return value.map((one) => asServed(one)) as Json as Value;
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, child]) => [name, asServed(child, name)] as const);
  return Object.fromEntries(entries.filter(([, child]) => !isEmpty(child) || key === 'volumes')) as Value;
}

function isEmpty(value: Json): boolean {
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}

function clean(value: KubeObject, resource: string): KubeObject | undefined {
  const result = sanitise(copy(value), resource, builtIn, { includeOwned: true });
  return isLeftOut(result) ? undefined : result.object;
}

for (const [resource, arbitrary] of Object.entries(families)) {
  test(`an update makes a live object of ${resource} what the archive has, and leaves to the server what is the server's`, () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (wanted, raw) => {
        const [live, target] = [clean(raw, resource), clean(wanted, resource)];
        fc.pre(live !== undefined && target !== undefined);
        const operations = patchOf(raw, live, target, []);
        const patched = applyPatch(raw, operations);
        assert.equal(renderJson(clean(patched, resource) as Json), renderJson(target));
        assert.deepEqual(patched.metadata['managedFields'], raw.metadata['managedFields']);
        assert.deepEqual(patched['status'], raw['status']);
        assert.deepEqual(patchOf(patched, clean(patched, resource) as Json, target, []), []);
      }),
      { numRuns: Number(process.env['RUNS'] ?? 150) },
    );
  });
}

test('what is ignored stays as it lives, and all else becomes what the archive has', () => {
  fc.assert(
    fc.property(
      families['deployments.apps'] as fc.Arbitrary<KubeObject>,
      families['deployments.apps'] as fc.Arbitrary<KubeObject>,
      (wanted, raw) => {
        const [live, target] = [clean(raw, 'deployments.apps'), clean(wanted, 'deployments.apps')];
        fc.pre(live !== undefined && target !== undefined);
        const ignored = ['/spec/replicas', '/spec/template/spec/nodeSelector'].filter(
          (pointer) => valueAt(live, pointer) !== undefined,
        );
        const patched = clean(applyPatch(raw, patchOf(raw, live, target, ignored)), 'deployments.apps') as KubeObject;
        for (const pointer of ignored) {
          assert.deepEqual(valueAt(patched, pointer), valueAt(live, pointer));
          setAt(patched, pointer, undefined);
          setAt(target, pointer, undefined);
        }
        const isLeft = valueAt(target, '/spec') !== undefined && valueAt(target, '/spec/template/spec') !== undefined;
        fc.pre(isLeft);
        assert.equal(renderJson(patched), renderJson(target));
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 150) },
  );
});
