import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Encrypter } from 'age-encryption';
import { parseJson, renderJson } from '../../controller/core/json.ts';
import type { JsonObject, KubeObject } from '../../controller/core/object.ts';
import { KeeperError } from '../../controller/errors.ts';
import { openSecretOpener } from '../../controller/secrets/open-sealed.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import {
  base64,
  type Directory,
  makeDirectory,
  makePerson,
  makeSecret,
  openEncrypting,
  openFingerprinting,
  type Person,
  place,
  seal,
} from './sealing.ts';
import { decrypt, sops } from './sops.ts';

const CANARY = 'canary-7f3a9c';

async function identityFile(directory: Directory, text: string, mode = 0o600): Promise<string> {
  const path = join(directory.path, 'keys.txt');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

async function openWith(directory: Directory, person: Person, text: string) {
  const opener = await openSecretOpener({ identityFile: await identityFile(directory, `${person.identity}\n`) });
  return await opener.open(parseJson(text) as KubeObject, place);
}

async function refusal(work: Promise<unknown>): Promise<KeeperError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeeperError, String(error));
  assert.equal(error.kind, 'invalid-input');
  return error;
}

test('what was archived encrypted comes back whole, as sops gives it back', async () => {
  await using directory = await makeDirectory();
  const [person, other] = [await makePerson(), await makePerson()];
  const data =
    parseJson(`{"__proto__": "cHJvdG8=", "empty": "", "a.b-c_d": "ZA==", "data": "ZGF0YQ==", "sops": "c29wcw==",
    "9": "OQ==", "10": "MTA="}`) as JsonObject;
  data['large'] = randomBytes(750_000).toString('base64');
  const object = makeSecret(data, { annotations: { note: 'ENC[nothing]' } });
  const text = await seal(await openEncrypting(directory, [other, person]), object);
  const { object: opened, closed } = await openWith(directory, person, text);
  assert.deepEqual(opened, object);
  assert.deepEqual(closed, []);
  assert.deepEqual(await decrypt(directory.path, text, person.identity), opened);
});

test('numbers and booleans come back as they were, to the last digit', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object =
    parseJson(`{"apiVersion": "example.com/v1", "kind": "Vault", "metadata": {"name": "v", "namespace": "shop"},
    "spec": {"secret": {"big": 9007199254740993, "small": 0.25, "yes": true, "no": false, "text": "12", "list": ["a", 7, null]}}}`);
  const text = await seal(await openEncrypting(directory, [person]), object as KubeObject, {
    secrets: ['/spec/secret'],
  });
  const { object: opened } = await openWith(directory, person, text);
  assert.equal(renderJson(opened), renderJson(object));
});

test('a text that only looks sealed, where nothing is, stays what it is', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const note = 'ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]';
  const object = makeSecret({ 'a.b': base64('1') }, { annotations: { note } });
  const vault = { ...object, kind: 'Vault', apiVersion: 'v1', data: { 'a.b|c': { x: '1' } } } as KubeObject;
  const sealer = await openEncrypting(directory, [person]);
  for (const [one, secrets] of [
    [object, undefined],
    [vault, ['/data/a.b|c']],
  ] as const) {
    const text = await seal(sealer, one, secrets === undefined ? {} : { secrets });
    assert.deepEqual(await openWith(directory, person, text), { object: one, closed: [] });
  }
});

test('files that sops encrypted by other rules open alike', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object =
    parseJson(`{"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "database", "namespace": "shop"},
    "data": {"z": "eg==", "a": "YQ==", "empty": ""}, "port": 5432, "ratio": 0.5, "on": true, "list": [1, "two", false],
    "note_unencrypted": "plain"}`) as KubeObject;
  const rules = [[], ['--encrypted-regex', '^(data|port|ratio|list)$'], ['--unencrypted-regex', '^(kind|metadata)$']];
  for (const rule of [...rules, ['--encrypted-regex', '^data$', '--mac-only-encrypted']]) {
    await writeFile(join(directory.path, 'plain.json'), JSON.stringify(object));
    const text = await sops(directory.path, ['-e', '--age', person.recipient, ...rule, 'plain.json']);
    const { object: opened, closed } = await openWith(directory, person, text);
    assert.deepEqual([opened, closed], [object, []], rule.join(' '));
  }
});

test('a file of ours that a person changed with sops opens', async () => {
  await using directory = await makeDirectory();
  const [person, colleague] = [await makePerson(), await makePerson()];
  const text = await seal(
    await openEncrypting(directory, [person]),
    makeSecret({ password: base64('old'), user: base64('u') }),
  );
  const file = join(directory.path, 'sealed.json');
  await writeFile(file, text);
  await sops(directory.path, ['set', 'sealed.json', '["data"]["password"]', `"${base64('new')}"`], person.identity);
  await sops(directory.path, ['rotate', '-i', '--add-age', colleague.recipient, 'sealed.json'], person.identity);
  const changed = await readFile(file, 'utf8');
  for (const reader of [person, colleague]) {
    const { object, closed } = await openWith(directory, reader, changed);
    assert.deepEqual([object['data'], closed], [{ password: base64('new'), user: base64('u') }, []]);
    assert.equal(Object.hasOwn(object, 'sops'), false);
  }
});

