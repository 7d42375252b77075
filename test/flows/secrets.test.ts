import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { decryptText } from '../secrets/sops.ts';
import { archiveOnce, file, git, startArchiver, subjects, temporaryDirectory } from './keeper.ts';

/** Secret values go through the whole path on a real cluster and are readable nowhere. */

const canaries = ['canary-plain-8c1f', 'canary-later-77ab', 'canary-applied-d00d'];
const metadata = { name: 'db', namespace: 'shop' };

let cluster: Cluster;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  await cluster.kubectl(['create', 'namespace', 'shop']);
});
after(() => cluster[Symbol.asyncDispose]());

async function put(password: string, labels: Record<string, string> = {}): Promise<void> {
  const stringData = { password, user: 'canary-applied-d00d' };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, labels }, stringData };
  // Client-side apply leaves a copy of the values in an annotation.
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(secret) });
}

function spellings(text: string): readonly string[] {
  return [text, Buffer.from(text).toString('base64').replace(/=+$/, ''), Buffer.from(text).toString('hex')];
}

/** Every object of every repository, every other file of the data directory, and all that was printed. */
async function assertNowhere(directory: string, printed: string): Promise<void> {
  const texts = [printed];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) texts.push(await readFile(join(directory, entry.name), 'latin1'));
    else texts.push(await git(directory, entry.name.slice(0, -4), 'cat-file', '--batch-all-objects', '--batch'));
  }
  const found = canaries.flatMap(spellings).filter((canary) => texts.some((text) => text.includes(canary)));
  assert.deepEqual(found, []);
}

async function watchTwoChanges(directory: string, ...args: readonly string[]): Promise<string> {
  await cluster.kubectl(['delete', 'secret', 'db', '-n', 'shop', '--ignore-not-found']);
  await put('canary-plain-8c1f');
  const archiver = startArchiver(cluster.kubeconfig, directory, '--namespaces', 'shop', ...args);
  await using _running = archiver;
  await archiver.waitFor('the first archive', (line) => line.event === 'committed');
  const from = archiver.lines.length;
  await put('canary-plain-8c1f', { tier: 'data' });
  await archiver.waitFor('the label', (line) => line.event === 'committed', { from });
  const second = archiver.lines.length;
  await put('canary-later-77ab', { tier: 'data' });
  if (!args.includes('omit'))
    await archiver.waitFor('the password', (line) => line.event === 'committed', { from: second });
  assert.equal(await archiver.stop(), 0);
  return archiver.output();
}

test('fingerprints show that a value changed and nothing of it', async () => {
  await using directory = await temporaryDirectory();
  const printed = await watchTwoChanges(directory.path);
  await assertNowhere(directory.path, printed);
  const [latest, label] = await subjects(directory.path, 'shop');
  assert.equal(latest, 'secrets/db: password changed');
  assert.equal(label, 'secrets/db: labels added');
  const text = await file(directory.path, 'shop', 'secrets/db.json');
  const refused = await cluster.request('PUT', '/api/v1/namespaces/shop/secrets/db', text);
  assert.ok(refused.status >= 400, 'the API server took a fingerprint for a value');
});

test('encrypted Secrets come back through sops and kubectl as they were', async () => {
  await using directory = await temporaryDirectory();
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const printed = await watchTwoChanges(directory.path, '--secrets', 'encrypt', '--age-recipient', recipient);
  await assertNowhere(directory.path, printed);
  assert.equal((await subjects(directory.path, 'shop'))[0], 'secrets/db: password changed');
  const before = await readValues();
  const opened = await decryptText(directory.path, await file(directory.path, 'shop', 'secrets/db.json'), identity);
  await cluster.kubectl(['delete', 'secret', 'db', '-n', 'shop']);
  await cluster.kubectl(['apply', '--server-side', '-f', '-'], { input: opened });
  assert.deepEqual(await readValues(), before);
  const options = ['--namespaces', 'shop', '--secrets', 'encrypt', '--age-recipient', recipient];
  const { report } = await archiveOnce(cluster.kubeconfig, directory.path, ...options);
  assert.deepEqual(report.commits, []);
});

test('omitted values are nowhere, and their changes make no commit', async () => {
  await using directory = await temporaryDirectory();
  const printed = await watchTwoChanges(directory.path, '--secrets', 'omit');
  await assertNowhere(directory.path, printed);
  assert.equal((await subjects(directory.path, 'shop'))[0], 'secrets/db: labels added');
});

test('another policy rewrites the Secrets in a commit of its own', async () => {
  await using directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop', '--secrets', 'omit');
  assert.equal((await subjects(directory.path, 'shop'))[0], 'secrets: fingerprint -> omit: 1 object');
});

async function readValues(): Promise<unknown> {
  const { text } = await cluster.request('GET', '/api/v1/namespaces/shop/secrets/db');
  return (JSON.parse(text) as { data: unknown }).data;
}
