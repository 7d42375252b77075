import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference } from '../../controller/core/diff.ts';
import { withoutResealed } from '../../controller/core/resealed.ts';

function secret(values: Record<string, [cipher: string, mark: string]>, label = 'a') {
  const data = Object.fromEntries(
    Object.entries(values).map(([key, [cipher]]) => [key, `ENC[AES256_GCM,data:${cipher}]`]),
  );
  const fingerprints = Object.fromEntries(Object.entries(values).map(([key, [, mark]]) => [`/data/${key}`, mark]));
  return { metadata: { labels: { label } }, data, sops: { mac: Math.random(), kubekeeper: { fingerprints } } };
}

test('only the value that changed is told when all ciphertexts are new', () => {
  const before = secret({ password: ['p1', 'm1'], user: ['u1', 'm2'] });
  const after = secret({ password: ['p2', 'm9'], user: ['u2', 'm2'] });
  const told = withoutResealed(difference(before, after), before, after);
  assert.deepEqual(
    told.map((change) => change.pointer),
    ['/data/password'],
  );
});

test('what is not sealed is told as ever', () => {
  const before = secret({ user: ['u1', 'm2'] }, 'a');
  const after = secret({ user: ['u2', 'm2'], fresh: ['f', 'm3'] }, 'b');
  const told = withoutResealed(difference(before, after), before, after);
  assert.deepEqual(told.map((change) => change.pointer).sort(), ['/data/fresh', '/metadata/labels/label']);
});
