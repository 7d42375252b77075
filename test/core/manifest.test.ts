import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { manifestPath, parseManifestPath } from '../../controller/core/manifest.ts';

const path = (name: string, resource = 'clusterroles.rbac.authorization.k8s.io') => manifestPath({ resource, name });

test('a path is spelled as kubectl spells the resource', () => {
  assert.equal(path('web', 'deployments.apps'), 'deployments.apps/web.json');
  assert.equal(path('app', 'configmaps'), 'configmaps/app.json');
});

test('names that Git or a file system would misread are encoded and come back', () => {
  const names = [
    'system:controller:x',
    'a\\b',
    'A:b',
    'a b',
    'line\nbreak',
    '.git:x',
    'git~1',
    '__proto__',
    '..x',
    'ünï',
  ];
  for (const name of names) {
    const encoded = path(name);
    assert.match(encoded, /^[a-z.0-9]+\/[A-Za-z0-9._%-]+\.json$/, name);
    assert.equal(parseManifestPath(encoded)?.name, name);
  }
  assert.equal(path('system:controller:x').split('/')[1], 'system%3Acontroller%3Ax.json');
});

test('names that differ only by case have different paths', () => {
  assert.notEqual(path('Ab'), path('ab'));
});

test('no part of a path is longer than 255 bytes, and different long names stay different', () => {
  const long = 'x'.repeat(253);
  for (const name of [long, `${long}a`, 'é'.repeat(200), 'x'.repeat(1500)]) {
    assert.ok(Buffer.byteLength(path(name).split('/')[1] ?? '') <= 255, name);
  }
  assert.equal(path('x'.repeat(250)), `clusterroles.rbac.authorization.k8s.io/${'x'.repeat(250)}.json`);
  assert.notEqual(path(`${long}a`), path(`${long}b`));
  assert.equal(parseManifestPath(path(long))?.name, undefined);
});

test('two names never share a path, and a path tells its name unless it was shortened', () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(name, name, (one, other) => {
      if (one !== other) assert.notEqual(path(one), path(other));
      const found = parseManifestPath(path(one));
      assert.ok(found !== undefined);
      if (found.name !== undefined) assert.equal(found.name, one);
    }),
  );
});

test('files of our own are no manifests', () => {
  assert.equal(parseManifestPath('.kubekeeper/archive.json'), undefined);
  assert.equal(parseManifestPath('README'), undefined);
});
