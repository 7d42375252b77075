import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WAVES, waveOf } from '../../../controller/core/restore/waves.ts';
import { KNOWN_RESOURCES } from '../../../controller/core/rule-resources.ts';
import { BUILT_IN_RULES } from '../../../controller/core/rules/built-in.ts';

for (const [resource, wave] of Object.entries({
  'customresourcedefinitions.apiextensions.k8s.io': 'definitions',
  namespaces: 'namespaces',
  'storageclasses.storage.k8s.io': 'classes',
  'priorityclasses.scheduling.k8s.io': 'classes',
  resourcequotas: 'limits',
  'rolebindings.rbac.authorization.k8s.io': 'rights',
  'securitycontextconstraints.security.openshift.io': 'rights',
  serviceaccounts: 'accounts',
  secrets: 'configuration',
  'templates.template.openshift.io': 'configuration',
  persistentvolumes: 'volumes',
  persistentvolumeclaims: 'claims',
  services: 'network',
  'routes.route.openshift.io': 'network',
  'imagestreams.image.openshift.io': 'network',
  'widgets.example.com': 'custom',
  'deployments.apps': 'workloads',
  'buildconfigs.build.openshift.io': 'workloads',
  pods: 'workloads',
  'jobs.batch': 'workloads',
  'horizontalpodautoscalers.autoscaling': 'scaling',
  'poddisruptionbudgets.policy': 'scaling',
  'cronjobs.batch': 'schedules',
  'validatingwebhookconfigurations.admissionregistration.k8s.io': 'admission',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': 'admission',
  'apiservices.apiregistration.k8s.io': 'admission',
})) {
  test(`${resource} are restored with ${wave}`, () => {
    assert.equal(waveOf(resource, resource === 'widgets.example.com'), wave);
  });
}

test('a newer resource of a group of Kubernetes goes with its group, a custom one of that group with the custom ones', () => {
  assert.equal(waveOf('futurepolicies.admissionregistration.k8s.io', false), 'admission');
  assert.equal(waveOf('futurepolicies.admissionregistration.k8s.io', true), 'custom');
});

test('every resource of Kubernetes that can be archived and restored has its place, none is left to the custom ones by oversight', () => {
  const never = new Set(
    BUILT_IN_RULES.filter((rule) => rule.verdict === 'never' && rule.when === undefined).flatMap(
      (rule) => rule.resources,
    ),
  );
  const left = [...KNOWN_RESOURCES].filter((resource) => {
    const isOwn =
      !resource.includes('.') ||
      /(?:^|\.)k8s\.io$/.test(resource) ||
      /\.(?:apps|batch|policy|autoscaling)$/.test(resource);
    return isOwn && !never.has(resource) && waveOf(resource, false) === 'custom';
  });
  assert.deepEqual(left.sort(), [
    'devicetaintrules.resource.k8s.io',
    'podgroups.scheduling.k8s.io',
    'storageversionmigrations.storagemigration.k8s.io',
    'workloads.scheduling.k8s.io',
  ]);
});

test('the last wave is what could refuse all the others', () => assert.equal(WAVES.at(-1), 'admission'));
