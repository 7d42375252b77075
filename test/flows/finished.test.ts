import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type KubeObject, objectAt } from '../../controller/core/object.ts';
import { RULES_VERSION } from '../../controller/core/rules/built-in.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually, file, git, keeper, startArchiver, subjects } from './keeper.ts';
import { applyAll, brief, live, object, openPlace } from './restoring.ts';

/** Jobs and bare pods that end: told once, kept in the tree, and never run a second time by a restore. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

const AGAIN = 'and would run again; to run it all the same, kubectl apply what kubekeeper show prints';
const task = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'task:1' }] };

function job(namespace: string, name: string, spec: object = {}): object {
  return object('batch/v1', 'Job', namespace, name, {
    spec: { backoffLimit: 0, ttlSecondsAfterFinished: 86_400, template: { spec: task }, ...spec },
  });
}

async function made(name: string, objects: readonly object[]): Promise<void> {
  await cluster.kubectl(['create', 'namespace', name]);
  await eventually('the account of the namespace', async () =>
    ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'].reduce(
      async (all, one) => (await all) && (await live(cluster, `/api/v1/namespaces/${name}/${one}`)) !== undefined,
      Promise.resolve(true),
    ),
  );
  await applyAll(cluster, objects);
}

/** As a kubelet does. */
async function endPod(namespace: string, name: string, phase: 'Succeeded' | 'Failed'): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  const { status, text } = await cluster.request('PATCH', path, { status: { phase } }, 'application/merge-patch+json');
  assert.equal(status, 200, text);
}

