import type { JsonObject } from '../../../controller/core/object.ts';
import { authority } from './certificates.ts';
import { type Fixture, inCluster, inNamespace, NAMESPACE } from './fixture.ts';

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Definitions of our own, among them two whose plurals collide with others. */
export const definitionFixtures: readonly Fixture[] = [
  definition('widgets', 'Widget', 'example.com', 'Namespaced', [
    {
      ...version('v1', widgetSchema()),
      subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
      additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size', priority: 1 }],
      selectableFields: [{ jsonPath: '.spec.colour' }],
    },
  ]),
  definition('widgets', 'Widget', 'example.org', 'Namespaced', [version('v1alpha1', anything)]),
  definition('services', 'Service', 'serving.example.com', 'Namespaced', [version('v1', anything)]),
  definition('fleets', 'Fleet', 'example.com', 'Cluster', [version('v1', anything)]),
  inCluster('customresourcedefinitions.apiextensions.k8s.io', convertedDefinition()),
];

/** Need the definitions to be established. */
export const customFixtures: readonly Fixture[] = [
  inNamespace('widgets.example.com', {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'numbers' },
    spec: {
      size: 3,
      colour: 'blue',
      largest: JSON.rawJSON('9223372036854775807'),
      smallest: JSON.rawJSON('-9223372036854775808'),
      ratio: 1.5,
      port: '80%',
      nothing: null,
      free: freeForm(),
      embedded: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'inside' }, data: { ['__proto__']: 'x' } },
      list: [
        { name: 'b', weight: 2 },
        { name: 'a', weight: 1 },
      ],
    },
  }),
  inNamespace('widgets.example.org', {
    apiVersion: 'example.org/v1alpha1',
    kind: 'Widget',
    metadata: { name: 'numbers' },
    spec: freeForm(),
    besideSpec: [{}, [], [[]], ''],
  }),
  inNamespace('services.serving.example.com', {
    apiVersion: 'serving.example.com/v1',
    kind: 'Service',
    metadata: { name: 'headless' },
    spec: { clusterIP: 'not an address', template: { mtls: {}, selfSigned: {} } },
  }),
  inCluster('fleets.example.com', {
    apiVersion: 'example.com/v1',
    kind: 'Fleet',
    metadata: { name: 'fixture.fleet' },
    spec: { members: [], selector: {} },
  }),
];

/** Nothing answers for it: an aggregated API that is down. It comes last, since it hinders the deletion of namespaces. */
export const apiServiceFixtures: readonly Fixture[] = [
  inCluster('apiservices.apiregistration.k8s.io', {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1alpha1.absent.example.com' },
    spec: {
      group: 'absent.example.com',
      version: 'v1alpha1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      service: { namespace: NAMESPACE, name: 'external-name', port: 8443 },
      caBundle: authority,
    },
  }),
];

function freeForm(): JsonObject {
  return {
    ['__proto__']: { polluted: true },
    '10': 'ten',
    '9': 'nine',
    large: JSON.rawJSON('9223372036854775807'),
    tiny: JSON.rawJSON('1e-7'),
    huge: JSON.rawJSON('1e30'),
    thousand: JSON.rawJSON('1e3'),
    whole: JSON.rawJSON('1.0'),
    precise: JSON.rawJSON('0.1234567890123456'),
    zero: 0,
    no: false,
    empty: { object: {}, array: [], text: '' },
    deep: { er: [{ and: { ['deeper still']: ['\u0000'.replace('\u0000', 'end')] } }] },
  };
}

function widgetSchema(): JsonObject {
  const fields = {
    size: { type: 'integer', format: 'int32', minimum: 0, default: 1 },
    colour: { type: 'string', enum: ['blue', 'red'], description: 'Any, as long as it is blue.' },
    largest: { type: 'integer', format: 'int64' },
    smallest: { type: 'integer', format: 'int64' },
    ratio: { type: 'number', maximum: 10.5 },
    port: { 'x-kubernetes-int-or-string': true },
    nothing: { type: 'string', nullable: true },
    free: anything,
    embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    list: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, weight: { type: 'integer' } },
      },
    },
  };
  const rule = { rule: 'self.size <= 100', message: 'too large' };
  return {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: fields, 'x-kubernetes-validations': [rule] },
      status: anything,
    },
  };
}

function version(name: string, schema: JsonObject): JsonObject {
  return { name, served: true, storage: true, schema: { openAPIV3Schema: schema } };
}

function definition(
  plural: string,
  kind: string,
  group: string,
  scope: 'Namespaced' | 'Cluster',
  versions: JsonObject[],
): Fixture {
  return inCluster('customresourcedefinitions.apiextensions.k8s.io', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope, names: { plural, singular: kind.toLowerCase(), kind, categories: ['all'] }, versions },
  });
}

/** Its webhook is never asked, since there are no objects to convert. */
function convertedDefinition() {
  const service = { namespace: NAMESPACE, name: 'cluster-ip', path: '/convert', port: 9443 };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'relics.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'relics', singular: 'relic', kind: 'Relic', listKind: 'RelicList', shortNames: ['rl'] },
      versions: [
        version('v2', anything),
        { ...version('v1', anything), storage: false, deprecated: true, deprecationWarning: 'use v2' },
      ],
      conversion: {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { service, caBundle: authority } },
      },
    },
  };
}
