import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, renderJson } from '../../../controller/core/json.ts';
import type { Json, KubeObject } from '../../../controller/core/object.ts';
import { IMMUTABLE } from '../../../controller/core/restore/immutable-table.ts';
import { managedBy } from '../../../controller/core/restore/managed.ts';
import { patchOf } from '../../../controller/core/restore/patch.ts';
import { pickFields } from '../../../controller/core/restore/pick-fields.ts';
import { prepare } from '../../../controller/core/restore/prepare.ts';
import { protectionOf } from '../../../controller/core/restore/protect.ts';
import { quotaProblems } from '../../../controller/core/restore/quota.ts';
import { missingOf } from '../../../controller/core/restore/requirements.ts';
import { KNOWN_RESOURCES } from '../../../controller/core/rule-resources.ts';
import { copy } from '../../../controller/core/sanitise-held.ts';
import { applyPatch } from './apply-patch.ts';
import { contextOf } from './prepared.ts';

/** A repository may hold anything: JSON of any shape where an object should be makes nothing throw, and loses nothing. */

const resources = [...KNOWN_RESOURCES, ...Object.keys(IMMUTABLE), 'widgets.example.com'];
const word = fc.constantFrom(
  ...'spec template metadata containers image ports nodePort clusterIP clusterIPs type annotations labels data ownerReferences'.split(
    ' ',
  ),
  ...'finalizers subjects namespace name kind apiVersion controller host rules volumes secret env status conditions'.split(
    ' ',
  ),
  ...'resources requests storage storageClassName volumeName claimRef webhooks clientConfig service users objects __proto__'.split(
    ' ',
  ),
  'toString',
  '',
);
const { any } = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.constantFrom<Json>(null, true, 0, -1, '', 'shop', 'true', 'None', 'LoadBalancer', 'a/b:c', '1Gi'),
    fc.constantFrom('1.0', '9007199254740993').map((text) => parseJson(text)),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(word, tie('any'), { maxKeys: 6 }),
  ),
}));
const object = fc
  .tuple(fc.dictionary(word, any, { maxKeys: 8 }), fc.dictionary(word, any, { maxKeys: 8 }))
  .map(
    ([fields, metadata]) =>
      ({ ...fields, apiVersion: 'v1', kind: 'X', metadata: { ...metadata, name: 'web' } }) as KubeObject,
  );
const targets = fc.constantFrom(
  { clusterId: 'c1', namespace: 'shop' },
  { clusterId: 'c1', namespace: 'drill' },
  { clusterId: 'c2', namespace: 'shop' },
  { clusterId: 'c2', namespace: '' },
);

test('preparing anything for anywhere does not throw, changes nothing of it, and twice is once', () => {
  fc.assert(
    fc.property(object, fc.constantFrom(...resources), targets, fc.boolean(), (value, resource, to, isThere) => {
      const before = renderJson(value);
      const context = contextOf(resource, {
        to,
        isPlanned: () => isThere,
        mappings: { hosts: 'clear', images: [['shop', 'x']] },
      });
      const prepared = prepare(value, context);
      assert.equal(renderJson(value), before);
      if ('skip' in prepared) return;
      const again = prepare(prepared.object, context);
      assert.equal(renderJson((again as typeof prepared).object), renderJson(prepared.object));
    }),
    { numRuns: 600 },
  );
});

test('a patch between any two objects can be applied and gives the second', () => {
  fc.assert(
    fc.property(object, object, (raw, target) => {
      const patched = applyPatch(raw, patchOf(raw, copy(raw), target, []));
      assert.equal(renderJson(patched), renderJson(target));
    }),
    { numRuns: 400 },
  );
});

test('judging anything does not throw', () => {
  const known = {
    ...{ storageClasses: undefined, ingressClasses: undefined, priorityClasses: undefined, runtimeClasses: undefined },
    ...{
      gatewayClasses: undefined,
      secrets: new Set<string>(),
      configMaps: new Set<string>(),
      serviceAccounts: new Set<string>(),
    },
  };
  fc.assert(
    fc.property(object, object, fc.constantFrom(...resources), fc.array(word), (value, other, resource, path) => {
      managedBy(value);
      protectionOf({ resource, object: value, unprotect: [] });
      quotaProblems([value, other], [{ resource, object: value }]);
      for (const kind of ['Pod', 'Ingress', 'StatefulSet', 'ServiceAccount']) missingOf({ ...value, kind }, known);
      pickFields(value, other, [`/${path.join('/')}`]);
    }),
    { numRuns: 400 },
  );
});
