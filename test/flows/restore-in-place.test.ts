import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type KubeObject, objectAt } from '../../controller/core/object.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually, git } from './keeper.ts';
import { applyAll, brief, deployment, live, object, openPlace, type Place, pod } from './restoring.ts';

/** A restore over what lives: only what differs is touched, what is protected stays, and it can be taken back. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

const CANARY = 'kkcanary-in-place-4711';

interface Archived extends Place {
  readonly to: readonly string[];
}

/** A namespace with these objects, archived; what is restored to is that commit, whatever comes later. */
async function archived(name: string, objects: readonly object[]): Promise<Archived> {
  await cluster.kubectl(['create', 'namespace', name]);
  await applyAll(cluster, objects);
  const place = await openPlace(cluster.kubeconfig);
  await eventually('the account of the namespace', async () => {
    const path = `/api/v1/namespaces/${name}`;
    const made = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'].map((one) =>
      live(cluster, `${path}/${one}`),
    );
    return (await Promise.all(made)).every((one) => one !== undefined);
  });
  await place.archive('--namespaces', name);
  return { ...place, to: ['--to', (await git(place.data, name, 'rev-parse', 'main')).trim()] };
}

const versionOf = (one: KubeObject | undefined) => one?.metadata['resourceVersion'];
const APPS = '/apis/apps/v1/namespaces';
const CORE = '/api/v1/namespaces';

interface Managed {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: object;
}

test('what differs is changed and nothing else: other managers keep their fields, an autoscaler its replicas, equal objects their version', async () => {
  const name = 'updated';
  const scaler = object('autoscaling/v2', 'HorizontalPodAutoscaler', name, 'web', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 5,
    },
  });
  await using place = await archived(name, [
    object('v1', 'ConfigMap', name, 'app', { data: { banner: 'hello', keep: 'x' } }),
    object('v1', 'ConfigMap', name, 'equal', { data: { a: '1' } }),
    object('v1', 'Secret', name, 'db', { stringData: { password: CANARY } }),
    object('v1', 'Secret', name, 'same', { stringData: { password: CANARY } }),
    deployment(name, 'web'),
    scaler,
  ]);
  await cluster.apply(object('v1', 'ConfigMap', name, 'app', { data: { banner: 'sale' } }), 'shopkeeper');
  await cluster.apply(object('v1', 'Secret', name, 'db', { stringData: { password: `${CANARY}-later` } }));
  await cluster.kubectl(['-n', name, 'set', 'image', 'deployment/web', 'main=web:2']);
  await cluster.kubectl(['-n', name, 'scale', 'deployment/web', '--replicas=3']);
  const paths = [`${CORE}/${name}/configmaps/equal`, `${CORE}/${name}/secrets/same`];
  const versions = async () => (await Promise.all(paths.map((path) => live(cluster, path)))).map(versionOf);
  const before = await versions();
  const managersOf = (one: KubeObject | undefined) =>
    (one?.metadata['managedFields'] ?? []) as unknown as readonly Managed[];
  const byTest = managersOf(await live(cluster, `${CORE}/${name}/configmaps/app`)).find(
    ({ manager }) => manager === 'test',
  );

  const { code, document, stderr } = await place.restore(name, ...place.to);
  assert.deepEqual([code, document?.equal], [0, true], stderr);
  assert.deepEqual(brief({ steps: document?.steps ?? [] } as never), [
    'update configmaps/app',
    'update secrets/db',
    'update deployments.apps/web',
  ]);
  assert.deepEqual(await versions(), before);
  const app = await live(cluster, `${CORE}/${name}/configmaps/app`);
  assert.deepEqual(app?.['data'], { banner: 'hello', keep: 'x' });
  const own = managersOf(app).filter(({ manager }) => manager === 'kubekeeper');
  assert.deepEqual(
    own.map(({ operation, fieldsV1 }) => [operation, fieldsV1]),
    [['Update', { 'f:data': { 'f:banner': {} } }]],
  );
  assert.deepEqual(managersOf(app).find(({ manager }) => manager === 'test')?.fieldsV1, byTest?.fieldsV1);
  const web = (await live(cluster, `${APPS}/${name}/deployments/web`)) as unknown as {
    spec: { replicas: number; template: { spec: { containers: { image: string }[] } } };
  };
  assert.deepEqual([web.spec.replicas, web.spec.template.spec.containers[0]?.image], [3, 'web:1']);
  const password = Buffer.from(CANARY).toString('base64');
  assert.deepEqual((await live(cluster, `${CORE}/${name}/secrets/db`))?.['data'], { password });
  await assertSilent(place, name);
});

