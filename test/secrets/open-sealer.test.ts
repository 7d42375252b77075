import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { KeeperError } from '../../controller/errors.ts';
import { openSealer } from '../../controller/secrets/seal.ts';
import { base64, makeDirectory, makePerson, makeSecret, openFingerprinting, seal } from './sealing.ts';

async function refusal(promise: Promise<unknown>): Promise<KeeperError> {
  const error = await promise.then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeeperError, String(error));
  assert.equal(error.kind, 'invalid-input');
  assert.doesNotMatch(error.message, /\n|\.$/);
  return error;
}

test('the fingerprint key is 32 random bytes in hex that only its owner can read, made once', async () => {
  await using directory = await makeDirectory();
  const path = join(directory.path, 'fingerprint.key');
  await openFingerprinting(directory);
  const text = await readFile(path, 'utf8');
  assert.match(text, /^[0-9a-f]{64}\n$/);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await openFingerprinting(directory);
  assert.equal(await readFile(path, 'utf8'), text);
  assert.deepEqual(await readdir(directory.path), ['fingerprint.key']);
});

test('a key that other users can read is refused with the command that mends it', async () => {
  await using directory = await makeDirectory();
  const path = join(directory.path, 'fingerprint.key');
  const text = await seal(await openFingerprinting(directory), makeSecret({ a: base64('x') }));
  await chmod(path, 0o644);
  const error = await refusal(openFingerprinting(directory));
  assert.equal(error.code, 'FINGERPRINT_KEY_INVALID');
  const command = /run: (chmod 0600 \S+)/.exec(error.message)?.[1] ?? assert.fail(error.message);
  await promisify(execFile)('sh', ['-c', command]);
  assert.equal(await seal(await openFingerprinting(directory), makeSecret({ a: base64('x') })), text);
});

test('group rights, as a pod gets them with fsGroup, are taken away again', async () => {
  await using directory = await makeDirectory();
  const path = join(directory.path, 'fingerprint.key');
  await openFingerprinting(directory);
  await chmod(path, 0o660);
  await openFingerprinting(directory);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a damaged key is refused and left as it is, and the draft of a killed process is swept', async () => {
  await using directory = await makeDirectory();
  const path = join(directory.path, 'fingerprint.key');
  await writeFile(`${path}.draft`, 'half');
  await openFingerprinting(directory);
  assert.deepEqual(await readdir(directory.path), ['fingerprint.key']);
  for (const damaged of ['', 'abc\n', `${'0'.repeat(63)}g\n`]) {
    await writeFile(path, damaged);
    assert.equal((await refusal(openFingerprinting(directory))).code, 'FINGERPRINT_KEY_INVALID');
    assert.equal(await readFile(path, 'utf8'), damaged);
  }
});

test('a data directory that cannot hold the key is named', async () => {
  await using directory = await makeDirectory();
  const file = join(directory.path, 'file');
  await writeFile(file, '');
  const error = await refusal(openSealer({ policy: 'fingerprint', dataDirectory: file, recipients: [] }));
  assert.equal(error.code, 'DATA_DIRECTORY_UNUSABLE');
  assert.match(error.message, /ENOTDIR/);
});

test('a recipient that is no X25519 public key is refused before anything is written, and a private key is never repeated', async () => {
  await using directory = await makeDirectory();
  const { identity, recipient } = await makePerson();
  const flipped = recipient.slice(0, -1) + (recipient.endsWith('q') ? 'p' : 'q');
  const wrong = [
    flipped,
    recipient.toUpperCase(),
    `${recipient}q`,
    'age1',
    'ssh-ed25519 AAAA',
    identity,
    identity.toLowerCase(),
  ];
  for (const name of wrong) {
    const error = await refusal(
      openSealer({ policy: 'encrypt', dataDirectory: directory.path, recipients: [recipient, name] }),
    );
    assert.equal(error.code, 'RECIPIENT_INVALID');
    assert.doesNotMatch(error.message, new RegExp(identity.slice(-20), 'i'));
  }
  const none = await refusal(openSealer({ policy: 'encrypt', dataDirectory: directory.path, recipients: [] }));
  assert.match(none.message, /--age-recipient/);
  assert.deepEqual(await readdir(directory.path), []);
});
