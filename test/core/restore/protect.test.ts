import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../controller/core/object.ts';
import { managedBy } from '../../../controller/core/restore/managed.ts';
import { protectionOf } from '../../../controller/core/restore/protect.ts';
import { archived } from './prepared.ts';

const labelled = (labels: JsonObject, annotations: JsonObject = {}) =>
  archived('v1', 'ConfigMap', { metadata: { labels, annotations } });
const claim = (spec: JsonObject, status: JsonObject = {}) => archived('v1', 'PersistentVolumeClaim', { spec, status });

for (const [object, manager] of [
  [labelled({}, { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:shop/web' }), 'Argo CD application shop'],
  [labelled({ 'argocd.argoproj.io/instance': 'shop' }), 'Argo CD application shop'],
  [
    labelled({ 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' }),
    'Flux Kustomization flux-system/apps',
  ],
  [
    labelled({ 'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'shop' }),
    'Flux HelmRelease shop/web',
  ],
  [
    labelled(
      {},
      {
        'objectset.rio.cattle.io/id': 'b-1',
        'objectset.rio.cattle.io/owner-gvk': 'fleet.cattle.io/v1alpha1, Kind=Bundle',
      },
    ),
    'Rancher Fleet bundle b-1',
  ],
  [labelled({}, { 'configmanagement.gke.io/managed': 'enabled' }), 'Config Sync'],
  [labelled({ 'kapp.k14s.io/app': '17' }), 'kapp application 17'],
] as const) {
  test(`an object of ${manager} is known by its marks`, () => assert.equal(managedBy(object), manager));
}

for (const [what, object] of [
  ['Helm alone', labelled({ 'app.kubernetes.io/managed-by': 'Helm' }, { 'meta.helm.sh/release-name': 'web' })],
  ['the common label of an application', labelled({ 'app.kubernetes.io/instance': 'shop' })],
  [
    'a copy of the mark of another object',
    labelled({}, { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' }),
  ],
  ['a copy from another namespace', labelled({}, { 'argocd.argoproj.io/tracking-id': 'shop:/ConfigMap:prod/web' })],
  [
    'Flux that was told to leave it',
    labelled({ 'kustomize.toolkit.fluxcd.io/name': 'apps' }, { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' }),
  ],
  ['nothing', archived('v1', 'ConfigMap')],
] as const) {
  test(`${what} is no manager`, () => assert.equal(managedBy(object), undefined));
}

const none = { unprotect: [] };
for (const [resource, object, reason] of [
  ['nodes', archived('v1', 'Node'), /^protected: a node/],
  ['namespaces', archived('v1', 'Namespace'), /everything in the namespace/],
  ['persistentvolumes', archived('v1', 'PersistentVolume'), /the data on it/],
  ['persistentvolumeclaims', claim({ volumeName: 'pv' }), /the claim is bound/],
  ['persistentvolumeclaims', claim({}, { phase: 'Bound' }), /the claim is bound/],
  ['customresourcedefinitions.apiextensions.k8s.io', archived('v1', 'CustomResourceDefinition'), /all objects of web/],
  ['apiservices.apiregistration.k8s.io', archived('v1', 'APIService'), /out of reach/],
  ['leases.coordination.k8s.io', archived('v1', 'Lease'), /as a lock/],
  ['archives.kubekeeper.dev', archived('kubekeeper.dev/v1alpha1', 'Archive'), /kubekeeper itself/],
  ['configmaps', labelled({ 'argocd.argoproj.io/instance': 'shop' }), /^protected: Argo CD application shop keeps it/],
] as const) {
  test(`${resource} are not deleted (${reason.source}) unless named`, () => {
    assert.match(protectionOf({ resource, object, ...none }) ?? '', reason);
    assert.equal(protectionOf({ resource, object, unprotect: [`${resource}/web`] }), undefined);
    assert.equal(protectionOf({ resource, object, unprotect: [`${resource}/*`] }), undefined);
    assert.match(protectionOf({ resource, object, unprotect: [`${resource}/other`, 'secrets/*'] }) ?? '', reason);
  });
}

test('what nothing depends on may be deleted', () => {
  assert.equal(protectionOf({ resource: 'configmaps', object: archived('v1', 'ConfigMap'), ...none }), undefined);
  assert.equal(
    protectionOf({ resource: 'persistentvolumeclaims', object: claim({}, { phase: 'Pending' }), ...none }),
    undefined,
  );
  const resource = 'customresourcedefinitions.apiextensions.k8s.io';
  assert.equal(protectionOf({ resource, object: archived('v1', 'X'), ...none, hasObjectsElsewhere: false }), undefined);
});

test('nothing is deleted beside the running kubekeeper', () => {
  const question = { resource: 'configmaps', object: archived('v1', 'ConfigMap'), ...none };
  assert.match(protectionOf({ ...question, ownNamespace: 'shop' }) ?? '', /runs in this namespace/);
  assert.equal(protectionOf({ ...question, ownNamespace: 'other' }), undefined);
});

test('what is managed may be deleted when that was asked for', () => {
  const object = labelled({ 'argocd.argoproj.io/instance': 'shop' });
  assert.equal(protectionOf({ resource: 'configmaps', object, ...none, evenIfManaged: true }), undefined);
});
