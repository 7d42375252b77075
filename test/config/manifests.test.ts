import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseConfigFile } from '../../controller/core/data/parse-config.ts';
import { dataPolicyOf } from '../../controller/core/data/policy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { eventually } from '../flows/keeper.ts';

/** What config/ gives to an archiver that saves volumes, asked of a real API server. */

const ARCHIVER = 'system:serviceaccount:kubekeeper-system:kubekeeper-archiver';
const RESTORER = 'system:serviceaccount:kubekeeper-system:kubekeeper-restorer';

let cluster: Cluster;
let rendered: string;
before(async () => {
  cluster = await startCluster();
  rendered = await cluster.kubectl(['kustomize', 'config/data']);
  for (const name of ['kubekeeper-system', 'shop']) await cluster.kubectl(['create', 'namespace', name]);
  await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', '-'], {
    input: rendered,
  });
});
after(() => cluster[Symbol.asyncDispose]());

const READING = new Set(['get', 'list', 'watch']);
/** Everybody may ask what they may. */
const EVERYBODY = /^selfsubject(?:access|rules)?reviews\./;

/** What an account may change, by resource: `can-i` alone says no for what is not served. */
async function mayChange(account: string, namespace: string): Promise<ReadonlyMap<string, string>> {
  const rights = await cluster.kubectl(['auth', 'can-i', '--list', '--as', account, '-n', namespace, '--no-headers']);
  const changing = new Map<string, string>();
  for (const line of rights.trim().split('\n')) {
    const [, resource = '', verbs = ''] = /^(\S+)\s.*\[([^[\]]*)\]\s*$/.exec(line) ?? [];
    const more = verbs.split(' ').filter((verb) => verb !== '' && !READING.has(verb));
    if (more.length > 0 && !EVERYBODY.test(resource)) changing.set(resource, more.sort().join(' '));
  }
  return changing;
}

const CONTENTS = 'volumesnapshotcontents.snapshot.storage.k8s.io';
const GROUP_CONTENTS = 'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io';

test('in a namespace the archiver may change snapshots and nothing else', async () => {
  const groups = ['volumegroupsnapshots.groupsnapshot.storage.k8s.io', GROUP_CONTENTS];
  const expected = ['volumesnapshots.snapshot.storage.k8s.io', CONTENTS, ...groups].sort();
  assert.deepEqual(
    [...(await mayChange(ARCHIVER, 'shop'))].sort(),
    expected.map((resource) => [resource, 'create delete patch']),
  );
});

test('whoever restores volumes needs one more role, bound by a person', async () => {
  const account = ['--serviceaccount', 'kubekeeper-system:kubekeeper-restorer'];
  const role = ['-n', 'shop', 'create', 'rolebinding', 'restorer', '--clusterrole', 'kubekeeper-restorer'];
  await cluster.kubectl([...role, ...account]);
  await eventually('the role is known', async () => (await mayChange(RESTORER, 'shop')).get('*.*'));
  assert.deepEqual([...(await mayChange(RESTORER, 'shop'))], [['*.*', 'create delete patch update']]);
  const volumes = ['create', 'clusterrolebinding', 'volumes', '--clusterrole', 'kubekeeper-restorer-volumes'];
  await cluster.kubectl([...volumes, ...account]);
  await eventually('the role is known', async () => (await mayChange(RESTORER, 'default')).get(CONTENTS));
  assert.deepEqual([...(await mayChange(RESTORER, 'default'))].sort(), [
    ['persistentvolumes', 'patch'],
    [GROUP_CONTENTS, 'create delete patch'],
    [CONTENTS, 'create delete patch'],
  ]);
});

test('the pod reads its policy where the volume holds it, and the policy is one', async () => {
  const documents = parseAllDocuments(rendered).map((one) => one.toJS());
  const map = documents.find(({ kind }) => kind === 'ConfigMap');
  const { spec } = documents.find(({ kind }) => kind === 'Deployment').spec.template;
  const [{ env, volumeMounts }] = spec.containers;
  const path = env.find(({ name }: { name: string }) => name === 'KUBEKEEPER_CONFIG').value;
  const { mountPath } = volumeMounts.find(({ name }: { name: string }) => name === 'policy');
  assert.equal(path, `${mountPath}/policy.yaml`);
  const { configMap } = spec.volumes.find(({ name }: { name: string }) => name === 'policy');
  assert.equal(configMap.name, map.metadata.name);
  assert.equal(map.data['policy.yaml'], await readFile('config/data/policy.yaml', 'utf8'));
  const policy = dataPolicyOf(parseConfigFile(map.data['policy.yaml'], 'policy.yaml'));
  assert.equal(policy?.retention.keep.Daily, 7);
});
