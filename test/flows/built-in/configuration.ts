import { bytes, type Fixture, inNamespace } from './fixture.ts';

const longestName = `${'configuration.'.repeat(17)}${'c'.repeat(15)}`;

/** ConfigMaps, Secrets and accounts, with the keys that trip a program up. */
export const configurationFixtures: readonly Fixture[] = [
  inNamespace('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'awkward-keys' },
    data: {
      ['__proto__']: 'only a key',
      constructor: 'also only a key',
      '10': 'ten',
      '9': 'nine',
      '-1': 'minus one',
      'app.properties': 'colour=blue\nname=Größe 😀\r\n\ttab\u0001\n',
      empty: '',
      'number.json': '{"id": 9223372036854775807, "ratio": 1.0}\n',
      'line-separator': 'a\u2028b',
    },
  }),
  inNamespace('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'binary' },
    data: { text: 'beside the bytes' },
    binaryData: { 'logo.png': bytes('\u0089PNG\r\n\u001a\n'), none: '' },
    immutable: true,
  }),
  inNamespace('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'without-data' } }),
  inNamespace('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: longestName },
    data: { length: String(longestName.length) },
  }),
  inNamespace('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'registry' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': bytes('{"auths":{"registry.example.com":{"auth":"ZmFrZTpmYWtl"}}}') },
  }),
  inNamespace('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', labels: { app: 'web' } },
    type: 'kubernetes.io/basic-auth',
    data: { username: bytes('somebody'), password: bytes('fixture-only-password') },
    immutable: true,
  }),
  inNamespace('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'opaque' },
    type: 'Opaque',
    data: { ['__proto__']: bytes('fixture-only-value'), '10': bytes('ten'), '9': bytes('nine'), empty: '' },
  }),
  inNamespace('serviceaccounts', {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'runner', annotations: { 'example.com/role': 'arn:fixture' } },
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'registry' }, { name: 'another-registry' }],
    secrets: [{ name: 'login' }],
  }),
  inNamespace('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'plain' } }),
  inNamespace('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'runner-hand-made', annotations: { 'kubernetes.io/service-account.name': 'runner' } },
    type: 'kubernetes.io/service-account-token',
  }),
];
