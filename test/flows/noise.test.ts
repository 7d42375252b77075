import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type Archiver, git, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

/** An hour of what clusters do to themselves, in fast motion, and one person's change in the middle of it. */

let cluster: Cluster;
before(async () => {
  // Without the controllers: the test itself writes what they would, as they would.
  cluster = await startCluster({ controllerManager: false });
});
after(() => cluster[Symbol.asyncDispose]());

const labels = { app: 'web' };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', annotations: { team: 'blue' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'shop/web:1.4' }] } },
  },
};
const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 9 },
};
const leader = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'crossplane-leader-election',
    namespace: 'shop',
    annotations: { 'control-plane.alpha.kubernetes.io/leader': '{"renewTime":"0"}' },
  },
};
const webhook = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'checks', annotations: { 'cert-manager.io/inject-ca-from': 'shop/checks' } },
  webhooks: [
    {
      name: 'checks.shop.example',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Ignore',
      clientConfig: { service: { namespace: 'shop', name: 'checks' } },
      rules: [{ apiGroups: ['shop.example'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['widgets'] }],
    },
  ],
};
const config = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'app', namespace: 'shop' },
  data: { banner: 'hello' },
};
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', namespace: 'shop' },
  stringData: { password: 'x' },
};

async function patch(path: string, body: object, manager: string): Promise<void> {
  const answer = await cluster.request(
    'PATCH',
    `${path}?fieldManager=${manager}`,
    body,
    'application/merge-patch+json',
  );
  assert.ok(answer.status < 300, `${path}: ${answer.text}`);
}

const deploymentPath = '/apis/apps/v1/namespaces/shop/deployments/web';
const webhookPath = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/checks';

/** Five seconds of an hour. */
async function makeNoise(tick: number): Promise<void> {
  const renewed = { 'control-plane.alpha.kubernetes.io/leader': JSON.stringify({ renewTime: tick }) };
  await patch(
    '/api/v1/namespaces/shop/configmaps/crossplane-leader-election',
    { metadata: { annotations: renewed } },
    'crossplane',
  );
  await patch(
    `${deploymentPath}/status`,
    { status: { observedGeneration: tick, readyReplicas: 0 } },
    'kube-controller-manager',
  );
  await patch(`${deploymentPath}`, { metadata: { annotations: { team: 'blue' } } }, 'kubectl-annotate');
  if (tick % 6 === 0) {
    await patch(`${deploymentPath}/scale`, { spec: { replicas: 2 + (tick % 5) } }, 'kube-controller-manager');
    const status = { status: { currentReplicas: tick % 5, desiredReplicas: tick % 7, conditions: [] } };
    await patch(
      '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web/status',
      status,
      'kube-controller-manager',
    );
    const worker = '/apis/apps/v1/namespaces/shop/deployments/worker/scale';
    await patch(worker, { spec: { replicas: 1 + (tick % 4) } }, 'kube-controller-manager');
    const revision = { 'deployment.kubernetes.io/revision': String(tick) };
    await patch(deploymentPath, { metadata: { annotations: revision } }, 'kube-controller-manager');
  }
  if (tick % 60 === 0) await reissue(tick);
}

async function reissue(tick: number): Promise<void> {
  const caBundle = Buffer.from(`issue ${tick}\n${cluster.authority}`).toString('base64');
  const body = [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: caBundle }];
  const answer = await cluster.request(
    'PATCH',
    `${webhookPath}?fieldManager=cainjector`,
    body,
    'application/json-patch+json',
  );
  assert.ok(answer.status < 300, answer.text);
}

async function countCommits(directory: string): Promise<number> {
  let count = 0;
  for (const name of ['shop', '_cluster', 'default', 'kube-system']) {
    count += (await subjects(directory, name).catch(() => [])).length;
  }
  return count;
}

/** Everything the server said until now has gone through a window of 300 ms. */
async function settle(archiver: Archiver, directory: string): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(archiver.child.exitCode, null);
  return countCommits(directory);
}

/** Applied without replicas, as people do beside an autoscaler: then no field manager owns them, whoever scales. */
const unclaimed = {
  ...deployment,
  metadata: { name: 'worker', namespace: 'shop' },
  spec: { selector: deployment.spec.selector, template: deployment.spec.template },
};
const itsAutoscaler = {
  ...autoscaler,
  metadata: { name: 'worker', namespace: 'shop' },
  spec: { ...autoscaler.spec, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'worker' } },
};

test("an hour of noise makes no commit, and a person's change in it makes exactly one that says what and who", async () => {
  await using directory = await temporaryDirectory();
  await cluster.kubectl(['create', 'namespace', 'shop']);
  for (const object of [deployment, autoscaler, unclaimed, itsAutoscaler, leader, webhook, config, secret])
    await cluster.apply(object, 'kubectl');
  await reissue(0);
  const archiver = startArchiver(cluster.kubeconfig, directory.path);
  await using _running = archiver;
  await archiver.waitFor('the first lists', (line) => line.event === 'synced');
  const first = await settle(archiver, directory.path);
  assert.ok(first >= 2);
  for (let tick = 1; tick <= 720; tick++) {
    await makeNoise(tick);
    if (tick === 360) {
      assert.equal(await settle(archiver, directory.path), first, archiver.output());
      await patch('/api/v1/namespaces/shop/configmaps/app', { data: { banner: 'sale' } }, 'kubectl-edit');
    }
  }
  assert.equal(await settle(archiver, directory.path), first + 1, await git(directory.path, 'shop', 'log', '-p'));
  const message = await git(directory.path, 'shop', 'log', '-1', '--format=%B');
  assert.match(message, /^configmaps\/app: banner hello -> sale\n/);
  assert.match(message, /^Actor: kubectl-edit \(manager\)$/m);
  await archiver.stop();

  // A restart is a resync of everything, and the autoscaler's last word still stands only in the cluster.
  const again = startArchiver(cluster.kubeconfig, directory.path);
  await using _again = again;
  await again.waitFor('the lists of a restart', (line) => line.event === 'synced');
  assert.equal(await settle(again, directory.path), first + 1, await git(directory.path, 'shop', 'log', '-1', '-p'));

  await patch(`${deploymentPath}/scale`, { spec: { replicas: 8 } }, 'kubectl');
  await again.waitFor("a person's scaling", (line) => line.event === 'committed');
  const scaled = await git(directory.path, 'shop', 'log', '-1', '--format=%B');
  assert.match(scaled, /^deployments\.apps\/web: replicas \d -> 8\n/);
  assert.match(scaled, /^Actor: kubectl \(manager\)$/m);
});
