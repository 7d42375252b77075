import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Connection, connect } from '../../controller/cluster/connect.ts';
import { openRestoreTarget } from '../../controller/cluster/open-restore-target.ts';
import { parseJson } from '../../controller/core/json.ts';
import type { Json, KubeObject } from '../../controller/core/object.ts';
import type { Refused, RestoreTarget, WriteAnswer } from '../../controller/core/restore/ports.ts';
import { KeeperError } from '../../controller/errors.ts';
import { type FaultProxy, startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { definition } from './definition.ts';

/** The restore target on a real API server: what is asked is done once, as whom it is asked for, and refusals are answers. */

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
const SECRETS = { ...CONFIG_MAPS, plural: 'secrets' };
const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', namespaced: false };
const DEPLOYMENTS = { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true };
const REAL = { dryRun: false };

let cluster: Cluster;
let proxy: FaultProxy;
let connection: Connection;
let through: Connection;
let target: RestoreTarget;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  proxy = await startFaultProxy(cluster);
  connection = await connect({ kubeconfig: cluster.kubeconfig });
  through = await connect({ kubeconfig: proxy.kubeconfig });
  target = openRestoreTarget(connection);
});
after(async () => {
  await through[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

function map(name: string, data: Record<string, string> = { key: 'value' }): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

const place = (name: string) => ({ namespace: 'default', name });
const at = (name: string) => `/api/v1/namespaces/default/configmaps/${name}`;

async function live(name: string): Promise<KubeObject | undefined> {
  const { status, text } = await cluster.request('GET', at(name));
  return status === 200 ? (JSON.parse(text) as KubeObject) : undefined;
}

function done(answer: WriteAnswer): KubeObject {
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.object;
}

function refusedOf(answer: WriteAnswer): Refused {
  assert.ok(!answer.ok, 'it was not refused');
  return answer.refused;
}

test('an object is made, patched and deleted under our field manager, and a dry run leaves no trace', async () => {
  assert.ok((await target.create(CONFIG_MAPS, map('plain'), { dryRun: true })).ok);
  assert.equal(await live('plain'), undefined);
  const made = done(await target.create(CONFIG_MAPS, map('plain'), REAL));
  const version = made.metadata['resourceVersion'] as string;
  const guard = { op: 'test', path: '/metadata/resourceVersion', value: version } as const;
  const change = [guard, { op: 'replace', path: '/data/key', value: 'other' } as const];
  assert.ok((await target.patch(CONFIG_MAPS, place('plain'), change, { dryRun: true })).ok);
  assert.deepEqual((await live('plain'))?.['data'], { key: 'value' });
  done(await target.patch(CONFIG_MAPS, place('plain'), change, REAL));
  const patched = (await target.get(CONFIG_MAPS, place('plain'))) as KubeObject;
  assert.deepEqual(patched['data'], { key: 'other' });
  const managers = patched.metadata['managedFields'] as { manager: string }[];
  assert.deepEqual([...new Set(managers.map(({ manager }) => manager))], ['kubekeeper']);
  const stale = refusedOf(await target.patch(CONFIG_MAPS, place('plain'), change, REAL));
  assert.deepEqual([stale.status, stale.reason], [422, 'Invalid']);
  const uid = patched.metadata['uid'] as string;
  const removal = { dryRun: false, propagation: 'Background' } as const;
  const moved = refusedOf(
    await target.remove(CONFIG_MAPS, place('plain'), { ...removal, uid, resourceVersion: version }),
  );
  assert.equal(moved.reason, 'Conflict');
  assert.ok((await target.remove(CONFIG_MAPS, place('plain'), { ...removal, uid, dryRun: true })).ok);
  assert.ok(await live('plain'));
  done(await target.remove(CONFIG_MAPS, place('plain'), { ...removal, uid }));
  assert.equal(await live('plain'), undefined);
  assert.equal(refusedOf(await target.remove(CONFIG_MAPS, place('plain'), removal)).reason, 'NotFound');
});

test('what is refused is an answer with its reason and fields, not an error', async () => {
  done(await target.create(CONFIG_MAPS, map('twice'), REAL));
  assert.equal(refusedOf(await target.create(CONFIG_MAPS, map('twice'), REAL)).reason, 'AlreadyExists');
  const invalid: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'No', namespace: 'default' } };
  const { status, reason, causes } = refusedOf(await target.create(CONFIG_MAPS, invalid, REAL));
  assert.deepEqual([status, reason, causes[0]?.field], [422, 'Invalid', 'metadata.name']);
  const nowhere = { ...map('lost'), metadata: { name: 'lost', namespace: 'nowhere' } };
  const missing = refusedOf(await target.create(CONFIG_MAPS, nowhere, REAL));
  assert.deepEqual([missing.status, missing.reason], [404, 'NotFound']);
  const unserved = { group: 'no.test', version: 'v1', plural: 'things', namespaced: true };
  assert.deepEqual(refusedOf(await target.create(unserved, map('thing'), REAL)).reason, 'NotServed');
  assert.equal(await target.get(unserved, place('thing')), undefined);
  assert.deepEqual(await target.list(unserved, {}), []);
});

test('a field that the server does not know is dropped with a warning that names it', async () => {
  const object = { ...map('unknown'), extra: 'word' };
  const answer = await target.create(CONFIG_MAPS, object, REAL);
  done(answer);
  assert.ok(answer.ok && answer.warnings?.some((warning) => warning.includes('unknown field "extra"')), 'no warning');
});

test('words about an object that holds secrets name fields and repeat no value', async () => {
  const value = 'hunter2-is-no-base64';
  const object = { ...map('sealed'), kind: 'Secret', type: `kubernetes.io/${value}`, data: { key: value } };
  const malformed = refusedOf(await target.create(SECRETS, object, REAL));
  const tls = { ...object, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': btoa(value) } };
  const invalid = refusedOf(await target.create(SECRETS, tls, REAL));
  assert.equal(invalid.causes[0]?.field, 'data[.dockerconfigjson]');
  for (const refused of [malformed, invalid]) assert.doesNotMatch(JSON.stringify(refused), /hunter2|aHVudGVy/);
  const marked = { ...map('Marked', { [`${value}/`]: value }) };
  assert.match(JSON.stringify(refusedOf(await target.create(CONFIG_MAPS, marked, REAL))), /hunter2/);
});

test('numbers that no double holds arrive as they were written', async () => {
  const numbers = definition('numbers.restore.test');
  await cluster.apply(numbers.object);
  await numbers.established(cluster);
  const text = `{"apiVersion":"restore.test/v1","kind":"Number","metadata":{"name":"one","namespace":"default"},"spec":{"count":12345678901234567}}`;
  done(await target.create(numbers.resource, parseJson(text) as KubeObject, REAL));
  const operation = { op: 'add', path: '/spec/more', value: parseJson('76543210987654321') as Json } as const;
  done(await target.patch(numbers.resource, place('one'), [operation], REAL));
  const stored = await cluster.request('GET', '/apis/restore.test/v1/namespaces/default/numbers/one');
  assert.match(stored.text, /"count":12345678901234567,"more":76543210987654321/);
});

test('everything is asked for as the user that is named, and the rights of who impersonates count for nothing', async () => {
  await cluster.createUser('unused', []);
  const role = (verbs: string[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'keys', namespace: 'default' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }],
  });
  const binding = (subject: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'keys', namespace: 'default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'keys' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', ...subject }],
  });
  await cluster.apply(role(['get', 'create']));
  await cluster.apply(binding({ kind: 'User', name: 'zoë' }));
  const zoe = openRestoreTarget(connection, { asUser: 'zoë' });
  await until(() => zoe.may(CONFIG_MAPS, 'create', { namespace: 'default' }));
  done(await zoe.create(CONFIG_MAPS, map('by-zoe'), REAL));
  assert.equal(await zoe.may(CONFIG_MAPS, 'delete', place('by-zoe')), false);
  const removal = { ...REAL, propagation: 'Background' } as const;
  const refused = refusedOf(await zoe.remove(CONFIG_MAPS, place('by-zoe'), removal));
  assert.deepEqual([refused.status, refused.reason], [403, 'Forbidden']);
  assert.match(refused.message, /User "zoë" cannot delete/);
  assert.equal(await zoe.get(SECRETS, place('any')), 'forbidden');
  assert.equal(await zoe.list(CONFIG_MAPS, { namespace: 'default' }), 'forbidden');
  assert.equal(refusedOf(await zoe.create(SECRETS, { ...map('s'), kind: 'Secret' }, REAL)).reason, 'Forbidden');
  const grouped = openRestoreTarget(connection, { asUser: 'ann', asGroups: ['system:masters'] });
  assert.equal(await grouped.may(NAMESPACES, 'delete', {}), true);
  const alone = openRestoreTarget(connection, { asUser: 'ann' });
  assert.equal(await alone.may(NAMESPACES, 'delete', {}), false);
});

