import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, type Ended, keeper, temporaryDirectory } from './keeper.ts';

/** Does live equal a known-good state? On a real cluster, with secrets in every policy, whose values are shown nowhere. */

const CANARIES = ['canary-first-1f3c', 'canary-second-9ab2', 'canary-third-77d0'];
let cluster: Cluster;

before(async () => {
  cluster = await startCluster({ controllerManager: false });
  for (const name of ['shop', 'office']) {
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await put(name, 'app', '1');
  }
});
after(() => cluster[Symbol.asyncDispose]());

async function put(namespace: string, name: string, value: string): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { value } });
}

async function putSecret(password: string): Promise<void> {
  const metadata = { name: 'db', namespace: 'shop' };
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    stringData: { password, user: 'canary-third-77d0' },
  });
}

async function remove(namespace: string, path: string): Promise<void> {
  await cluster.request('DELETE', `/api/v1/namespaces/${namespace}/${path}`);
}

function drift(directory: string, ...args: readonly string[]): Promise<Ended> {
  return keeper(['drift', ...args, '--kubeconfig', cluster.kubeconfig, '--data-dir', directory]);
}

function lines({ stdout }: Ended): readonly string[] {
  return stdout.split('\n').filter((line) => line !== '');
}

test('live that equals HEAD is equal and exits with 0; what differs is named field by field and exits with 1', async () => {
  await using directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path);
  const equal = await drift(directory.path, 'shop');
  assert.deepEqual([equal.code, /^equal to [0-9a-f]{10} of /.test(equal.stdout), equal.stderr], [0, true, '']);
  await put('shop', 'app', '2');
  await put('shop', 'new', '1');
  try {
    const ended = await drift(directory.path, 'shop');
    assert.equal(ended.code, 1);
    assert.deepEqual(lines(ended).slice(0, 3), ['~ configmaps/app', '    ~ data.value: 1 -> 2', '+ configmaps/new']);
    assert.match(ended.stdout, /^2 objects differ from [0-9a-f]{10} of /m);
    assert.match(ended.stderr, /^put it back: kubekeeper plan shop --to [0-9a-f]{10} --object configmaps\/app /);
    const one = await drift(directory.path, 'shop', '--object', 'secrets', '--object', 'cm/kube-root-ca.crt');
    assert.equal(one.code, 0, one.stdout);
    const all = await drift(directory.path, '--all');
    assert.equal(all.code, 1);
    assert.match(all.stdout, /^office +equal +/m);
    assert.match(all.stdout, /^shop +2 objects differ +/m);
    const json = JSON.parse((await drift(directory.path, 'shop', '-o', 'json')).stdout);
    assert.deepEqual([json.version, json.equal, json.unread, json.unknownSecrets], [1, false, [], 0]);
    assert.deepEqual(json.objects[0].fields[0], {
      pointer: '/data/value',
      change: 'changed',
      before: '1',
      after: '2',
      isSecret: false,
    });
  } finally {
    await remove('shop', 'configmaps/new');
    await put('shop', 'app', '1');
  }
});

test('without a word the newest known-good state is compared with, whatever was archived since', async () => {
  await using directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path);
  const tagged = await keeper([
    'tag',
    'shop',
    'good/first',
    '-m',
    'works',
    '--kubeconfig',
    cluster.kubeconfig,
    '--data-dir',
    directory.path,
  ]);
  assert.equal(tagged.code, 0, tagged.stderr);
  await put('shop', 'app', '2');
  try {
    await archiveOnce(cluster.kubeconfig, directory.path);
    assert.equal((await drift(directory.path, 'shop', '--from', 'HEAD')).code, 0);
    const ended = await drift(directory.path, 'shop');
    assert.equal(ended.code, 1);
    assert.match(ended.stdout, /1 object differs from [0-9a-f]{10} \[good\/first\] of /);
    const clone = join(directory.path, 'elsewhere', 'copy.git');
    execFileSync('git', ['clone', '--quiet', '--bare', join(directory.path, 'shop.git'), clone]);
    const cloned = await keeper([
      'drift',
      'shop',
      '--from',
      'good/first',
      '--from',
      clone,
      '--kubeconfig',
      cluster.kubeconfig,
      '--data-dir',
      directory.path,
    ]);
    assert.deepEqual([cloned.code, cloned.stdout], [1, ended.stdout]);
  } finally {
    await put('shop', 'app', '1');
  }
});

