import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Plan, Step } from '../../controller/core/restore/plan.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, keeper, temporaryDirectory } from './keeper.ts';

/** `kubekeeper plan` on a real API server: every step with its reason, and nothing changed. */

const CANARY = 'kkcanary-plan-4711';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

function object(apiVersion: string, kind: string, namespace: string, name: string, rest: object): object {
  return { apiVersion, kind, metadata: { name, namespace }, ...rest };
}

function deployment(namespace: string, name: string, app: string, image: string, rest: object = {}): object {
  const template = { metadata: { labels: { app } }, spec: { containers: [{ name: 'main', image }], ...rest } };
  return object('apps/v1', 'Deployment', namespace, name, { spec: { selector: { matchLabels: { app } }, template } });
}

/** A namespace with an archive of it. */
async function archived(name: string, objects: readonly object[]) {
  await cluster.kubectl(['create', 'namespace', name]);
  for (const one of objects) await apply(one);
  const directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', name);
  const run = (...args: readonly string[]) =>
    keeper(['plan', name, '--kubeconfig', cluster.kubeconfig, '--data-dir', directory.path, '--to', 'HEAD', ...args]);
  return {
    directory: directory.path,
    run,
    plan: async (...args: readonly string[]) => {
      const { stdout, stderr, code } = await run('-o', 'json', ...args);
      assert.equal(code, 0, stderr);
      assert.ok(!stdout.includes(CANARY) && !stderr.includes(CANARY));
      return JSON.parse(stdout) as Plan;
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function apply(one: object): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(one) });
}

const brief = ({ action, ref, reason }: Step) => `${action} ${ref.resource}/${ref.name}: ${reason}`;
const stepOf = (plan: Plan, name: string) => plan.steps.find(({ ref }) => `${ref.resource}/${ref.name}` === name);

test('what differs, is gone or came later is named with its fields, twice with the same hash, and nothing is changed', async () => {
  await using world = await archived('drifted', [
    object('v1', 'ConfigMap', 'drifted', 'app', { data: { banner: 'hello', keep: 'x' } }),
    deployment('drifted', 'web', 'web', 'web:1.4'),
    object('v1', 'Service', 'drifted', 'web', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }),
  ]);
  const equal = await world.plan();
  assert.deepEqual(equal.steps, []);
  assert.equal(equal.equal, 4);
  await apply(object('v1', 'ConfigMap', 'drifted', 'app', { data: { banner: 'sale', more: 'y' } }));
  await apply(object('v1', 'ConfigMap', 'drifted', 'late', { data: { a: 'b' } }));
  await cluster.kubectl(['-n', 'drifted', 'set', 'image', 'deployment/web', 'main=web:1.5']);
  await cluster.kubectl(['-n', 'drifted', 'delete', 'service', 'web']);
  const before = await cluster.kubectl(['-n', 'drifted', 'get', 'configmaps,deployments,services', '-o', 'name']);
  const plan = await world.plan('--prune');
  assert.deepEqual(plan.steps.map(brief), [
    'update configmaps/app: 3 fields differ',
    'delete configmaps/late: it is not in the restore point',
    'create services/web: it is not there',
    'update deployments.apps/web: 1 field differs',
  ]);
  assert.deepEqual(
    stepOf(plan, 'deployments.apps/web')?.fields.map(({ short }) => short),
    ['image 1.5 -> 1.4'],
  );
  assert.equal((await world.plan('--prune')).hash, plan.hash);
  assert.equal(
    await cluster.kubectl(['-n', 'drifted', 'get', 'configmaps,deployments,services', '-o', 'name']),
    before,
  );
  const some = await world.plan('--object', 'deploy/web', '--object', 'configmap/a*');
  assert.deepEqual(
    some.steps.map(({ ref }) => ref.name),
    ['app', 'web'],
  );
  const field = await world.plan('--field', '/data/banner');
  assert.deepEqual(
    field.steps.flatMap(({ fields }) => fields.map(({ long }) => long)),
    ['data.banner sale -> hello'],
  );
});

const claim = (name: string, storageClassName: string) =>
  object('v1', 'PersistentVolumeClaim', 'fixed', name, {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } },
  });

test('a field that cannot be changed is named; --existing replace plans the object anew, and never a claim with data', async () => {
  await using world = await archived('fixed', [
    deployment('fixed', 'web', 'web', 'web:1'),
    object('v1', 'ConfigMap', 'fixed', 'sealed', { immutable: true, data: { a: '1' } }),
    claim('data', 'one'),
    claim('bound', 'one'),
  ]);
  await cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'fixed' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/nowhere' },
        storageClassName: 'two',
      },
    }),
  });
  for (const name of ['deployment/web', 'configmap/sealed', 'pvc/data', 'pvc/bound'])
    await cluster.kubectl(['-n', 'fixed', 'delete', name, '--wait']);
  await apply(deployment('fixed', 'web', 'other', 'web:1'));
  await apply(object('v1', 'ConfigMap', 'fixed', 'sealed', { immutable: true, data: { a: '2' } }));
  await apply(claim('bound', 'two'));
  await cluster.kubectl(['-n', 'fixed', 'wait', 'pvc/bound', '--for=jsonpath={.status.phase}=Bound', '--timeout=30s']);
  await apply(claim('data', 'two'));
  const careful = await world.plan();
  assert.match(
    stepOf(careful, 'deployments.apps/web')?.reason ?? '',
    /spec.selector.* cannot be changed; --existing replace/,
  );
  assert.deepEqual(new Set(careful.steps.map(({ action }) => action)), new Set(['skip']));
  const plan = await world.plan('--existing', 'replace');
  assert.deepEqual(
    plan.steps.map(({ action, ref }) => `${action} ${ref.name}`),
    ['replace sealed', 'skip bound', 'replace data', 'replace web'],
  );
});

