import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderJson } from '../../controller/core/json.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import { base64, dataOf, makeDirectory, makeSecret, openFingerprinting, place, seal } from './sealing.ts';

const never = async (): Promise<undefined> => assert.fail('nothing has to be read for this policy');

test('a fingerprint stays while the value stays, over resyncs and restarts, and changes with it', async () => {
  await using directory = await makeDirectory();
  const object = makeSecret({ password: base64('one'), user: base64('admin') });
  const sealer = await openFingerprinting(directory);
  const text = await sealer.seal(object, place, ['/data/password', '/data/user'], never);
  assert.match(dataOf(text)['password'] ?? '', /^kubekeeper:hmac-sha256:[0-9a-f]{32}$/);
  for (let resync = 0; resync < 1000; resync++) assert.equal(await seal(sealer, object), text);
  assert.equal(await seal(await openFingerprinting(directory), object), text);
  const after = await seal(sealer, makeSecret({ password: base64('two'), user: base64('admin') }));
  assert.notEqual(dataOf(after)['password'], dataOf(text)['password']);
  assert.equal(dataOf(after)['user'], dataOf(text)['user']);
});

test('the same password in two keys, files, namespaces or clusters cannot be told equal', async () => {
  await using directory = await makeDirectory();
  await using elsewhere = await makeDirectory();
  const object = makeSecret({ a: base64('same'), b: base64('same') });
  const sealer = await openFingerprinting(directory);
  const places = [place, { ...place, path: 'secrets/other.json' }, { ...place, repository: 'shop2' }];
  const texts = await Promise.all(places.map((where) => sealer.seal(object, where, ['/data/a', '/data/b'], never)));
  texts.push(await seal(await openFingerprinting(elsewhere), object));
  const fingerprints = texts.flatMap((text) => Object.values(dataOf(text)));
  assert.equal(new Set(fingerprints).size, 8);
});

test('moving text between repository, path, key and value gives another fingerprint', async () => {
  await using directory = await makeDirectory();
  const sealer = await openFingerprinting(directory);
  const variants = [
    { repository: 'a', path: 'bc', key: 'd', value: 'e' },
    { repository: 'ab', path: 'c', key: 'd', value: 'e' },
    { repository: 'a', path: 'b', key: 'cd', value: 'e' },
    { repository: 'a', path: 'bc', key: 'de', value: '' },
    { repository: 'a', path: '1:b', key: 'c', value: 'd' },
    { repository: 'a1:', path: 'b', key: 'c', value: 'd' },
    { repository: 'a', path: 'bc', key: 'd', value: 1 },
    { repository: 'a', path: 'bc', key: 'd', value: '1' },
    { repository: 'a', path: 'bc', key: 'd', value: true },
    { repository: 'a', path: 'bc', key: 'd', value: 'true' },
  ];
  const found = variants.map(async ({ repository, path, key, value }) => {
    const text = await sealer.seal(makeSecret({ [key]: value }), { repository, path }, [`/data/${key}`], never);
    return dataOf(text)[key];
  });
  assert.equal(new Set(await Promise.all(found)).size, variants.length);
});

test('a fingerprint is an HMAC under the key of the data directory', async () => {
  await using directory = await makeDirectory();
  const text = await seal(await openFingerprinting(directory), makeSecret({ pin: 'MTIzNA==' }));
  const key = Buffer.from((await readFile(join(directory.path, 'fingerprint.key'), 'utf8')).trim(), 'hex');
  const parts = ['leaf', 'shop', 'secrets/database.json', '/data/pin', 'string', 'MTIzNA=='];
  const framed = `kubekeeper/1:${parts.map((part) => `${part.length}:${part}`).join('')}`;
  const expected = createHmac('sha256', key).update(framed).digest('hex').slice(0, 32);
  assert.equal(dataOf(text)['pin'], `kubekeeper:hmac-sha256:${expected}`);
});

test('omit keeps the keys alone', async () => {
  await using directory = await makeDirectory();
  const sealer = await openSealer({ policy: 'omit', dataDirectory: directory.path, recipients: [] });
  const object = makeSecret({ a: base64('x'), b: '', __proto: 1 });
  const text = await sealer.seal(object, place, ['/data/a', '/data/b', '/data/__proto', '/data/absent'], never);
  const omitted = 'kubekeeper:omitted';
  assert.equal(text, renderJson(makeSecret({ a: omitted, b: omitted, __proto: omitted })));
});

test('what is not secret is untouched, and so is the object that was given', async () => {
  await using directory = await makeDirectory();
  const object = makeSecret({ a: base64('x'), list: ['y', { z: 'w' }] }, { labels: { a: 'x' } });
  const copy = renderJson(object);
  const sealer = await openFingerprinting(directory);
  const text = await sealer.seal(object, place, ['/data/list/1/z', '/data/a'], never);
  assert.equal(renderJson(object), copy);
  assert.equal(
    text.replaceAll(/kubekeeper:hmac-sha256:[0-9a-f]{32}/g, '#'),
    copy.replace('"eA=="', '"#"').replace('"w"', '"#"'),
  );
});

test('10,000 Secrets are fingerprinted in well under two seconds', async () => {
  await using directory = await makeDirectory();
  const sealer = await openFingerprinting(directory);
  const object = makeSecret({ host: base64('db'), password: base64('p'.repeat(2000)), user: base64('u') });
  const pointers = ['/data/host', '/data/password', '/data/user'];
  const begin = performance.now();
  for (let count = 0; count < 10_000; count++) await sealer.seal(object, place, pointers, never);
  const took = performance.now() - begin;
  assert.ok(took < 2000, `${took.toFixed(0)} ms`);
});