test('who is named stands in for whom the kubeconfig impersonates, groups included', async () => {
  const { readFile, writeFile } = await import('node:fs/promises');
  const text = await readFile(cluster.kubeconfig, 'utf8');
  const config = JSON.parse(text) as { users: { user: Record<string, unknown> }[] };
  for (const { user } of config.users) Object.assign(user, { as: 'root', 'as-groups': ['system:masters'] });
  const path = `${cluster.directory}/impersonating.kubeconfig`;
  await writeFile(path, JSON.stringify(config));
  await using own = await connect({ kubeconfig: path });
  assert.equal(await openRestoreTarget(own).may(NAMESPACES, 'delete', {}), true);
  assert.equal(await openRestoreTarget(own, { asUser: 'bob' }).may(NAMESPACES, 'delete', {}), false);
});

test('a user that a header would change, and groups without a user, are refused before anything is sent', () => {
  for (const options of [{ asUser: '' }, { asUser: ' admin' }, { asUser: 'a\nb' }, { asGroups: ['system:masters'] }]) {
    assert.throws(
      () => openRestoreTarget(connection, options),
      (error) => error instanceof KeeperError && error.code === 'USAGE_INVALID',
    );
  }
});

test('a server that asks to wait is obeyed, and what it answers in the end counts', async () => {
  using fault = hit({
    path: /configmaps$/,
    method: 'POST',
    times: 2,
    action: { do: 'status', code: 429, retryAfterSeconds: 1 },
  });
  const started = performance.now();
  done(await openRestoreTarget(through).create(CONFIG_MAPS, map('later'), REAL));
  assert.ok(performance.now() - started >= 2000, 'it did not wait');
  assert.equal(fault.hits, 2);
});

