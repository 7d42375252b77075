import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { definition } from '../controller-cluster/definition.ts';
import { startWebhook } from '../restore/webhook.ts';
import { eventually, git } from './keeper.ts';
import { applyAll, deployment, live, object, openPlace, type Place, pod, type Running } from './restoring.ts';

/** The command line while things fail: nothing is half-done without being named, and going on reaches the same end. */

let cluster: Cluster;
let place: Place;
before(async () => {
  cluster = await startCluster();
  place = await openPlace(cluster.kubeconfig);
  await cluster.apply(DEFINITION.object);
  await DEFINITION.established(cluster);
});
after(async () => {
  await place?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const RBAC = 'rbac.authorization.k8s.io';
const CANARY = 'kkcanary-faults-4711';

const DEFINITION = definition('gadgets.faults.test');

const once = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'web:1' }] } };

/** An object for each wave of a namespace. */
async function fill(name: string): Promise<void> {
  await cluster.kubectl(['create', 'namespace', name]);
  await applyAll(cluster, [
    object('v1', 'LimitRange', name, 'limit', {
      spec: { limits: [{ type: 'Container', default: { memory: '64Mi' } }] },
    }),
    object(`${RBAC}/v1`, 'Role', name, 'reader', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    object(`${RBAC}/v1`, 'RoleBinding', name, 'readers', {
      roleRef: { apiGroup: RBAC, kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: name }],
    }),
    object('v1', 'ServiceAccount', name, 'web'),
    object('v1', 'Secret', name, 'db', { stringData: { password: CANARY } }),
    ...[1, 2, 3, 4, 5, 6].map((index) =>
      object('v1', 'ConfigMap', name, `app-${index}`, { data: { index: `${index}` } }),
    ),
    object('v1', 'PersistentVolumeClaim', name, 'files', {
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'slow', resources: { requests: { storage: '1Gi' } } },
    }),
    object('v1', 'Service', name, 'web', {
      spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] },
    }),
    object('networking.k8s.io/v1', 'Ingress', name, 'web', {
      spec: {
        rules: [{ host: 'web.example.com' }],
        defaultBackend: { service: { name: 'web', port: { number: 80 } } },
      },
    }),
    object('faults.test/v1', 'Gadget', name, 'owner', { spec: { size: 1 } }),
    deployment(name, 'web', 'web:1', { replicas: 0, template: pod('web') }),
    object('policy/v1', 'PodDisruptionBudget', name, 'web', {
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    }),
    object('batch/v1', 'CronJob', name, 'nightly', {
      spec: { schedule: '0 3 * * *', suspend: true, jobTemplate: { spec: { template: once } } },
    }),
  ]);
  const owner = await live(cluster, `/apis/faults.test/v1/namespaces/${name}/gadgets/owner`);
  const reference = { apiVersion: 'faults.test/v1', kind: 'Gadget', name: 'owner', uid: owner?.metadata['uid'] };
  const owned = object('v1', 'ConfigMap', name, 'owned', { data: { of: 'owner' } });
  const metadata = {
    ...owned.metadata,
    ownerReferences: [{ ...reference, controller: true }],
    finalizers: ['faults.test/kept'],
  };
  await cluster.apply({ ...owned, metadata });
  await place.archive('--namespaces', name);
}

async function deleteNamespace(name: string): Promise<void> {
  const none = [{ op: 'remove', path: '/metadata/finalizers' }];
  await cluster.request('PATCH', `/api/v1/namespaces/${name}/configmaps/owned`, none, 'application/json-patch+json');
  await cluster.kubectl(['delete', 'namespace', name, '--wait']);
}

/** Everything of the namespace is archived as the very same tree. */
async function assertSameTree(name: string, then: ReadonlyMap<string, string>): Promise<void> {
  await place.archive('--namespaces', name);
  assert.deepEqual([...(await place.tree(name))], [...then]);
}

const REAL = /^(?!.*dryRun)/;

