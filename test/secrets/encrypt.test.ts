import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { JsonObject, KubeObject } from '../../controller/core/object.ts';
import { base64, dataOf, makeDirectory, makePerson, makeSecret, openEncrypting, place, seal } from './sealing.ts';
import { decrypt, decryptText } from './sops.ts';

const route = parseJson(`{
  "apiVersion": "route.openshift.io/v1", "kind": "Route",
  "metadata": {"name": "web", "namespace": "shop", "labels": {"key": "gold", "tier": "front"}},
  "spec": {"tls": {"termination": "edge", "key": "-----BEGIN KEY-----\\nabc\\n", "certificate": "CERT"},
    "to": {"kind": "Service", "weight": 100}, "alternateBackends": [], "wildcardPolicy": "None"}
}`) as KubeObject;

test('sops gives back a Secret with binary, empty, large and oddly named values', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const data = parseJson(`{"__proto__": "cHJvdG8=", "constructor": "Yw==", "empty": "", "a.b-c_d": "ZA==",
    "data": "ZGF0YQ==", "sops": "c29wcw==", "9": "OQ==", "10": "MTA=", "schlüssel/~ <&>": "ZQ=="}`) as JsonObject;
  data['binary'] = randomBytes(100).toString('base64');
  data['large'] = randomBytes(750_000).toString('base64');
  const labels = { data: 'a label named like the field', stringData: 'x', tier: 'back' };
  const object = makeSecret(data, { labels, annotations: { note: 'ENC[nothing]' } });
  const text = await seal(await openEncrypting(directory, [person]), object);
  assert.deepEqual(await decrypt(directory.path, text, person.identity), object);
  assert.equal(renderJson(parseJson(text)), text);
  assert.match(text, /^ {4}"__proto__": "ENC\[AES256_GCM,/m);
  assert.equal(dataOf(text)['empty'], '');
});

test('sops gives back a Route whose TLS key alone is sealed, and what is named like it', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const text = await seal(await openEncrypting(directory, [person]), route, { secrets: ['/spec/tls/key'] });
  assert.deepEqual(await decrypt(directory.path, text, person.identity), route);
  assert.match(text, /"encrypted_regex": "\^\(key\)\$"/);
  assert.match(text, /"certificate": "CERT"/);
  assert.match(text, /"termination": "edge"/);
});

test('secrets in lists, numbers, booleans and an object whose name would match are sealed and come back', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object = parseJson(`{
    "apiVersion": "x.dev/v1", "kind": "Vault", "metadata": {"name": "v", "namespace": "shop"},
    "spec": {"login": {"name": "admin"}, "hooks": [{"secret": "s"}, {"secret": "s"}, {"other": [1, "x"]}],
      "pins": [9223372036854775807, -9223372036854775808, 1234, 0.5, 1e-7, 1e+21, -1.25e+30, true, false],
      "limit": 9223372036854775807, "ratio": 0.1, "null": null, "none": {}}
  }`) as KubeObject;
  const secrets = ['/spec/login/name', '/spec/hooks/0/secret', '/spec/hooks/1/secret', '/spec/pins', '/spec/absent'];
  const text = await seal(await openEncrypting(directory, [person]), object, { secrets });
  const plain = await decrypt(directory.path, text, person.identity);
  assert.equal(renderJson(plain), renderJson(object));
  assert.match(text, /"name": "v"/, 'the object keeps its name although a secret has the same key');
  assert.match(text, /"encrypted_regex": "\^\(login\|pins\|secret\)\$"/);
  const hooks = [...text.matchAll(/"secret": "(ENC.*?)"/g)].map((match) => match[1]);
  assert.equal(new Set(hooks).size, 2, 'equal values in a list cannot be told equal');
});