/** Ends its pod; the real Job controller sees it and says so. */
async function endJob(namespace: string, name: string, phase: 'Succeeded' | 'Failed'): Promise<void> {
  const { metadata } = (await live(cluster, `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`)) as KubeObject;
  // Those of one that had the name before may still be there.
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=controller-uid%3D${metadata['uid']}`;
  const pod = await eventually(`the pod of ${name}`, async () => {
    const { items } = JSON.parse((await cluster.request('GET', path)).text) as { items: KubeObject[] };
    return items[0];
  });
  await endPod(namespace, pod.metadata.name, phase);
  await eventually(`the end of ${name}`, async () => (await statusOf(namespace, name)).includes('"True"'));
}

async function statusOf(namespace: string, name: string): Promise<string> {
  const found = await live(cluster, `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
  const { conditions = [] } = (found?.['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
  return JSON.stringify(conditions.filter(({ type }) => type === 'Complete' || type === 'Failed'));
}

const parsed = async (data: string, repository: string, path: string) =>
  JSON.parse(await file(data, repository, path)) as KubeObject & { spec: { ttlSecondsAfterFinished?: number } };

test('a Job or pod that ends makes one commit that says how, by whom it was seen, and nothing more', async () => {
  const name = 'ending';
  await made(name, [
    job(name, 'good'),
    job(name, 'bad'),
    object('v1', 'Pod', name, 'bare', { spec: task }),
    object('v1', 'ConfigMap', name, 'app', { data: { a: '1' } }),
  ]);
  await using place = await openPlace(cluster.kubeconfig);
  const archiver = startArchiver(cluster.kubeconfig, place.data, '--namespaces', name);
  await using _running = archiver;
  const committed = (subject: string) =>
    archiver.waitFor(subject, (line) => line.event === 'committed' && line['subject'] === subject);
  // Not the first lists alone: what ends before their commit would end inside it.
  await archiver.waitFor('the first commit', (line) => line.event === 'committed');
  await endJob(name, 'good', 'Succeeded');
  await committed('jobs.batch/good: finished');
  await endJob(name, 'bad', 'Failed');
  await committed('jobs.batch/bad: failed');
  await endPod(name, 'bare', 'Succeeded');
  await committed('pods/bare: finished');
  // What the controllers still write to the statuses comes before this.
  await cluster.kubectl(['-n', name, 'annotate', 'job/good', 'seen=yes']);
  await committed('jobs.batch/good: annotations added');
  assert.deepEqual((await subjects(place.data, name)).slice(0, -1), [
    'jobs.batch/good: annotations added',
    'pods/bare: finished',
    'jobs.batch/bad: failed',
    'jobs.batch/good: finished',
  ]);
  const message = await git(place.data, name, 'log', '-1', '--format=%b', 'main~3');
  assert.match(message, /^changed jobs.batch\/good: finished$/m);
  assert.match(message, /^Actor: kube-controller-manager \(manager\)$/m);
  const good = await parsed(place.data, name, 'jobs.batch/good.json');
  assert.deepEqual(good['status'], { conditions: [{ status: 'True', type: 'Complete' }] });
  assert.equal(good.spec.ttlSecondsAfterFinished, 86_400);
  assert.deepEqual((await parsed(place.data, name, 'pods/bare.json'))['status'], { phase: 'Succeeded' });
});

test('a restore runs again what had not finished, skips what had with the reason, also by name, and undoes no end', async () => {
  const name = 'ended';
  await made(name, [
    job(name, 'good'),
    job(name, 'bad'),
    job(name, 'waiting', { suspend: true }),
    object('v1', 'Pod', name, 'bare', { spec: task }),
  ]);
  await using place = await openPlace(cluster.kubeconfig);
  await place.archive('--namespaces', name);
  const first = (await git(place.data, name, 'rev-parse', 'main')).trim();
  await endJob(name, 'good', 'Succeeded');
  await endJob(name, 'bad', 'Failed');
  await endPod(name, 'bare', 'Failed');
  await place.archive('--namespaces', name);
  assert.match((await subjects(place.data, name))[0] ?? '', /^3 objects: jobs.batch\/bad changed/);
  const point = (await git(place.data, name, 'rev-parse', 'main')).trim();
  assert.deepEqual((await place.plan(name, '--to', first)).steps, [], 'what has finished is left alone');

  await cluster.kubectl(['-n', name, 'delete', 'job', '--all', '--wait']);
  await cluster.kubectl(['-n', name, 'delete', 'pod', 'bare', '--force', '--wait']);
  const plan = await place.plan(name, '--to', point);
  assert.deepEqual(brief(plan), [
    'skip jobs.batch/bad',
    'skip jobs.batch/good',
    'create jobs.batch/waiting',
    'skip pods/bare',
  ]);
  const reasons = plan.steps.filter(({ action }) => action === 'skip').map(({ reason }) => reason);
  assert.deepEqual(reasons, [
    `the Job had finished ${AGAIN}`,
    `the Job had finished ${AGAIN}`,
    `the pod had finished ${AGAIN}`,
  ]);
  const { code, document, stderr } = await place.restore(name, '--to', point);
  assert.equal(code, 0, `nothing is missing: ${stderr}`);
  assert.deepEqual([document?.different, document?.left.length], [[], 3]);
  const jobs = `/apis/batch/v1/namespaces/${name}/jobs`;
  assert.notEqual(await live(cluster, `${jobs}/waiting`), undefined);
  assert.equal(await live(cluster, `${jobs}/good`), undefined);

  const named = await place.plan(name, '--to', point, '--object', 'jobs.batch/good');
  assert.deepEqual(brief(named), ['skip jobs.batch/good']);
  for (const one of ['jobs.batch/good', 'pods/bare']) {
    const { stdout } = await keeper(['show', name, `${point}:${one}`, '-o', 'json', '--data-dir', place.data]);
    await cluster.kubectl(['apply', '-f', '-'], { input: stdout });
  }
  assert.equal(await statusOf(name, 'good'), '[]', 'it runs again because a person said so');
  const bare = await live(cluster, `/api/v1/namespaces/${name}/pods/bare`);
  assert.equal(objectAt(bare, 'status')?.['phase'], 'Pending');
});

test('a finished Job that lives is equal, its labels come back, and it is never replaced', async () => {
  const name = 'living';
  await made(name, [job(name, 'good'), job(name, 'again'), job(name, 'runs')]);
  for (const one of ['good', 'again', 'runs']) await endJob(name, one, 'Succeeded');
  await using place = await openPlace(cluster.kubeconfig);
  await place.archive('--namespaces', name);
  const to = ['--to', (await git(place.data, name, 'rev-parse', 'main')).trim()];
  assert.deepEqual((await place.plan(name, ...to)).steps, []);

  await cluster.kubectl(['-n', name, 'label', 'job', 'good', 'team=blue']);
  await cluster.kubectl(['-n', name, 'delete', 'job', 'again', 'runs', '--wait']);
  const other = { template: { spec: { ...task, containers: [{ name: 'main', image: 'task:2' }] } } };
  await applyAll(cluster, [job(name, 'again', other), job(name, 'runs', { suspend: true })]);
  await endJob(name, 'again', 'Failed');
  const jobs = `/apis/batch/v1/namespaces/${name}/jobs`;
  const uids = () =>
    Promise.all(['good', 'again', 'runs'].map(async (one) => (await live(cluster, `${jobs}/${one}`))?.metadata['uid']));
  const before = await uids();
  const plan = await place.plan(name, ...to, '--existing', 'replace');
  assert.deepEqual(brief(plan), ['keep jobs.batch/again', 'update jobs.batch/good', 'keep jobs.batch/runs']);
  assert.match(plan.steps[0]?.reason ?? '', /cannot be changed; the Job had finished and would run again/);
  assert.deepEqual(
    plan.steps.map(({ notes }) => notes),
    [[], [], []],
  );
  assert.match(plan.steps[2]?.reason ?? '', /^it had finished, and the one that lives has not/);
  const { code, document, stderr } = await place.restore(name, ...to, '--existing', 'replace');
  assert.deepEqual([code, document?.different], [0, []], stderr);
  const { metadata } = (await live(cluster, `${jobs}/good`)) as KubeObject;
  assert.equal(objectAt(metadata, 'labels')?.['team'], undefined);
  assert.deepEqual(await uids(), before);
  assert.equal(objectAt(await live(cluster, `${jobs}/runs`), 'spec')?.['suspend'], true);
});

/** As version 1 of the rules had it: the end stood in the commit's trailers alone. */
const OLD_RULES = `rules:
  - { id: job-conditions, verdict: record }
  - { id: job-conditions-status, verdict: strip }
`;

test('an archive by the first rules is understood, and the end comes into its files behind the commit of the new rules', async () => {
  const name = 'older';
  await made(name, [job(name, 'good')]);
  await endJob(name, 'good', 'Succeeded');
  await using place = await openPlace(cluster.kubeconfig);
  const rules = join(place.path, 'rules.yaml');
  await writeFile(rules, OLD_RULES);
  await place.archive('--namespaces', name, '--rules', rules);
  assert.equal((await parsed(place.data, name, 'jobs.batch/good.json'))['status'], undefined);
  const old = (await git(place.data, name, 'rev-parse', 'main')).trim();
  await place.archive('--namespaces', name);
  const [newest, renewed] = await subjects(place.data, name);
  assert.equal(newest, 'jobs.batch/good: finished');
  assert.match(
    renewed ?? '',
    new RegExp(`^rules ${RULES_VERSION}\\+[0-9a-f]{8} -> ${RULES_VERSION}: 0 files rewritten$`),
  );
  await cluster.kubectl(['-n', name, 'delete', 'job', 'good', '--wait']);
  for (const to of [old, 'main']) {
    const { steps } = await place.plan(name, '--to', to);
    assert.deepEqual(brief({ steps }), ['skip jobs.batch/good']);
    assert.equal(steps[0]?.reason, `the Job had finished ${AGAIN}`);
  }
});