test('what was changed after it was encrypted is never used', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const object = makeSecret({ one: base64('1'), password: base64(CANARY), two: base64('2') });
  const sealed = parseJson(await seal(await openEncrypting(directory, [person]), object)) as JsonObject;
  const data = sealed['data'] as JsonObject;
  const block = sealed['sops'] as JsonObject;
  const { two: _two, ...without } = data;
  const changed: JsonObject[] = [
    { ...sealed, data: { ...data, one: data['two'] as string } },
    { ...sealed, data: without },
    { ...sealed, data: { ...data, password: (data['password'] as string).replace('data:', 'data:AAAA') } },
    { ...sealed, data: { ...data, one: base64('put in by hand') } },
    { ...sealed, data: { one: base64('put in by hand') } },
    { ...sealed, sops: { ...block, mac: data['one'] as string } },
    { ...sealed, sops: { ...block, mac: '' } },
    { ...sealed, sops: { ...block, lastmodified: '2020-01-01T00:00:00Z' } },
    { ...sealed, sops: { ...block, mac_only_encrypted: false } },
  ];
  for (const file of changed) {
    const { object: opened, closed } = await openWith(directory, person, renderJson(file));
    // Also what is readable in it, for somebody may have put it there.
    for (const name of Object.keys(file['data'] as JsonObject)) {
      assert.ok(
        closed.some(({ pointer }) => pointer === `/data/${name}`),
        name,
      );
    }
    assert.deepEqual(new Set(closed.map(({ why }) => why)), new Set(['it was changed after it was encrypted']));
    assert.ok(!JSON.stringify([opened, closed]).includes(base64(CANARY)));
  }
});

test('what cannot be opened stays as it is and says why', async () => {
  await using directory = await makeDirectory();
  const [person, stranger] = [await makePerson(), await makePerson()];
  const object = makeSecret({ password: base64('p') });
  const encrypted = await seal(await openEncrypting(directory, [person]), object);
  const stranded = await openWith(directory, stranger, encrypted);
  assert.deepEqual(stranded.closed, [{ pointer: '/data/password', why: 'no given identity fits' }]);
  assert.equal(
    (stranded.object['data'] as JsonObject)['password'],
    (parseJson(encrypted) as { data: JsonObject }).data['password'],
  );
  const opener = await openSecretOpener({});
  const why = async (text: string) => (await opener.open(parseJson(text) as KubeObject, place)).closed;
  assert.deepEqual(await why(encrypted), [
    { pointer: '/data/password', why: 'it is encrypted, and no identity was given' },
  ]);
  const fingerprint = await seal(await openFingerprinting(directory), object);
  assert.deepEqual(await why(fingerprint), [{ pointer: '/data/password', why: 'only a fingerprint is archived' }]);
  const omitting = await openSealer({ policy: 'omit', dataDirectory: directory.path, recipients: [] });
  const omitted = await seal(omitting, object);
  assert.deepEqual(await why(omitted), [{ pointer: '/data/password', why: 'it was left out of the archive' }]);
  const shares = { ...(parseJson(encrypted) as JsonObject) };
  shares['sops'] = { ...(shares['sops'] as JsonObject), key_groups: [{ age: [] }], shamir_threshold: 2 };
  assert.match((await why(renderJson(shares)))[0]?.why ?? '', /several groups/);
  const plain = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, sops: { mac: 3 } };
  assert.deepEqual(await opener.open(plain, place), { object: plain, closed: [] });
});

test('an identity file may hold several, with comments; one that others may read is told', async () => {
  await using directory = await makeDirectory();
  const [person, other] = [await makePerson(), await makePerson()];
  const text = await seal(await openEncrypting(directory, [person]), makeSecret({ a: base64('1') }));
  const lines = `# created: today\r\n# public key: ${person.recipient}\r\n\r\n${other.identity}\r\n${person.identity}\r\n`;
  const path = await identityFile(directory, lines, 0o644);
  const opener = await openSecretOpener({ identityFile: path });
  assert.deepEqual((await opener.open(parseJson(text) as KubeObject, place)).closed, []);
  assert.deepEqual(opener.warnings, [`others may read the identity file "${path}"; run: chmod 0600 ${path}`]);
  await chmod(path, 0o600);
  assert.deepEqual((await openSecretOpener({ identityFile: path })).warnings, []);
});

