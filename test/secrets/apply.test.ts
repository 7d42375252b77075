import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSealer } from '../../controller/secrets/seal.ts';
import { startCluster } from '../cluster/start-cluster.ts';
import { base64, makeDirectory, makePerson, makeSecret, seal } from './sealing.ts';
import { decryptText } from './sops.ts';

test('the API server refuses every sealed Secret, and takes what sops gives back', async () => {
  await using directory = await makeDirectory();
  await using cluster = await startCluster();
  const { identity, recipient } = await makePerson();
  const object = makeSecret({ password: base64('correct horse'), empty: '' }, { namespace: 'default' });
  const path = '/api/v1/namespaces/default/secrets/database';
  const apply = (text: string) =>
    cluster.request('PATCH', `${path}?fieldManager=test`, JSON.parse(text), 'application/apply-patch+yaml');
  for (const policy of ['fingerprint', 'omit', 'encrypt'] as const) {
    const sealer = await openSealer({ policy, dataDirectory: directory.path, recipients: [recipient] });
    const text = await seal(sealer, object);
    assert.ok((await apply(text)).status >= 400, policy);
    assert.equal((await cluster.request('GET', path)).status, 404, policy);
    if (policy === 'encrypt') {
      assert.equal((await apply(await decryptText(directory.path, text, identity))).status, 201);
    }
  }
  const { data } = JSON.parse((await cluster.request('GET', path)).text);
  assert.deepEqual(data, object['data']);
});