test('keys full of signs are matched as they are, and an object keeps the name by which it is found', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object = parseJson(`{
    "apiVersion": "x.dev/v1", "kind": "Vault", "metadata": {"name": "v", "namespace": "shop"},
    "spec": {"name": "admin", "size": 3, "zone": "a"},
    "keys": {"a.b": "s", "aXb": "open", "^(x|y)$[z]{2}\\\\d+*?-#&~": "s", "tab\\t": "s", "ü😀": "s", "plain": "open"}
  }`) as KubeObject;
  const secrets = ['/spec/name', '/keys/a.b', '/keys/^(x|y)$[z]{2}\\d+*?-#&~0', '/keys/tab\t', '/keys/ü😀'];
  const text = await seal(await openEncrypting(directory, [person]), object, { secrets });
  assert.match(text, /"name": "v"/);
  assert.match(text, /"aXb": "open"/);
  assert.doesNotMatch(text, /": "s"/);
  assert.deepEqual(await decrypt(directory.path, text, person.identity), object);
});

test('each of two recipients can decrypt alone, and a stranger cannot', async () => {
  await using directory = await makeDirectory();
  const people = [await makePerson(), await makePerson()] as const;
  const object = makeSecret({ password: base64('correct horse') });
  const text = await seal(await openEncrypting(directory, people), object);
  for (const person of people) assert.deepEqual(await decrypt(directory.path, text, person.identity), object);
  const stranger = await makePerson();
  await assert.rejects(
    decryptText(directory.path, text, stranger.identity),
    /no identity matched|Failed to get the data key/,
  );
});

test('sops refuses a file in which any sealed value was touched, swapped, added, emptied or taken out', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object = makeSecret({ user: base64('admin'), password: base64('secret'), empty: '' });
  const text = await seal(await openEncrypting(directory, [person]), object);
  const { user = '', password = '' } = dataOf(text);
  const forgeries: JsonObject[] = [
    { ...dataOf(text), password: password.replace(/data:(.)/, (_, first) => `data:${first === 'A' ? 'B' : 'A'}`) },
    { ...dataOf(text), password: user, user: password },
    { ...dataOf(text), extra: base64('plain') },
    { ...dataOf(text), empty: base64('plain') },
    { ...dataOf(text), password: '' },
    { user, empty: '' },
  ];
  for (const data of forgeries) {
    const forged = renderJson({ ...(parseJson(text) as JsonObject), data });
    await assert.rejects(
      decryptText(directory.path, forged, person.identity),
      /MAC mismatch|decrypt|sops' data format/i,
    );
  }
  const later = text.replace('"lastmodified": "2026', '"lastmodified": "2027');
  assert.notEqual(later, text);
  await assert.rejects(decryptText(directory.path, later, person.identity), /MAC/);
});

test('any Secret comes back from sops as it was', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const sealer = await openEncrypting(directory, [person]);
  const key = fc.oneof(fc.stringMatching(/^[-._a-zA-Z0-9]{1,40}$/), fc.string({ unit: 'binary', minLength: 1 }));
  const secrets = fc.dictionary(key, fc.oneof(fc.base64String(), fc.string({ unit: 'binary' })), {
    minKeys: 20,
    maxKeys: 60,
  });
  await fc.assert(
    fc.asyncProperty(secrets, async (data) => {
      const object = makeSecret(data);
      const text = await sealer.seal(object, place, ['/data'], async () => undefined);
      assert.deepEqual(await decrypt(directory.path, text, person.identity), JSON.parse(JSON.stringify(object)));
    }),
    { numRuns: 15 },
  );
});

test('an object without secret values stays a plain file, and one with a field sops of its own gets fingerprints', async () => {
  await using directory = await makeDirectory();
  const sealer = await openEncrypting(directory, [await makePerson()]);
  const empty = makeSecret({});
  assert.equal(await seal(sealer, empty), renderJson(empty));
  const foreign: KubeObject = { ...makeSecret({ a: base64('canary') }), sops: { version: '3' } };
  const text = await seal(sealer, foreign);
  assert.match(dataOf(text)['a'] ?? '', /^kubekeeper:hmac-sha256:[0-9a-f]{32}$/);
});
