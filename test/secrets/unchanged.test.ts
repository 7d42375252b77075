import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { JsonObject } from '../../controller/core/object.ts';
import { base64, dataOf, makeDirectory, makePerson, makeSecret, noon, openEncrypting, seal } from './sealing.ts';
import { decrypt } from './sops.ts';

const minute = 60_000;
const values = { host: base64('db.shop'), password: base64('one'), user: base64('admin') };

test('1,000 resyncs of an unchanged Secret give the same bytes, before and after a restart', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  let time = noon;
  const object = makeSecret(values);
  const first = await openEncrypting(directory, [person], () => time);
  const text = await seal(first, object);
  const restarted = await openEncrypting(directory, [person], () => time);
  for (const sealer of [first, restarted]) {
    const begin = performance.now();
    for (let resync = 0; resync < 1000; resync++) {
      time += 1000;
      assert.equal(await seal(sealer, makeSecret(values), { previous: text }), text);
    }
    const each = (performance.now() - begin) / 1000;
    assert.ok(each < 5, `${each.toFixed(3)} ms for a resync`);
  }
});

test('what was sealed but is not yet archived is sealed to the same bytes again', async () => {
  await using directory = await makeDirectory();
  let time = noon;
  const sealer = await openEncrypting(directory, [await makePerson()], () => time);
  const archived = await seal(sealer, makeSecret(values));
  const next = makeSecret({ ...values, password: base64('two') });
  const staged = await seal(sealer, next, { previous: archived });
  time += minute;
  assert.equal(await seal(sealer, next, { previous: archived }), staged);
});

test('one changed value leaves the other ciphertexts as they were', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  let time = noon;
  const sealer = await openEncrypting(directory, [person], () => time);
  const before = await seal(sealer, makeSecret(values));
  time += minute;
  const object = makeSecret({ ...values, password: base64('two'), added: base64('new') });
  const after = await seal(sealer, object, { previous: before });
  assert.equal(dataOf(after)['host'], dataOf(before)['host']);
  assert.equal(dataOf(after)['user'], dataOf(before)['user']);
  assert.notEqual(dataOf(after)['password'], dataOf(before)['password']);
  assert.deepEqual(ageOf(after), ageOf(before));
  assert.equal(blockOf(after)['lastmodified'], '2026-01-02T12:01:00Z');
  assert.deepEqual(await decrypt(directory.path, after, person.identity), object);
});

test('a value changed after a restart seals the file anew, and the fingerprints still say which it was', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const before = await seal(await openEncrypting(directory, [person]), makeSecret(values));
  const object = makeSecret({ ...values, password: base64('two') });
  const after = await seal(await openEncrypting(directory, [person]), object, { previous: before });
  assert.notEqual(dataOf(after)['host'], dataOf(before)['host']);
  const [old, now] = [fingerprintsOf(before), fingerprintsOf(after)];
  assert.equal(now['/data/host'], old['/data/host']);
  assert.notEqual(now['/data/password'], old['/data/password']);
  assert.deepEqual(await decrypt(directory.path, after, person.identity), object);
});

test('a label changed after a restart changes that label alone, and sops still accepts the file', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const before = await seal(
    await openEncrypting(directory, [person]),
    makeSecret(values, { labels: { tier: 'back' } }),
  );
  const object = makeSecret(values, { labels: { tier: 'front' } });
  const after = await seal(await openEncrypting(directory, [person], () => noon + minute), object, {
    previous: before,
  });
  assert.equal(after, before.replace('"back"', '"front"'));
  assert.deepEqual(await decrypt(directory.path, after, person.identity), object);
});

test('other recipients seal the file anew; the same in another order do not', async () => {
  await using directory = await makeDirectory();
  const [ann, ben] = [await makePerson(), await makePerson()] as const;
  const object = makeSecret(values);
  const forAnn = await seal(await openEncrypting(directory, [ann]), object);
  const forBoth = await seal(await openEncrypting(directory, [ann, ben]), object, { previous: forAnn });
  assert.deepEqual(await decrypt(directory.path, forBoth, ben.identity), object);
  assert.equal(await seal(await openEncrypting(directory, [ben, ann]), object, { previous: forBoth }), forBoth);
  const forBen = await seal(await openEncrypting(directory, [ben]), object, { previous: forBoth });
  assert.notEqual(dataOf(forBen)['host'], dataOf(forBoth)['host']);
  await assert.rejects(decrypt(directory.path, forBen, ann.identity), /data key/);
});

test('a file that somebody touched, or that is no file of ours, is sealed anew', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object = makeSecret(values);
  const text = await seal(await openEncrypting(directory, [person]), object);
  const { host = '', user = '' } = dataOf(text);
  const block = { ...blockOf(text), mac_only_encrypted: false };
  const { kubekeeper: _, ...unmarked } = blockOf(text);
  const touched = [
    text.replace(host, user),
    renderJson({ ...(parseJson(text) as JsonObject), sops: block }),
    renderJson({ ...(parseJson(text) as JsonObject), sops: unmarked }),
    renderJson(makeSecret({ host: 1 })),
    '<<<<<<< HEAD\n',
    '',
  ];
  for (const previous of touched) {
    const mended = await seal(await openEncrypting(directory, [person]), object, { previous });
    assert.notEqual(dataOf(mended)['host'], host);
    assert.deepEqual(await decrypt(directory.path, mended, person.identity), object);
  }
});

function blockOf(text: string): JsonObject {
  return (parseJson(text) as { sops: JsonObject }).sops;
}

function ageOf(text: string): unknown {
  return blockOf(text)['age'];
}

function fingerprintsOf(text: string): JsonObject {
  return (blockOf(text)['kubekeeper'] as { fingerprints: JsonObject }).fingerprints;
}