/** Writes there are told to come again later, until something else has happened. */
async function during(proxy: FaultProxy, running: Running, path: RegExp, happens: () => Promise<void>): Promise<void> {
  const held = proxy.add({
    path,
    method: 'POST',
    query: REAL,
    action: { do: 'status', code: 429, retryAfterSeconds: 1 },
  });
  const early = running.ended.then(({ stdout, stderr }) => assert.fail(`the restore ended first: ${stdout}${stderr}`));
  await Promise.race([eventually('the restore to come there', async () => held.hits > 0, 60_000), early]);
  early.catch(() => undefined);
  await happens();
  held.remove();
}

const results = (
  steps: readonly { readonly ref: { readonly resource: string; readonly name: string }; readonly result: string }[],
) => steps.filter(({ result }) => result !== 'done').map(({ ref, result }) => `${result} ${ref.resource}/${ref.name}`);

test('an API server that is killed and started again in the middle changes nothing of the end', async () => {
  await using proxy = await startFaultProxy(cluster);
  await fill('restarted');
  const then = await place.tree('restarted');
  await deleteNamespace('restarted');
  const running = place.begin('restarted', '--to', 'HEAD', '--kubeconfig', proxy.kubeconfig);
  await during(proxy, running, /\/configmaps$/, () => cluster.restartApiServer('SIGKILL'));
  const { code, document, stderr } = await running.ended;
  assert.deepEqual([code, results(document?.steps ?? []), document?.equal], [0, [], true], stderr);
  await assertSameTree('restarted', then);
});

test('429s, cut connections and answers that got lost change nothing of the end', async () => {
  await using proxy = await startFaultProxy(cluster);
  await fill('disturbed');
  const then = await place.tree('disturbed');
  await deleteNamespace('disturbed');
  const path = /\/(configmaps|secrets|gadgets)/;
  const faults = [
    proxy.add({
      path,
      method: 'POST',
      query: REAL,
      times: 2,
      action: { do: 'status', code: 429, retryAfterSeconds: 1 },
    }),
    proxy.add({ path, method: 'POST', query: REAL, times: 3, action: { do: 'cut', afterBytes: 20 } }),
    proxy.add({ path, method: 'POST', query: REAL, times: 2, action: { do: 'cut' } }),
    proxy.add({ path, method: 'POST', query: REAL, times: 1, action: { do: 'status', code: 500 } }),
    proxy.add({ path, method: 'PATCH', query: REAL, times: 1, action: { do: 'cut', afterBytes: 20 } }),
    proxy.add({ path, method: 'GET', times: 1, action: { do: 'cut', afterBytes: 20 } }),
  ];
  const { code, document, stderr } = await place.restore('disturbed', '--to', 'HEAD', '--kubeconfig', proxy.kubeconfig);
  assert.deepEqual([code, results(document?.steps ?? []), document?.equal], [0, [], true], stderr);
  assert.ok(
    faults.every(({ hits }) => hits > 0),
    'each fault was met',
  );
  await assertSameTree('disturbed', then);
});

