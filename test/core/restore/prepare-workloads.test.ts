import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../../controller/core/object.ts';
import { at } from '../builders.ts';
import { archived, OTHER_CLUSTER, OTHER_NAMESPACE, sent } from './prepared.ts';

const pod = (spec: JsonObject): KubeObject => archived('v1', 'Pod', { spec });

test('a bare pod is scheduled anew', () => {
  const object = pod({
    nodeName: 'node-7',
    priority: 0,
    serviceAccount: 'web',
    serviceAccountName: 'web',
    overhead: {},
  });
  assert.deepEqual(sent(object, 'pods').object['spec'], { serviceAccountName: 'web' });
});

test('ids out of the range of an OpenShift namespace are given out anew in another one; chosen ids stay', () => {
  const given = pod({
    securityContext: { fsGroup: 1000650000, seLinuxOptions: { level: 's0:c26,c5' }, runAsNonRoot: true },
    containers: [
      { name: 'a', securityContext: { runAsUser: 1000650000, privileged: false } },
      { name: 'b', securityContext: { runAsUser: 999 } },
    ],
  });
  assert.deepEqual(sent(given, 'pods').object, given);
  const moved = sent(given, 'pods', OTHER_NAMESPACE);
  assert.deepEqual(moved.object['spec'], {
    securityContext: { runAsNonRoot: true },
    containers: [
      { name: 'a', securityContext: { privileged: false } },
      { name: 'b', securityContext: { runAsUser: 999 } },
    ],
  });
  assert.deepEqual(moved.notes, ["user, group and SELinux level are given out anew from the namespace's range"]);
});

test('a Job that had not finished runs again, without what was made up of its uid; a chosen selector stays', () => {
  const labels = { 'controller-uid': 'u', 'batch.kubernetes.io/job-name': 'web', app: 'web' };
  const spec = { selector: { matchLabels: { 'controller-uid': 'u' } }, template: { metadata: { labels }, spec: {} } };
  const made = sent(archived('batch/v1', 'Job', { metadata: { labels }, spec }), 'jobs.batch');
  assert.deepEqual(made.object['spec'], { template: { metadata: { labels: { app: 'web' } }, spec: {} } });
  assert.deepEqual(made.object.metadata['labels'], { app: 'web' });
  assert.deepEqual(made.notes, ['runs again from its beginning']);
  const manual = archived('batch/v1', 'Job', {
    spec: { manualSelector: true, selector: { matchLabels: { app: 'web' } } },
  });
  assert.deepEqual(sent(manual, 'jobs.batch').object, manual);
});

const container = (image: string) => ({ name: 'web', image });
const template = (image: string) => ({ template: { spec: { containers: [container(image)] } } });
const image = (object: KubeObject, ...path: string[]) => at(object, ...path, 'containers', 0, 'image');

for (const [resource, object, path] of [
  [
    'deployments.apps',
    archived('apps/v1', 'Deployment', { spec: template('old.example/web:1') }),
    ['spec', 'template', 'spec'],
  ],
  [
    'cronjobs.batch',
    archived('batch/v1', 'CronJob', { spec: { jobTemplate: { spec: template('old.example/web:1') } } }),
    ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ],
  ['pods', pod({ containers: [container('old.example/web:1')] }), ['spec']],
] as const) {
  test(`images of ${resource} are mapped by the first prefix that fits whole parts`, () => {
    const images: [string, string][] = [
      ['old.example/we', 'wrong.example/we'],
      ['old.example', 'new.example'],
      ['old.example/web', 'late.example/web'],
    ];
    const prepared = sent(object, resource, { mappings: { images } });
    assert.equal(image(prepared.object, ...path), 'new.example/web:1');
    assert.deepEqual(
      prepared.notes.filter((note) => note.startsWith('image')),
      ['image new.example/web:1 instead of old.example/web:1'],
    );
  });
}

const registry = 'image-registry.openshift-image-registry.svc:5000';
for (const [from, to, where] of [
  [`${registry}/shop/web@sha256:1`, `${registry}/drill/web@sha256:1`, OTHER_NAMESPACE],
  [`${registry}/base/web@sha256:1`, `${registry}/base/web@sha256:1`, OTHER_NAMESPACE],
  [`${registry}/openshift/cli@sha256:1`, `${registry}/openshift/cli@sha256:1`, OTHER_NAMESPACE],
  [`${registry}/openshift/cli@sha256:1`, `${registry}/openshift/cli:latest`, OTHER_CLUSTER],
  ['docker-registry.default.svc:5000/shop/web:2', 'docker-registry.default.svc:5000/drill/web:2', OTHER_NAMESPACE],
  ['registry.example/shop/web:2', 'registry.example/shop/web:2', OTHER_NAMESPACE],
] as const) {
  test(`an image ${from} becomes ${to} in ${where === OTHER_CLUSTER ? 'another cluster' : 'another namespace'}`, () => {
    const object = archived('apps/v1', 'Deployment', { spec: template(from) });
    assert.equal(image(sent(object, 'deployments.apps', where).object, 'spec', 'template', 'spec'), to);
  });
}

test('a workload that is tied to a node says so where the node may not be', () => {
  const spec = { template: { spec: { nodeSelector: { 'kubernetes.io/hostname': 'node-7' } } } };
  const object = archived('apps/v1', 'DaemonSet', { spec });
  assert.deepEqual(sent(object, 'daemonsets.apps').notes, []);
  assert.deepEqual(sent(object, 'daemonsets.apps', OTHER_CLUSTER).notes, ['runs on node node-7 only']);
});

test('an account comes without the tokens and pull secrets that were made for it', () => {
  const object = archived('v1', 'ServiceAccount', {
    secrets: [{ name: 'web-token-abcde' }, { name: 'own' }],
    imagePullSecrets: [{ name: 'web-dockercfg-12345' }],
  });
  assert.deepEqual(
    sent(object, 'serviceaccounts').object,
    archived('v1', 'ServiceAccount', { secrets: [{ name: 'own' }] }),
  );
});