test('what could not be read is named, and exits with 3 when the rest is equal', async () => {
  await using directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  const all = { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] };
  const user = await cluster.createUser('half', [
    { ...all, resources: ['namespaces', 'configmaps', 'serviceaccounts'] },
  ]);
  const ended = await keeper(['drift', 'shop', '--kubeconfig', user.kubeconfig, '--data-dir', directory.path]);
  assert.equal(ended.code, 3, ended.stdout);
  assert.match(ended.stdout, /^equal to /);
  assert.match(ended.stderr, /^not compared: secrets in shop: /m);
  const narrowed = await keeper([
    'drift',
    'shop',
    '--object',
    'configmaps',
    '--kubeconfig',
    user.kubeconfig,
    '--data-dir',
    directory.path,
  ]);
  assert.equal(narrowed.code, 0, narrowed.stderr);
  const nobody = await keeper([
    'drift',
    'shop',
    '--kubeconfig',
    join(directory.path, 'none'),
    '--data-dir',
    directory.path,
  ]);
  assert.equal(nobody.code, 2);
});

for (const policy of ['fingerprint', 'encrypt', 'omit'] as const) {
  test(`a secret's value is shown by no verb, and its change is seen as far as "${policy}" can`, async () => {
    await using directory = await temporaryDirectory();
    const recipient = await identityToRecipient(await generateX25519Identity());
    const how = [
      '--namespaces',
      'shop',
      '--secrets',
      policy,
      ...(policy === 'encrypt' ? ['--age-recipient', recipient] : []),
    ];
    const archive = () => archiveOnce(cluster.kubeconfig, directory.path, ...how);
    const live = ['--kubeconfig', cluster.kubeconfig];
    try {
      await putSecret('canary-first-1f3c');
      await archive();
      assert.equal((await drift(directory.path, 'shop')).code, 0);
      await putSecret('canary-second-9ab2');
      const seen = await drift(directory.path, 'shop');
      assert.equal(seen.code, policy === 'omit' ? 0 : 1, seen.stdout);
      if (policy !== 'omit')
        assert.deepEqual(lines(seen).slice(0, 2), ['~ secrets/db', '    ~ data.password: changed']);
      // A second person's clone comes without the key: then nobody can say.
      const clone = join(directory.path, 'elsewhere', 'copy.git');
      execFileSync('git', ['clone', '--quiet', '--bare', join(directory.path, 'shop.git'), clone]);
      const keyless = await keeper([
        'drift',
        'shop',
        '--from',
        clone,
        ...live,
        '--data-dir',
        join(directory.path, 'elsewhere'),
      ]);
      assert.equal(keyless.code, policy === 'omit' ? 0 : 3, keyless.stdout);
      await cluster.kubectl(['label', 'secret', '-n', 'shop', 'db', 'tier=data', '--overwrite']);
      await archive();
      const outputs: string[] = [];
      for (const args of [
        ['changes', 'shop'],
        ['changes', 'shop', '--object', 'secret/db'],
        ['diff', 'shop', 'HEAD~1', 'HEAD'],
        ['diff', 'shop', 'HEAD~1', 'live', ...live],
        ['diff', 'shop', 'HEAD~1', 'HEAD', '--raw'],
        ['diff', 'shop', 'HEAD~1', 'live', '--raw', ...live],
        ['show', 'shop', 'secrets/db'],
        ['drift', 'shop', '--from', 'HEAD~1', ...live],
        ['tag', 'shop', 'good/a', '-m', 'works', ...live],
        ['tags', 'shop'],
      ]) {
        const both = [[], ['-o', 'json']].map((format) => keeper([...args, ...format, '--data-dir', directory.path]));
        for (const ended of await Promise.all(both)) {
          // One of both tags finds the name taken, or the lock.
          assert.ok(ended.code <= 2 || args[0] === 'tag', `${args.join(' ')}: ${ended.stderr}`);
          outputs.push(ended.stdout, ended.stderr);
          if (!args.includes('--raw') && args[0] !== 'show')
            assert.doesNotMatch(ended.stdout, /hmac|ENC\[/, args.join(' '));
        }
      }
      const all = outputs.join('\n');
      assert.match(all, /secrets\/db/);
      for (const canary of CANARIES) {
        for (const spelling of [canary, Buffer.from(canary).toString('base64'), Buffer.from(canary).toString('hex')])
          assert.ok(!all.includes(spelling), spelling);
      }
    } finally {
      await remove('shop', 'secrets/db');
    }
  });
}

test('wrong input is told in one line, and exits with 2', async () => {
  await using directory = await temporaryDirectory();
  await archiveOnce(cluster.kubeconfig, directory.path, '--namespaces', 'shop');
  for (const [args, pattern] of [
    [[], /name one namespace, or give --all/],
    [['shop', '--all'], /name one namespace, or give --all/],
    [['shop', '--from', 'good/none'], /Cannot find "good\/none"/],
    [['shop', '--from', 'HEAD', '--from', 'HEAD~1'], /--from takes one restore point, and one directory/],
    [['shp'], /the nearest are shop/],
  ] as const) {
    const ended = await drift(directory.path, ...args);
    assert.deepEqual([ended.code, ended.stdout], [2, ''], args.join(' '));
    assert.match(ended.stderr, pattern);
  }
});
