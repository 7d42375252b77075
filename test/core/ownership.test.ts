import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../controller/core/object.ts';
import { isOwned } from '../../controller/core/ownership.ts';
import { compileRules, isLeftOut, sanitise } from '../../controller/core/sanitise.ts';
import { builtIn, leftOutBy, object } from './builders.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'u', controller: true };

function owned(kind: string, reference: JsonObject = owner) {
  return object('v1', kind, { metadata: { ownerReferences: [reference] } });
}

test('what a controller makes again from an archived object is left out', () => {
  for (const resource of ['pods', 'replicasets.apps', 'jobs.batch', 'widgets.example.com']) {
    assert.equal(leftOutBy(owned('Pod'), resource), 'owned', resource);
  }
});

test('data that no controller can make again the same stays, whoever owns it', () => {
  for (const resource of ['secrets', 'configmaps', 'persistentvolumeclaims']) {
    assert.equal(leftOutBy(owned('Secret'), resource), undefined, resource);
  }
});

test('an owner that is not the controller leaves the object in', () => {
  const { controller: _, ...reference } = owner;
  assert.equal(leftOutBy(owned('Pod', reference), 'pods'), undefined);
});

test('an object whose owner is not archived stays', () => {
  const options = {
    includeOwned: false,
    isArchived: (group: string, kind: string) => !(group === 'apps' && kind === 'ReplicaSet'),
  };
  assert.equal(isOwned(owned('Pod'), 'pods', options), false);
  assert.equal(isOwned(owned('Pod', { ...owner, apiVersion: 'v1' }), 'pods', options), true);
});

test('owned objects stay when that was asked for, without the uid of the owner', () => {
  const result = sanitise(owned('Pod'), 'pods', builtIn, { includeOwned: true });
  assert.ok(!isLeftOut(result));
  assert.deepEqual(result.object.metadata['ownerReferences'], [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', controller: true },
  ]);
});

test("a user's rule keeps owned objects of one resource", () => {
  const rules = compileRules([{ id: 'mine', resources: ['pods'], pointer: '', verdict: 'keep', reason: 'Mine' }]);
  assert.equal(leftOutBy(owned('Pod'), 'pods', rules), undefined);
  assert.equal(leftOutBy(owned('ReplicaSet'), 'replicasets.apps', rules), 'owned');
});