test('a create whose answer was cut is done once and is no refusal', async () => {
  using fault = hit({ path: /configmaps$/, method: 'POST', times: 1, action: { do: 'cut', afterBytes: 10 } });
  const made = done(await openRestoreTarget(through).create(CONFIG_MAPS, map('cut'), REAL));
  assert.equal(fault.hits, 1);
  assert.equal(made.metadata['uid'], (await live('cut'))?.metadata['uid']);
});

test('another one of the same name is not taken for ours when an answer was cut', async () => {
  done(await target.create(CONFIG_MAPS, map('taken', { key: 'of somebody else' }), REAL));
  using fault = hit({ path: /configmaps$/, method: 'POST', times: 1, action: { do: 'cut' } });
  const answer = await openRestoreTarget(through).create(CONFIG_MAPS, map('taken'), REAL);
  assert.equal(fault.hits, 1);
  assert.equal(refusedOf(answer).reason, 'AlreadyExists');
});

test('a patch and a deletion whose answers were cut are done once and are no refusals', async () => {
  const made = done(await target.create(CONFIG_MAPS, map('cut-later'), REAL));
  const operations = [
    { op: 'test', path: '/metadata/resourceVersion', value: made.metadata['resourceVersion'] as string },
    { op: 'add', path: '/data/more', value: 'word' },
  ] as const;
  const cut = openRestoreTarget(through);
  using patching = hit({ path: /cut-later$/, method: 'PATCH', times: 1, action: { do: 'cut', afterBytes: 10 } });
  done(await cut.patch(CONFIG_MAPS, place('cut-later'), operations, REAL));
  assert.equal(patching.hits, 1);
  assert.deepEqual((await live('cut-later'))?.['data'], { key: 'value', more: 'word' });
  using deleting = hit({ path: /cut-later$/, method: 'DELETE', times: 1, action: { do: 'cut', afterBytes: 10 } });
  const uid = made.metadata['uid'] as string;
  done(await cut.remove(CONFIG_MAPS, place('cut-later'), { ...REAL, uid, propagation: 'Background' }));
  assert.equal(deleting.hits, 1);
  assert.equal(await live('cut-later'), undefined);
});

