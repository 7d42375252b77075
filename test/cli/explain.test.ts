import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { keeper } from '../flows/keeper.ts';

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  await cluster.kubectl(['create', 'namespace', 'shop']);
  await cluster.kubectl(['create', 'service', 'clusterip', 'web', '--tcp=80', '-n', 'shop']);
  await cluster.kubectl(['create', 'secret', 'generic', 'db', '--from-literal=password=canary-value', '-n', 'shop']);
});
after(() => cluster[Symbol.asyncDispose]());

const explain = (...args: readonly string[]) => keeper(['explain', ...args], { KUBECONFIG: cluster.kubeconfig });

test('the rules of a resource are listed with pointer, verdict and reason', async () => {
  const { code, stdout } = await explain('services');
  assert.equal(code, 0);
  assert.match(stdout, /^\/spec\/clusterIP\s+restore-only\s+\S.*\[.+\]$/m);
  assert.match(stdout, /^\/status\s+strip\s+/m);
  const json = JSON.parse((await explain('svc', '-o', 'json')).stdout) as {
    resource: string;
    rules: { pointer: string }[];
  };
  assert.equal(json.resource, 'services');
  assert.ok(json.rules.some((rule) => rule.pointer === '/spec/clusterIP'));
});

test('a resource is explained without a cluster too', async () => {
  const { code, stdout } = await keeper(['explain', 'routes.route.openshift.io'], { KUBECONFIG: '/nonexistent' });
  assert.equal(code, 0);
  assert.match(stdout, /^\/spec\/tls\/key\s+.*sealed/m);
});

test('a live object shows what the rules do to it, and never a secret value', async () => {
  const service = await explain('services/web', '-n', 'shop');
  assert.equal(service.code, 0);
  assert.match(service.stdout, /^archived\n/);
  assert.match(service.stdout, /^\/spec\/clusterIP\s+restore-only\s+10\.0\./m);
  const secret = await explain('secrets/db', '-n', 'shop');
  assert.match(secret.stdout, /\/data\/password/);
  const json = await explain('secrets/db', '-n', 'shop', '-o', 'json');
  const encoded = Buffer.from('canary-value').toString('base64');
  for (const text of [secret.stdout, json.stdout])
    assert.ok(!text.includes('canary-value') && !text.includes(encoded), text);
});

test('an object that is left out says why', async () => {
  const { stdout } = await explain('services/kubernetes');
  assert.match(stdout, /^not archived: /);
});

test('what is not there is said in one line', async () => {
  for (const args of [
    ['services/none', '-n', 'shop'],
    ['servces'],
    ['gadgets.shop.example/x'],
    ['services', '-o', 'yaml'],
  ]) {
    const { code, stderr, stdout } = await explain(...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^error: [^\n]+\n$/);
  }
  assert.match((await explain('servces')).stderr, /"services"/);
});