test('what a webhook refuses is in the plan; what it begins to refuse later fails alone, and the rest is done', async () => {
  await using proxy = await startFaultProxy(cluster);
  await cluster.kubectl(['create', 'namespace', 'guarded']);
  await applyAll(cluster, [
    object('v1', 'ServiceAccount', 'guarded', 'web'),
    object('v1', 'ConfigMap', 'guarded', 'bad', { data: { key: 'deny-me' } }),
    object('v1', 'ConfigMap', 'guarded', 'good', { data: { key: 'fine' } }),
  ]);
  await place.archive('--namespaces', 'guarded');
  // HEAD moves: a safety commit is made before each restore.
  const to = ['--to', (await git(place.data, 'guarded', 'rev-parse', 'main')).trim()];
  const remove = () =>
    cluster.kubectl(['-n', 'guarded', 'delete', 'serviceaccount/web', 'configmap/bad', 'configmap/good', '--wait']);
  await remove();
  const probed = async () => {
    const probe = object('v1', 'ConfigMap', 'guarded', 'probe', { data: { key: 'deny' } });
    return (await cluster.request('POST', '/api/v1/namespaces/guarded/configmaps?dryRun=All', probe)).status;
  };
  const refusal = /^the webhook deny\.guarded\.test refuses: the value deny-me is not wanted/;
  {
    await using _webhook = await startWebhook(cluster, 'guarded');
    await eventually('the webhook to be asked', async () => (await probed()) === 403);
    const plan = await place.plan('guarded', ...to);
    const [step] = plan.steps.filter(({ action }) => action === 'skip');
    assert.deepEqual([step?.ref.name, plan.steps.length], ['bad', 3]);
    assert.match(step?.reason ?? '', refusal);
    const { code, document } = await place.restore('guarded', ...to);
    assert.deepEqual([code, document?.steps.length, document?.left[0]?.ref.name], [3, 2, 'bad']);
    await cluster.kubectl(['-n', 'guarded', 'delete', 'serviceaccount/web', 'configmap/good', '--wait']);
  }
  await eventually('the webhook to be forgotten', async () => (await probed()) === 201);
  const running = place.begin('guarded', ...to, '--kubeconfig', proxy.kubeconfig);
  await using webhooks = new AsyncDisposableStack();
  await during(proxy, running, /\/serviceaccounts$/, async () => {
    webhooks.use(await startWebhook(cluster, 'guarded'));
    await eventually('the webhook to be asked', async () => (await probed()) === 403);
  });
  const { code, document, stderr } = await running.ended;
  assert.deepEqual([code, results(document?.steps ?? [])], [3, ['failed configmaps/bad']], stderr);
  assert.match(document?.steps.find(({ result }) => result === 'failed')?.reason ?? '', refusal);
  assert.ok((await live(cluster, '/api/v1/namespaces/guarded/configmaps/good')) !== undefined);
});

test('a namespace that is stuck in Terminating is waited for until somebody lets it go', async () => {
  await fill('stuck');
  const then = await place.tree('stuck');
  const none = [{ op: 'remove', path: '/metadata/finalizers' }];
  const path = '/api/v1/namespaces/stuck/configmaps';
  await cluster.kubectl(['delete', 'namespace', 'stuck', '--wait=false']);
  const says = /faults\.test\/kept in/;
  await eventually('the namespace to say what holds it', async () =>
    says.test(JSON.stringify(await live(cluster, '/api/v1/namespaces/stuck'))),
  );
  const running = place.begin('stuck', '--to', 'HEAD');
  await eventually('the wave of the namespace', async () => (await running.waves()).includes('namespaces'));
  const old = await live(cluster, '/api/v1/namespaces/stuck');
  await wait(3_000);
  assert.equal((await live(cluster, '/api/v1/namespaces/stuck'))?.metadata['uid'], old?.metadata['uid']);
  await cluster.request('PATCH', `${path}/owned`, none, 'application/json-patch+json');
  const { code, document, stderr } = await running.ended;
  assert.deepEqual([code, results(document?.steps ?? []), document?.equal], [0, [], true], stderr);
  assert.match(stderr, /waiting for Namespace stuck to be gone, held by .*faults\.test\/kept/);
  await assertSameTree('stuck', then);
});