test('an identity file that is none is refused, and never quoted', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const protecting = new Encrypter();
  protecting.setScryptWorkFactor(10);
  protecting.setPassphrase('pass');
  const locked = Buffer.from(await protecting.encrypt(`${person.identity}\n`)).toString('latin1');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /holds no identity/],
    [person.recipient, /no age identity in line 1: that is a public key/],
    [`# x\n${person.identity.slice(0, -3)}QQQ\n`, /no age identity in line 2;/],
    [`${CANARY}\n`, /no age identity in line 1;/],
    ['AGE-PLUGIN-YUBIKEY-1QQQ\n', /plugins/],
    [`-----BEGIN OPENSSH PRIVATE KEY-----\n${CANARY}\n`, /SSH or PEM/],
    ['-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n', /passphrase/],
    [locked, /passphrase/],
  ];
  for (const [text, expected] of cases) {
    const error = await refusal(openSecretOpener({ identityFile: await identityFile(directory, text) }));
    assert.match(error.message, expected);
    assert.equal(error.code, 'IDENTITY_INVALID');
    assert.equal(error.cause, undefined);
    for (const secret of [CANARY, person.identity.slice(16, 40)]) assert.ok(!error.message.includes(secret));
  }
  const missing = await refusal(openSecretOpener({ identityFile: join(directory.path, 'none') }));
  assert.match(missing.message, /cannot be read: ENOENT/);
});

test('values that a person brings stand for what is closed, as text or as bytes', async () => {
  await using directory = await makeDirectory();
  const object = makeSecret({ keystore: base64('\u0001'), password: base64('p'), user: base64('u') });
  const text = await seal(await openFingerprinting(directory), object);
  const valuesFile = join(directory.path, 'values.yaml');
  await writeFile(valuesFile, 'secrets/database:\n  password: "12345"\n  keystore: { base64: AAEC }\n', {
    mode: 0o600,
  });
  const opener = await openSecretOpener({ valuesFile });
  assert.deepEqual(opener.unused(), ['secrets/database']);
  const { object: opened, closed } = await opener.open(parseJson(text) as KubeObject, place);
  assert.deepEqual(closed, [{ pointer: '/data/user', why: 'only a fingerprint is archived' }]);
  const { keystore, password } = opened['data'] as { [key: string]: string };
  assert.deepEqual([keystore, password], ['AAEC', base64('12345')]);
  assert.deepEqual([opener.unused(), opener.warnings], [[], []]);
});

test('a field of another object is named by its pointer, and JSON is as good as YAML', async () => {
  await using directory = await makeDirectory();
  const person = await makePerson();
  const route =
    parseJson(`{"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"tls": {"key": "OLD KEY", "termination": "edge"}}}`) as KubeObject;
  const text = await seal(await openEncrypting(directory, [person]), route, { secrets: ['/spec/tls/key'] });
  const valuesFile = join(directory.path, 'values.json');
  await writeFile(valuesFile, JSON.stringify({ 'routes.route.openshift.io/web': { '/spec/tls/key': 'NEW\nKEY\n' } }));
  const where = { repository: 'shop', path: 'routes.route.openshift.io/web.json' };
  for (const more of [{}, { identityFile: await identityFile(directory, person.identity) }]) {
    const opener = await openSecretOpener({ valuesFile, ...more });
    const { object, closed } = await opener.open(parseJson(text) as KubeObject, where);
    assert.deepEqual([object['spec'], closed], [{ tls: { key: 'NEW\nKEY\n', termination: 'edge' } }, []]);
  }
});

test('values that fit nothing are refused with the nearest name, and no value is ever quoted', async () => {
  await using directory = await makeDirectory();
  const text = await seal(await openFingerprinting(directory), makeSecret({ password: base64('p') }));
  const valuesFile = join(directory.path, 'values.yaml');
  const attempt = async (values: string) => {
    await writeFile(valuesFile, values, { mode: 0o600 });
    const opener = await openSecretOpener({ valuesFile });
    await opener.open(parseJson(text) as KubeObject, place);
  };
  const cases: readonly (readonly [string, RegExp])[] = [
    [`secrets/database: { pasword: ${CANARY} }`, /no sealed value "pasword", the nearest is "password"/],
    [`secrets/database: { /type: ${CANARY} }`, /no sealed value "\/type"/],
    [`database: { password: ${CANARY} }`, /:1: an object is named RESOURCE\/NAME/],
    ['secrets/database:\n  password: 12345', /:2: a value must be text: put it in quotes/],
    [`secrets/database:\n  password: { base63: ${CANARY} }`, /:2: a value is text, or/],
    [`secrets/database:\n  password: { base64: ${CANARY}! }`, /:2: a value is text, or/],
    [`a: &x ${CANARY}\nsecrets/database: *x`, /:2: an anchor/],
    [`{ "secrets/database": { "password": "${CANARY}" `, /not valid YAML/],
    [`secrets/database: { password: "${CANARY}", password: "${CANARY}" }`, /not valid YAML/],
    [`- ${CANARY}`, /a map of objects belongs here/],
    [`secrets/database: ${CANARY}`, /a map of the values of secrets\/database/],
  ];
  for (const [values, expected] of cases) {
    const error = await refusal(attempt(values));
    assert.match(error.message, expected);
    assert.equal(error.code, 'USAGE_INVALID');
    assert.ok(!`${error.message}${error.stack}${String(error.cause)}`.includes(CANARY), values);
  }
});