test('a quota without room, a missing class and a Secret that cannot be made are found before', async () => {
  await using world = await archived('tight', [
    object('v1', 'ConfigMap', 'tight', 'one', { data: {} }),
    object('v1', 'ConfigMap', 'tight', 'two', { data: {} }),
    object('v1', 'Secret', 'tight', 'db', { stringData: { password: CANARY } }),
    deployment('tight', 'web', 'web', 'web:1', {
      priorityClassName: 'system-cluster-critical',
      volumes: [{ name: 's', secret: { secretName: 'db' } }],
    }),
    object('v1', 'PersistentVolumeClaim', 'tight', 'data', {
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
    }),
  ]);
  await cluster.kubectl([
    '-n',
    'tight',
    'delete',
    'configmaps/one',
    'configmaps/two',
    'secrets/db',
    'deployments/web',
    'pvc/data',
    '--wait',
  ]);
  const present = (await cluster.kubectl(['-n', 'tight', 'get', 'configmaps', '-o', 'name'])).trim().split('\n').length;
  await apply(
    object('v1', 'ResourceQuota', 'tight', 'few', { spec: { hard: { 'count/configmaps': String(present + 1) } } }),
  );
  await cluster
    .kubectl([
      '-n',
      'tight',
      'wait',
      'resourcequota/few',
      '--for=jsonpath={.status.used.count/configmaps}',
      '--timeout=30s',
    ])
    .catch(() => '');
  const plan = await world.plan();
  assert.equal(stepOf(plan, 'configmaps/one')?.action, 'create');
  assert.match(stepOf(plan, 'configmaps/two')?.reason ?? '', /quota/);
  assert.equal(
    brief(stepOf(plan, 'secrets/db') as Step),
    'skip secrets/db: only a fingerprint is archived: /data/password',
  );
  assert.match((stepOf(plan, 'deployments.apps/web')?.notes ?? []).join(), /secrets\/db/);
  assert.match((stepOf(plan, 'persistentvolumeclaims/data')?.notes ?? []).join(), /StorageClass fast/);
});

test('what Argo CD or Flux keeps is marked with its owner and left, unless --even-if-managed', async () => {
  const labels = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };
  const managed = (value: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'app', namespace: 'gitops', labels },
    data: { value },
  });
  await using world = await archived('gitops', [managed('a')]);
  await apply(managed('b'));
  const [kept] = (await world.plan()).steps;
  assert.equal(kept?.action, 'keep');
  assert.equal(kept?.managedBy, 'Flux Kustomization flux-system/apps');
  assert.match(kept?.reason ?? '', /--even-if-managed/);
  const [step] = (await world.plan('--even-if-managed')).steps;
  assert.equal(step?.action, 'update');
  assert.equal(step?.managedBy, 'Flux Kustomization flux-system/apps');
});

test('a secret value that only the archive has is named and never shown, nor is what it is hashed from', async () => {
  const identity = await generateX25519Identity();
  await cluster.kubectl(['create', 'namespace', 'sealed']);
  const secret = (data: object) => object('v1', 'Secret', 'sealed', 'db', { stringData: data });
  await apply(secret({ user: 'shop', password: CANARY }));
  await using directory = await temporaryDirectory();
  const encrypting = ['--secrets', 'encrypt', '--age-recipient', await identityToRecipient(identity)];
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'sealed', ...encrypting);
  await cluster.kubectl([
    '-n',
    'sealed',
    'patch',
    'secret',
    'db',
    '--type=json',
    '-p',
    '[{"op":"remove","path":"/data/password"}]',
  ]);
  const identityFile = join(directory.path, 'identity.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const place = ['--kubeconfig', cluster.kubeconfig, '--data-dir', directory.path, '--identity', identityFile];
  for (const output of ['json', 'text']) {
    const { code, stdout, stderr } = await keeper(['plan', 'sealed', '--to', 'HEAD', ...place, '-o', output]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /data\.password added/);
    for (const value of [CANARY, Buffer.from(CANARY).toString('base64')])
      assert.ok(!(stdout + stderr).includes(value), `${value} in ${stdout}`);
  }
});

test('an autoscaler keeps the replicas that it chose', async () => {
  const scaler = object('autoscaling/v2', 'HorizontalPodAutoscaler', 'scaled', 'web', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 1,
      maxReplicas: 5,
    },
  });
  await using world = await archived('scaled', [deployment('scaled', 'web', 'web', 'web:1'), scaler]);
  await cluster.kubectl(['-n', 'scaled', 'scale', 'deployment/web', '--replicas=3']);
  await cluster.kubectl(['-n', 'scaled', 'set', 'image', 'deployment/web', 'main=web:2']);
  const plan = await world.plan();
  assert.deepEqual(
    stepOf(plan, 'deployments.apps/web')?.fields.map(({ short }) => short),
    ['image 2 -> 1'],
  );
});

test('wrong input is one line, exit code 2, and nothing else', async () => {
  await using world = await archived('wrong', []);
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/No resource or kind is called "deploymints"; did you mean "deployments?/, ['--kinds', 'deploymints']],
    [/names no object; write RESOURCE\/NAME/, ['--object', 'web']],
    [/--field "data.a" does not begin with '\/', did you mean "\/data\/a"\?/, ['--field', 'data.a']],
    [/--existing/, ['--existing', 'all']],
    [/--as-group needs --as/, ['--as-group', 'x']],
    [/--storage-class takes OLD=NEW/, ['--storage-class', 'fast']],
    [/--delete-protected needs --prune/, ['--delete-protected', 'x/y']],
  ];
  for (const [message, args] of cases) {
    const { code, stdout, stderr } = await world.run(...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
});