test('a quota that somebody else uses up between plan and apply: one step fails and names it, the rest is done', async () => {
  await using proxy = await startFaultProxy(cluster);
  await fill('tight');
  await cluster.kubectl([
    '-n',
    'tight',
    'delete',
    'serviceaccount/web',
    'configmap/app-1',
    'cronjob/nightly',
    '--wait',
  ]);
  const count = JSON.parse((await cluster.request('GET', '/api/v1/namespaces/tight/configmaps')).text).items
    .length as number;
  await cluster.apply(
    object('v1', 'ResourceQuota', 'tight', 'few', { spec: { hard: { 'count/configmaps': String(count + 1) } } }),
  );
  await eventually('the quota to be counted', async () => {
    const quota = (await live(cluster, '/api/v1/namespaces/tight/resourcequotas/few')) as {
      status?: { used?: object };
    };
    return quota.status?.used !== undefined;
  });
  const running = place.begin('tight', '--to', 'HEAD', '--kubeconfig', proxy.kubeconfig);
  await during(proxy, running, /\/serviceaccounts$/, async () => {
    await cluster.apply(object('v1', 'ConfigMap', 'tight', 'theirs', { data: { a: '1' } }));
  });
  const { code, document, stderr } = await running.ended;
  assert.deepEqual([code, results(document?.steps ?? [])], [3, ['failed configmaps/app-1']], stderr);
  assert.match(document?.steps.find(({ result }) => result === 'failed')?.reason ?? '', /exceeded quota: few/);
  assert.ok((await live(cluster, '/apis/batch/v1/namespaces/tight/cronjobs/nightly')) !== undefined);
});

test('what somebody changes between plan and apply is theirs: the step has moved, nothing of it is overwritten', async () => {
  await using proxy = await startFaultProxy(cluster);
  await fill('moving');
  await cluster.kubectl(['-n', 'moving', 'delete', 'serviceaccount/web', 'configmap/app-2', '--wait']);
  await cluster.apply(object('v1', 'ConfigMap', 'moving', 'app-1', { data: { index: 'other' } }));
  const running = place.begin('moving', '--to', 'HEAD', '--kubeconfig', proxy.kubeconfig);
  await during(proxy, running, /\/serviceaccounts$/, async () => {
    await cluster.apply(object('v1', 'ConfigMap', 'moving', 'app-1', { data: { index: 'theirs' } }));
    await cluster.apply(object('v1', 'ConfigMap', 'moving', 'app-2', { data: { index: 'theirs' } }));
  });
  const { code, document, stderr } = await running.ended;
  assert.equal(code, 3, stderr);
  assert.deepEqual(results(document?.steps ?? []).toSorted(), ['moved configmaps/app-1', 'moved configmaps/app-2']);
  for (const name of ['app-1', 'app-2'])
    assert.deepEqual((await live(cluster, `/api/v1/namespaces/moving/configmaps/${name}`))?.['data'], {
      index: 'theirs',
    });
  assert.ok((await live(cluster, '/api/v1/namespaces/moving/serviceaccounts/web')) !== undefined);
});

/** A wave and what is written in it. Whether the write arrived before the end is told by `arrives`. */
const KILLS = [
  { wave: 'namespaces', path: /\/namespaces$/, method: 'POST', arrives: true },
  { wave: 'limits', path: /\/limitranges$/, method: 'POST', arrives: false },
  { wave: 'rights', path: /\/roles$/, method: 'POST', arrives: true },
  { wave: 'accounts', path: /\/serviceaccounts$/, method: 'POST', arrives: false },
  { wave: 'configuration', path: /\/configmaps$/, method: 'POST', arrives: true },
  { wave: 'claims', path: /\/persistentvolumeclaims$/, method: 'POST', arrives: false },
  { wave: 'network', path: /\/services$/, method: 'POST', arrives: true },
  { wave: 'custom', path: /\/gadgets$/, method: 'POST', arrives: false },
  { wave: 'workloads', path: /\/deployments$/, method: 'POST', arrives: true },
  { wave: 'scaling', path: /\/poddisruptionbudgets$/, method: 'POST', arrives: false },
  { wave: 'schedules', path: /\/cronjobs$/, method: 'POST', arrives: true },
  // Owners and finalizers, after the last wave.
  { wave: 'schedules', path: /\/configmaps\/owned$/, method: 'PATCH', arrives: false },
] as const;

