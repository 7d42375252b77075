import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../controller/core/object.ts';
import { type KnownNames, missingOf } from '../../../controller/core/restore/requirements.ts';
import { archived } from './prepared.ts';

const none: KnownNames = {
  storageClasses: new Set(),
  ingressClasses: new Set(),
  priorityClasses: new Set(),
  runtimeClasses: new Set(),
  gatewayClasses: new Set(),
  secrets: new Set(),
  configMaps: new Set(),
  serviceAccounts: new Set(),
};
const deployment = (spec: JsonObject) => archived('apps/v1', 'Deployment', { spec: { template: { spec } } });

for (const [object, missing] of [
  [archived('v1', 'PersistentVolumeClaim', { spec: { storageClassName: 'fast' } }), ['StorageClass fast is not there']],
  [archived('v1', 'PersistentVolumeClaim', { spec: { storageClassName: '' } }), []],
  [
    archived('apps/v1', 'StatefulSet', { spec: { volumeClaimTemplates: [{ spec: { storageClassName: 'fast' } }] } }),
    ['StorageClass fast is not there'],
  ],
  [
    archived('networking.k8s.io/v1', 'Ingress', { spec: { ingressClassName: 'nginx', tls: [{ secretName: 'tls' }] } }),
    ['IngressClass nginx is not there', 'needs secrets/tls, which will not be there'],
  ],
  [
    archived('gateway.networking.k8s.io/v1', 'Gateway', { spec: { gatewayClassName: 'g' } }),
    ['GatewayClass g is not there'],
  ],
  [
    deployment({
      serviceAccountName: 'web',
      priorityClassName: 'high',
      runtimeClassName: 'gvisor',
      imagePullSecrets: [{ name: 'pull' }],
    }),
    [
      'needs serviceaccounts/web, which will not be there',
      'PriorityClass high is not there',
      'RuntimeClass gvisor is not there',
      'needs secrets/pull, which will not be there',
    ],
  ],
  [
    deployment({
      containers: [
        {
          envFrom: [{ secretRef: { name: 'env' } }, { configMapRef: { name: 'app' } }],
          env: [
            { valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
            { valueFrom: { configMapKeyRef: { name: 'maybe', key: 'a', optional: true } } },
          ],
        },
      ],
      initContainers: [{ env: [{ valueFrom: { secretKeyRef: { name: 'db', key: 'user' } } }] }],
      volumes: [
        { secret: { secretName: 'tls' } },
        { configMap: { name: 'kube-root-ca.crt' } },
        { projected: { sources: [{ secret: { name: 'inner' } }, { configMap: { name: 'opt', optional: true } }] } },
      ],
    }),
    ['db', 'env', 'app', 'tls', 'inner'].map(
      (name) => `needs ${name === 'app' ? 'configmaps' : 'secrets'}/${name}, which will not be there`,
    ),
  ],
  [
    archived('batch/v1', 'CronJob', {
      spec: {
        jobTemplate: {
          spec: { template: { spec: { serviceAccountName: 'default', priorityClassName: 'system-node-critical' } } },
        },
      },
    }),
    [],
  ],
  [
    archived('v1', 'ServiceAccount', { imagePullSecrets: [{ name: 'pull' }] }),
    ['needs secrets/pull, which will not be there'],
  ],
  [archived('example.com/v1', 'Deployment', { spec: { template: { spec: { serviceAccountName: 'x' } } } }), []],
] as const) {
  test(`${object.kind} of ${object.apiVersion} lacks: ${missing.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(missingOf(object, none), missing);
  });
}

test('nothing is said of what is there, or of what may not be read', () => {
  const object = archived('v1', 'PersistentVolumeClaim', { spec: { storageClassName: 'fast' } });
  assert.deepEqual(missingOf(object, { ...none, storageClasses: new Set(['fast']) }), []);
  assert.deepEqual(missingOf(object, { ...none, storageClasses: undefined }), []);
});