const SCALED_OBJECTS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'scaledobjects.keda.sh' },
  spec: {
    group: 'keda.sh',
    scope: 'Namespaced',
    names: { plural: 'scaledobjects', singular: 'scaledobject', kind: 'ScaledObject', listKind: 'ScaledObjectList' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

test('replicas that a ScaledObject scales stay as they are, in place and in another namespace; those of nobody come back', async () => {
  const name = 'keda';
  await cluster.apply(SCALED_OBJECTS);
  await cluster.kubectl(['wait', 'crd/scaledobjects.keda.sh', '--for=condition=Established', '--timeout=30s']);
  const scaled = object('keda.sh/v1alpha1', 'ScaledObject', name, 'web', { spec: { scaleTargetRef: { name: 'web' } } });
  await using place = await archived(name, [deployment(name, 'web'), deployment(name, 'alone'), scaled]);
  const copy = `${name}-copy`;
  const into = ['--into', copy];
  const made = await place.restore(name, ...place.to, ...into);
  assert.deepEqual([made.code, made.document?.equal], [0, true], made.stderr);
  const replicasOf = async (namespace: string, one: string) =>
    objectAt(await live(cluster, `${APPS}/${namespace}/deployments/${one}`), 'spec')?.['replicas'];
  for (const [namespace, options] of [
    [name, []],
    [copy, into],
  ] as const) {
    for (const one of ['web', 'alone'])
      await cluster.kubectl(['-n', namespace, 'scale', `deployment/${one}`, '--replicas=3']);
    await cluster.kubectl(['-n', namespace, 'set', 'image', 'deployment/web', 'main=web:2']);
    const plan = await place.plan(name, ...place.to, ...options);
    assert.deepEqual(brief(plan), ['update deployments.apps/alone', 'update deployments.apps/web']);
    assert.deepEqual(
      plan.steps.map(({ fields }) => fields.map(({ short }) => short)),
      [['replicas 3 -> 1'], ['image 2 -> 1']],
    );
    const { code, document, stderr } = await place.restore(name, ...place.to, ...options);
    assert.deepEqual([code, document?.equal], [0, true], stderr);
    assert.deepEqual([await replicasOf(namespace, 'alone'), await replicasOf(namespace, 'web')], [1, 3]);
  }
});

/** A value of a Secret is in no output, no file of the data directory, and no object of its repository. */
async function assertSilent(place: Place, name: string): Promise<void> {
  const texts = [CANARY, Buffer.from(CANARY).toString('base64')];
  const isIn = (text: string) => texts.some((one) => text.includes(one));
  assert.ok(!isIn(place.output()), 'output');
  let files = 0;
  for (const entry of await readdir(place.data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    files++;
    assert.ok(!isIn(await readFile(join(entry.parentPath, entry.name), 'latin1')), entry.name);
  }
  assert.ok(files > 5);
  const listed = await git(
    place.data,
    name,
    'cat-file',
    '--batch-all-objects',
    '--batch-check=%(objectname) %(objecttype)',
  );
  const ids = listed
    .trim()
    .split('\n')
    .filter((line) => !line.endsWith(' tree'))
    .map((line) => line.split(' ')[0] ?? '');
  assert.ok(ids.length > 5);
  for (const id of ids) assert.ok(!isIn(await git(place.data, name, 'cat-file', '-p', id)), id);
}

test('replace makes a Deployment with another selector anew, keeps the rest, and its pods are taken over or left to their own', async () => {
  const name = 'replaced';
  await using place = await archived(name, [
    deployment(name, 'web'),
    deployment(name, 'other'),
    object('v1', 'ConfigMap', name, 'sealed', { immutable: true, data: { a: '1' } }),
  ]);
  await cluster.kubectl(['-n', name, 'delete', 'deployment/web', 'configmap/sealed', '--wait']);
  await applyAll(cluster, [
    deployment(name, 'web', 'web:2', { selector: { matchLabels: { app: 'new' } }, template: pod('new', 'web:2') }),
    object('v1', 'ConfigMap', name, 'sealed', { immutable: true, data: { a: '2' } }),
  ]);
  const uidOf = async (path: string) => (await live(cluster, path))?.metadata['uid'];
  const paths = ['web', 'other'].map((one) => `${APPS}/${name}/deployments/${one}`);
  const before = await Promise.all(paths.map(uidOf));
  const careful = await place.restore(name, ...place.to);
  assert.deepEqual([careful.code, careful.document?.steps, careful.document?.left.length], [3, [], 2]);
  assert.deepEqual(await Promise.all(paths.map(uidOf)), before);

  const { code, document, stderr } = await place.restore(name, ...place.to, '--existing', 'replace');
  assert.deepEqual([code, document?.equal], [0, true], stderr);
  assert.deepEqual(brief({ steps: document?.steps ?? [] } as never), [
    'replace configmaps/sealed',
    'replace deployments.apps/web',
  ]);
  const after = await Promise.all(paths.map(uidOf));
  assert.notEqual(after[0], before[0]);
  assert.equal(after[1], before[1]);
  const web = await live(cluster, paths[0] as string);
  const spec = web?.['spec'] as unknown as {
    selector: object;
    template: { spec: { containers: { image: string }[] } };
  };
  assert.deepEqual(
    [spec.selector, spec.template.spec.containers[0]?.image],
    [{ matchLabels: { app: 'web' } }, 'web:1'],
  );
});

test('prune deletes exactly what came later, and keeps what is protected; what is named goes all the same', async () => {
  const name = 'pruned';
  const flux = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
  const lease = object('coordination.k8s.io/v1', 'Lease', name, 'leader', { spec: { holderIdentity: 'me' } });
  const claim = object('v1', 'PersistentVolumeClaim', name, 'late-data', {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'two', resources: { requests: { storage: '1Gi' } } },
  });
  const volume = {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/nowhere' },
    storageClassName: 'two',
  };
  await using place = await archived(name, [object('v1', 'ConfigMap', name, 'app', { data: { a: '1' } })]);
  await applyAll(cluster, [
    { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pruned' }, spec: volume },
    claim,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'by-flux', namespace: name, labels: flux },
      data: { a: '1' },
    },
    object('v1', 'ConfigMap', name, 'late', { data: { a: '1' } }),
    deployment(name, 'late'),
    object('v1', 'ServiceAccount', name, 'late'),
    lease,
  ]);
  await cluster.kubectl(['-n', name, 'wait', 'pvc/late-data', '--for=jsonpath={.status.phase}=Bound', '--timeout=30s']);
  const kept = [
    `${CORE}/${name}/persistentvolumeclaims/late-data`,
    `${CORE}/${name}/configmaps/by-flux`,
    `${CORE}/${name}/configmaps/app`,
    `${CORE}/${name}/configmaps/kube-root-ca.crt`,
    `${CORE}/${name}/serviceaccounts/default`,
    `/apis/coordination.k8s.io/v1/namespaces/${name}/leases/leader`,
    '/api/v1/persistentvolumes/pruned',
    '/api/v1/namespaces/pruned',
  ];
  const gone = [
    `${CORE}/${name}/configmaps/late`,
    `${CORE}/${name}/serviceaccounts/late`,
    `${APPS}/${name}/deployments/late`,
  ];
  const isLiving = async (paths: readonly string[]) =>
    (await Promise.all(paths.map((path) => live(cluster, path)))).map(
      (one) => one !== undefined && one.metadata['deletionTimestamp'] === undefined,
    );

  const without = await place.restore(name, ...place.to);
  assert.deepEqual([without.code, without.document?.steps], [0, []]);
  const { code, document, stderr } = await place.restore(name, ...place.to, '--prune');
  assert.equal(code, 0, stderr);
  assert.deepEqual(brief({ steps: document?.steps ?? [] } as never).toSorted(), [
    'delete configmaps/late',
    'delete deployments.apps/late',
    'delete serviceaccounts/late',
  ]);
  assert.deepEqual(
    (document?.left ?? []).map(({ action, ref }) => `${action} ${ref.resource}/${ref.name}`).toSorted(),
    ['keep configmaps/by-flux', 'keep persistentvolumeclaims/late-data'],
  );
  await eventually('what was deleted to be gone', async () => (await isLiving(gone)).every((one) => !one));
  assert.deepEqual(
    await isLiving(kept),
    kept.map(() => true),
  );
  const named = ['--prune', '--delete-protected', 'persistentvolumeclaims/late-data'];
  const last = await place.restore(name, ...place.to, ...named);
  assert.deepEqual(
    brief({ steps: last.document?.steps ?? [] } as never),
    ['delete persistentvolumeclaims/late-data'],
    last.stderr,
  );
  assert.deepEqual(
    await isLiving(kept),
    kept.map((path) => !path.endsWith('late-data')),
  );
});

test('only a field that is named is set', async () => {
  const name = 'fielded';
  await using place = await archived(name, [
    deployment(name, 'web', 'web:1', { replicas: 2 }),
    object('v1', 'ConfigMap', name, 'gone', { data: { a: '1' } }),
  ]);
  await cluster.kubectl(['-n', name, 'set', 'image', 'deployment/web', 'main=web:2']);
  await cluster.kubectl(['-n', name, 'scale', 'deployment/web', '--replicas=0']);
  await cluster.kubectl(['-n', name, 'delete', 'configmap/gone']);
  const { code, document, stderr } = await place.restore(
    name,
    ...place.to,
    '--field',
    '/spec/replicas',
    '--object',
    'deployments.apps/*',
  );
  assert.deepEqual(
    [code, brief({ steps: document?.steps ?? [] } as never)],
    [0, ['update deployments.apps/web']],
    stderr,
  );
  const web = (await live(cluster, `${APPS}/${name}/deployments/web`))?.['spec'] as unknown as {
    replicas: number;
    template: { spec: { containers: { image: string }[] } };
  };
  assert.deepEqual([web.replicas, web.template.spec.containers[0]?.image], [2, 'web:2']);
  assert.equal(await live(cluster, `${CORE}/${name}/configmaps/gone`), undefined);
});

test('without a yes, or with the hash of another plan, it is exit code 2 and nothing is changed', async () => {
  const name = 'asked';
  await using place = await archived(name, [object('v1', 'ConfigMap', name, 'app', { data: { a: '1' } })]);
  const later = await cluster.apply(object('v1', 'ConfigMap', name, 'app', { data: { a: '2' } }));
  const { hash } = await place.plan(name, ...place.to);
  const other = `${hash[0] === '0' ? '1' : '0'}${hash.slice(1)}`;
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/there is no terminal to ask at, carry the plan out with --yes/, []],
    [/The plan is [0-9a-f]{12} now, not/, ['--yes', '--plan', other]],
    [/The plan is [0-9a-f]{12} now, not/, ['--yes', '--plan', hash.slice(0, 4)]],
  ];
  const tags = () => git(place.data, name, 'tag', '--list');
  for (const [message, args] of cases) {
    const { code, stderr } = await place.run('restore', name, ...place.to, ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(versionOf(await live(cluster, `${CORE}/${name}/configmaps/app`)), versionOf(later as KubeObject));
    assert.equal(await tags(), '');
  }
  const { code, stderr } = await place.restore(name, ...place.to, '--plan', hash.slice(0, 12));
  assert.equal(code, 0, stderr);
});