test('killed in each wave, a restore that is gone on with ends where an undisturbed one does', async (t) => {
  await fill('killed');
  const asked = ['--to', 'HEAD', '--host', 'web.example.com=copy.example.com', '--storage-class', 'slow=fast'];
  const undisturbed = await place.restore('killed', ...asked, '--into', 'killed-never');
  assert.equal(undisturbed.code, 0, undisturbed.stderr);
  const names: string[] = [];
  for (const { wave, path, method, arrives } of KILLS) {
    const name = method === 'PATCH' ? 'killed-late' : `killed-${wave}`;
    names.push(name);
    await t.test(`${name}, the write ${arrives ? 'arrived and' : 'did not arrive,'} nobody knows`, async () => {
      await using proxy = await startFaultProxy(cluster);
      const stall = arrives ? ({ do: 'stall', afterLines: 0 } as const) : ({ do: 'stall' } as const);
      const fault = proxy.add({ path, method, query: REAL, action: stall });
      const running = place.begin('killed', ...asked, '--into', name, '--kubeconfig', proxy.kubeconfig);
      await eventually(
        `the wave of ${wave}`,
        async () => fault.hits > 0 && (await running.waves()).at(-1) === wave,
        60_000,
      );
      if (arrives) await wait(300);
      await running.kill();
      // What was asked for stands in the journal.
      const resumed = await place.restore('killed', '--resume');
      assert.deepEqual([resumed.code, results(resumed.document?.steps ?? [])], [0, []], resumed.stderr);
      assert.deepEqual([resumed.document?.incomplete, resumed.document?.different], [[], []]);
    });
  }
  await place.archive('--namespaces', ['killed-never', ...names].join(','));
  const manifests = async (name: string) => {
    const found: string[] = [];
    for (const path of (await place.tree(name)).keys()) {
      // Who names the namespace by its uid, and values that are sealed anew each time.
      if (path.startsWith('.') || path.startsWith('secrets/')) continue;
      found.push(
        `${path.replaceAll(name, 'NAME')} ${(await git(place.data, name, 'show', `main:${path}`)).replaceAll(name, 'NAME')}`,
      );
    }
    return found;
  };
  const expected = await manifests('killed-never');
  assert.match(expected.find((text) => text.startsWith('ingresses')) ?? '', /copy\.example\.com/);
  assert.ok(expected.length >= 18, `${expected.length}`);
  for (const name of names) {
    assert.deepEqual(await manifests(name), expected, name);
    const secret = await live(cluster, `/api/v1/namespaces/${name}/secrets/db`);
    assert.deepEqual(secret?.['data'], { password: Buffer.from(CANARY).toString('base64') });
    const owner = await live(cluster, `/apis/faults.test/v1/namespaces/${name}/gadgets/owner`);
    const owned = await live(cluster, `/api/v1/namespaces/${name}/configmaps/owned`);
    const references = owned?.metadata['ownerReferences'] as { uid: string }[] | undefined;
    assert.deepEqual(
      references?.map(({ uid }) => uid),
      [owner?.metadata['uid']],
      name,
    );
    assert.deepEqual(owned?.metadata['finalizers'], ['faults.test/kept'], name);
  }
});

const OF_THE_CLUSTER = [
  {
    wave: 'definitions',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    made: definition('tools.faults.test').object,
  },
  {
    wave: 'classes',
    path: '/apis/storage.k8s.io/v1/storageclasses',
    made: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'killed' },
      provisioner: 'none.test',
    },
  },
  {
    wave: 'volumes',
    path: '/api/v1/persistentvolumes',
    made: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'killed' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/nowhere' },
        storageClassName: 'killed',
      },
    },
  },
  {
    wave: 'admission',
    path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    made: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'killed' },
      webhooks: [],
    },
  },
] as const;