test('a patch that never arrived, because somebody else was faster, stays refused', async () => {
  const made = done(await target.create(CONFIG_MAPS, map('raced'), REAL));
  const operations = [
    { op: 'test', path: '/metadata/resourceVersion', value: made.metadata['resourceVersion'] as string },
    { op: 'replace', path: '/data/key', value: 'ours' },
    { op: 'add', path: '/data/same', value: 'of both' },
  ] as const;
  await cluster.apply(map('raced', { key: 'theirs', same: 'of both' }));
  using fault = hit({ path: /raced$/, method: 'PATCH', times: 1, action: { do: 'cut' } });
  assert.equal(
    refusedOf(await openRestoreTarget(through).patch(CONFIG_MAPS, place('raced'), operations, REAL)).status,
    422,
  );
  assert.equal(fault.hits, 1);
  assert.deepEqual((await live('raced'))?.['data'], { key: 'theirs', same: 'of both' });
});

test('a server that stays away is an error after the patience, and an abort ends the waiting at once', async () => {
  using _fault = hit({ path: /configmaps/, action: { do: 'cut' } });
  const brief = openRestoreTarget(through, { patienceMs: 500 });
  await assert.rejects(
    brief.create(CONFIG_MAPS, map('never'), REAL),
    (error) => error instanceof KeeperError && error.code === 'CLUSTER_UNREACHABLE',
  );
  const abort = new AbortController();
  const waiting = openRestoreTarget(through).list(CONFIG_MAPS, {}, abort.signal);
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await assert.rejects(waiting, /enough/);
});

test('no more than 16 requests are under way at once', async () => {
  using stalled = hit({ path: /configmaps\/many/, method: 'GET', action: { do: 'stall' } });
  const abort = new AbortController();
  const asking = openRestoreTarget(through, { signal: abort.signal });
  const all = Promise.allSettled(
    Array.from({ length: 40 }, (_, index) => asking.get(CONFIG_MAPS, place(`many-${index}`))),
  );
  await until(async () => stalled.hits === 16);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(stalled.hits, 16);
  abort.abort(new Error('enough'));
  assert.ok((await all).every(({ status }) => status === 'rejected'));
});

test('lists come whole, in pages, with what every single object has', async () => {
  const names = Array.from({ length: 130 }, (_, index) => `page-${index}`);
  await Promise.all(names.map((name) => target.create(CONFIG_MAPS, map(name), REAL)));
  const found = await target.list(CONFIG_MAPS, { namespace: 'default' });
  assert.ok(found !== 'forbidden');
  const listed = new Set(found.map(({ metadata }) => metadata.name));
  assert.ok(names.every((name) => listed.has(name)));
  assert.ok(found.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap'));
});

test('requests that an API server leaves unanswered in a restart are done once it is back', async () => {
  await cluster.stopApiServer();
  const names = Array.from({ length: 20 }, (_, index) => `restart-${index}`);
  const making = Promise.all(names.map((name) => target.create(CONFIG_MAPS, map(name), REAL)));
  await cluster.startApiServer();
  for (const answer of await making) done(answer);
  const catalogue = await target.discover({ pinned: new Map() });
  assert.ok(catalogue.resources.some(({ plural }) => plural === DEPLOYMENTS.plural));
});

function hit(fault: Parameters<FaultProxy['add']>[0]) {
  const added = proxy.add(fault);
  return {
    get hits() {
      return added.hits;
    },
    [Symbol.dispose]: () => added.remove(),
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail('it never came true');
}
