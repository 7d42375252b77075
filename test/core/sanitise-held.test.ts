import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differsOnlyInHeld } from '../../controller/core/sanitise-held.ts';
import { clean, deployment, object, wrote } from './builders.ts';

const scaled = {
  managedFields: [wrote('kube-controller-manager', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' })],
};

test('scaling by an autoscaler alone is held, with anything else it is not', () => {
  const before = clean(deployment(), 'deployments.apps').object;
  const after = clean(deployment({ spec: { replicas: 9 }, metadata: scaled }), 'deployments.apps');
  assert.equal(differsOnlyInHeld(before, after.object, after), true);
  assert.equal((after.object['spec'] as { replicas: number }).replicas, 9);
  const more = clean(deployment({ spec: { replicas: 9, paused: true }, metadata: scaled }), 'deployments.apps');
  assert.equal(differsOnlyInHeld(before, more.object, more), false);
  const person = clean(deployment({ spec: { replicas: 9 } }), 'deployments.apps');
  assert.equal(differsOnlyInHeld(before, person.object, person), false);
});

test('metrics of an autoscaler in another order are held, other metrics are not', () => {
  const autoscaler = (...metrics: string[]) =>
    clean(
      object('autoscaling/v2', 'HorizontalPodAutoscaler', {
        spec: { metrics: metrics.map((name) => ({ type: 'Resource', resource: { name } })) },
      }),
      'horizontalpodautoscalers.autoscaling',
    );
  const before = autoscaler('cpu', 'memory').object;
  const [turned, other] = [autoscaler('memory', 'cpu'), autoscaler('memory', 'disk')];
  assert.deepEqual(turned.heldOrder, ['/spec/metrics']);
  assert.equal(differsOnlyInHeld(before, turned.object, turned), true);
  assert.equal(differsOnlyInHeld(before, other.object, other), false);
});

test('expressions that an admission enforcer adds to a webhook are held', () => {
  const webhook = (expressions: string[]) =>
    clean(
      object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
        webhooks: [
          {
            name: 'a',
            namespaceSelector: {
              matchExpressions: expressions.map((key) => ({ key, operator: 'NotIn', values: ['true'] })),
            },
          },
        ],
      }),
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
    );
  const before = webhook(['mine']).object;
  const added = webhook(['mine', 'kubernetes.azure.com/managedby', 'control-plane']);
  assert.equal(differsOnlyInHeld(before, added.object, added), true);
  const mine = webhook(['mine', 'another', 'control-plane']);
  assert.equal(differsOnlyInHeld(before, mine.object, mine), false);
});

test('a Helm release that changes is held as a whole', () => {
  const release = (status: string) =>
    clean(
      object('v1', 'Secret', {
        type: 'helm.sh/release.v1',
        data: { release: status },
        metadata: { labels: { status } },
      }),
      'secrets',
    );
  const after = release('superseded');
  assert.equal(differsOnlyInHeld(release('deployed').object, after.object, after), true);
});