test("killed in each wave of the cluster's own objects and gone on with: the same tree, byte for byte", async (t) => {
  for (const { made } of OF_THE_CLUSTER) await cluster.apply(made);
  await cluster.kubectl(['wait', 'crd/tools.faults.test', '--for=condition=Established', '--timeout=30s']);
  await cluster.kubectl(['wait', 'pv/killed', '--for=jsonpath={.status.phase}=Available', '--timeout=30s']);
  await place.archive('--namespaces', '_cluster');
  const commit = (await git(place.data, '_cluster', 'rev-parse', 'main')).trim();
  for (const { wave, path } of OF_THE_CLUSTER)
    await t.test(wave, async () => {
      for (const one of OF_THE_CLUSTER) await cluster.request('DELETE', `${one.path}/${one.made.metadata.name}`);
      await eventually('all of it to be gone', async () => {
        const left = await Promise.all(
          OF_THE_CLUSTER.map((one) => live(cluster, `${one.path}/${one.made.metadata.name}`)),
        );
        return left.every((one) => one === undefined);
      });
      await using proxy = await startFaultProxy(cluster);
      const fault = proxy.add({
        path: new RegExp(`${path}$`),
        method: 'POST',
        query: REAL,
        action: { do: 'stall', afterLines: 0 },
      });
      const running = place.begin('_cluster', '--to', commit, '--kubeconfig', proxy.kubeconfig);
      await eventually(
        `the wave of ${wave}`,
        async () => fault.hits > 0 && (await running.waves()).at(-1) === wave,
        60_000,
      );
      await running.kill();
      const resumed = await place.restore('_cluster', '--resume');
      assert.deepEqual([resumed.code, results(resumed.document?.steps ?? [])], [0, []], resumed.stderr);
      await place.archive('--namespaces', '_cluster');
      assert.deepEqual([...(await place.tree('_cluster'))], [...(await place.tree('_cluster', commit))]);
    });
});

test('killed while it deletes what came later and gone on with: exactly that is gone', async () => {
  await using proxy = await startFaultProxy(cluster);
  await fill('pruned');
  const commit = (await git(place.data, 'pruned', 'rev-parse', 'main')).trim();
  const late = ['late-1', 'late-2', 'late-3'];
  await applyAll(
    cluster,
    late.map((name) => object('v1', 'ConfigMap', 'pruned', name, { data: { a: '1' } })),
  );
  // A dry run of a deletion says so in its body: both plans ask for each once.
  const path = /\/configmaps\/late-2$/;
  const fault = proxy.add({ path, method: 'DELETE', after: 2, action: { do: 'stall', afterLines: 0 } });
  const running = place.begin('pruned', '--to', commit, '--prune', '--kubeconfig', proxy.kubeconfig);
  await eventually(
    'the deletions',
    async () => fault.hits > 0 && (await running.waves()).at(-1) === 'deletions',
    60_000,
  );
  await running.kill();
  const resumed = await place.restore('pruned', '--resume');
  assert.equal(resumed.code, 0, resumed.stderr);
  await place.archive('--namespaces', 'pruned');
  assert.deepEqual([...(await place.tree('pruned'))], [...(await place.tree('pruned', commit))]);
});

test('killed in place of a deleted namespace and gone on with: the same tree, byte for byte', async () => {
  await using proxy = await startFaultProxy(cluster);
  await fill('again');
  const then = await place.tree('again');
  await deleteNamespace('again');
  const fault = proxy.add({ path: /\/configmaps$/, method: 'POST', query: REAL, after: 3, action: { do: 'stall' } });
  const running = place.begin('again', '--to', 'HEAD', '--kubeconfig', proxy.kubeconfig);
  await eventually('the wave of configuration', async () => fault.hits > 0, 60_000);
  await running.kill();
  const resumed = await place.restore('again', '--resume');
  assert.equal(resumed.code, 0, resumed.stderr);
  await assertSameTree('again', then);
  const none = await place.restore('again', '--resume');
  assert.equal(none.code, 2, 'there is nothing to go on with any more');
  assert.ok(!place.output().includes(CANARY));
});