test('what lived before is kept under a tag, and a restore to that takes everything back', async () => {
  const name = 'undone';
  await using place = await archived(name, [
    object('v1', 'ConfigMap', name, 'app', { data: { a: '1' } }),
    object('v1', 'ConfigMap', name, 'gone', { data: { a: '1' } }),
    object('v1', 'Secret', name, 'db', { stringData: { password: CANARY } }),
  ]);
  await cluster.kubectl(['-n', name, 'delete', 'configmap/gone']);
  await applyAll(cluster, [
    object('v1', 'ConfigMap', name, 'app', { data: { a: '2' } }),
    object('v1', 'ConfigMap', name, 'late', { data: { a: '1' } }),
    object('v1', 'Secret', name, 'db', { stringData: { password: `${CANARY}-later` } }),
  ]);
  const forth = await place.restore(name, ...place.to, '--prune');
  assert.equal(forth.code, 0, forth.stderr);
  const tag = forth.document?.safetyTag ?? '';
  assert.match(tag, /^pre\/restore-\d{8}-\d{6}-/);
  assert.equal((await git(place.data, name, 'cat-file', '-t', tag)).trim(), 'tag');
  assert.equal(await live(cluster, `${CORE}/${name}/configmaps/late`), undefined);
  const back = await place.restore(name, '--to', tag, '--prune');
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual((await live(cluster, `${CORE}/${name}/configmaps/app`))?.['data'], { a: '2' });
  assert.deepEqual((await live(cluster, `${CORE}/${name}/configmaps/late`))?.['data'], { a: '1' });
  assert.equal(await live(cluster, `${CORE}/${name}/configmaps/gone`), undefined);
  const password = Buffer.from(`${CANARY}-later`).toString('base64');
  assert.deepEqual((await live(cluster, `${CORE}/${name}/secrets/db`))?.['data'], { password });
  await place.archive('--namespaces', name);
  // A value that went and came is sealed anew.
  const tree = async (commit: string) =>
    [...(await place.tree(name, commit))].filter(([path]) => path !== 'secrets/db.json');
  assert.deepEqual(await tree('main'), await tree(tag));
  await assertSilent(place, name);
});
