import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Json, KubeObject } from '../../controller/core/object.ts';
import type { Sealer } from '../../controller/core/ports.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import { makeDirectory, makePerson, place } from './sealing.ts';

const policies: readonly Sealer['policy'][] = ['fingerprint', 'encrypt', 'omit'];

test('of 1,000 planted values none is in the text of any policy, whatever the place and the form', async () => {
  await using directory = await makeDirectory();
  const { recipient } = await makePerson();
  const tokens = Array.from({ length: 1000 }, () => randomBytes(12).toString('hex'));
  const { object, secrets } = plant(tokens);
  for (const policy of policies) {
    const sealer = await openSealer({ policy, dataDirectory: directory.path, recipients: [recipient] });
    const first = await sealer.seal(object, place, secrets, async () => undefined);
    const again = await sealer.seal(object, place, secrets, async () => first);
    for (const text of [first, again]) {
      assert.match(text, /"readable": "yes"/);
      for (const token of tokens) {
        assert.ok(!text.includes(token), `${policy} leaks a value`);
        assert.ok(!text.includes(Buffer.from(token).toString('base64')), `${policy} leaks a value in base64`);
        assert.ok(!text.includes(Buffer.from(token).toString('hex')), `${policy} leaks a value in hex`);
      }
    }
  }
});

/** A Template with Secrets, a Route, lists of lists and large numbers inside. */
function plant(tokens: readonly string[]): { object: KubeObject; secrets: string[] } {
  const objects: Json[] = [];
  const secrets: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const [value, pointer] = forms(token, index % 5);
    objects.push({ kind: 'Inner', readable: 'yes', ...value });
    secrets.push(`/objects/${index}${pointer}`);
  }
  const metadata = { name: 'all', namespace: 'shop', labels: { readable: 'yes' } };
  return { object: { apiVersion: 'template.openshift.io/v1', kind: 'Template', metadata, objects }, secrets };
}

function forms(token: string, form: number): [{ [key: string]: Json }, string] {
  switch (form) {
    case 0:
      return [{ data: { password: Buffer.from(token).toString('base64') } }, '/data/password'];
    case 1:
      return [{ spec: { tls: { key: `-----BEGIN-----\n${token}` } } }, '/spec/tls/key'];
    case 2:
      return [{ nested: [[{ deep: token }]] }, '/nested/0/0/deep'];
    case 3:
      return [{ whole: { a: token, b: [token, { c: token }] } }, '/whole'];
    default:
      return [{ name: token }, '/name'];
  }
}
