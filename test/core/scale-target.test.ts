import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../../controller/core/object.ts';
import { AUTOSCALERS, scaleTargetKey, scaleTargetOf } from '../../controller/core/scale-target.ts';

/** Whom an autoscaler scales. */

const autoscaler = (scaleTargetRef: JsonObject): KubeObject => ({
  apiVersion: 'x/v1',
  kind: 'X',
  metadata: { name: 'a', namespace: 'shop' },
  spec: { scaleTargetRef },
});

for (const [resource, target, expected] of [
  [
    'horizontalpodautoscalers.autoscaling',
    { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' },
    'shop/apps/StatefulSet/db',
  ],
  [
    'horizontalpodautoscalers.autoscaling',
    { apiVersion: 'v1', kind: 'ReplicationController', name: 'db' },
    'shop//ReplicationController/db',
  ],
  ['scaledobjects.keda.sh', { name: 'web' }, 'shop/apps/Deployment/web'],
  [
    'scaledobjects.keda.sh',
    { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'web' },
    'shop/argoproj.io/Rollout/web',
  ],
  ['scaledobjects.keda.sh', { kind: 'Deployment' }, undefined],
  ['scaledjobs.keda.sh', { name: 'web' }, undefined],
] as const) {
  test(`${resource} with ${JSON.stringify(target)} scales ${expected ?? 'nobody'}`, () => {
    const found = scaleTargetOf(resource, autoscaler(target));
    assert.equal(found === undefined ? undefined : scaleTargetKey(found), expected);
    assert.equal(AUTOSCALERS.includes(resource), resource !== 'scaledjobs.keda.sh');
  });
}
