import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { RestoreHeader } from '../../controller/core/restore/journal.ts';
import { readRules } from '../../controller/rules-file.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { archiveOnce, eventually, file, git, keeper, paths, startArchiver } from './keeper.ts';
import { applyAll, deployment, live, object, openPlace, type Place } from './restoring.ts';

/** A restore beside a running archiver: that one alone writes, before the restore what lives and after it what came of it. */

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

const app = (namespace: string, value: string) =>
  object('v1', 'ConfigMap', namespace, 'app', { data: { banner: value } });

/** A namespace as it was archived once: the commit to come back to. */
async function archived(place: Place, name: string): Promise<string> {
  await cluster.kubectl(['create', 'namespace', name]);
  await applyAll(cluster, [
    app(name, 'first'),
    object('v1', 'ConfigMap', name, 'gone', { data: { a: '1' } }),
    deployment(name, 'web'),
  ]);
  await eventually('what the controllers make in every namespace', async () => {
    const path = `/api/v1/namespaces/${name}`;
    const made = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'].map((one) =>
      live(cluster, `${path}/${one}`),
    );
    return (await Promise.all(made)).every((one) => one !== undefined);
  });
  const { code, stderr } = await archiveOnce(cluster.kubeconfig, place.data, '--namespaces', name);
  assert.ok(code === 0 || code === 3, stderr);
  return (await git(place.data, name, 'rev-parse', 'main')).trim();
}

test('a change is in the safety commit although the restore begins ten milliseconds after it, and the archiver commits what came of it', async () => {
  await using place = await openPlace(cluster.kubeconfig);
  const first = await archived(place, 'shop');
  await using archiver = startArchiver(cluster.kubeconfig, place.data, '--namespaces', 'shop');
  await archiver.waitFor('the first lists', ({ event }) => event === 'synced');
  for (const value of ['second', 'third']) {
    await applyAll(cluster, [app('shop', value), object('v1', 'ConfigMap', 'shop', value, { data: { a: '1' } })]);
    await cluster.kubectl(['-n', 'shop', 'delete', 'configmap/gone', '--ignore-not-found']);
    await wait(10);
    const from = archiver.lines.length;
    const restored = await place.restore('shop', '--to', first, '--prune');
    assert.deepEqual([restored.code, restored.document?.equal], [0, true], restored.stderr);
    const tag = restored.document?.safetyTag ?? '';
    const then = (path: string) => git(place.data, 'shop', 'cat-file', 'blob', `${tag}:${path}`);
    assert.match(await then('configmaps/app.json'), new RegExp(`"banner": "${value}"`));
    assert.match(await then(`configmaps/${value}.json`), /"a": "1"/);
    await assert.rejects(then('configmaps/gone.json'), /does not exist/);
    const asked = await archiver.waitFor('the request', ({ event }) => event === 'requested', { from });
    assert.deepEqual(
      [asked['what'], asked['repository'], asked['tag'], asked['result'], asked.level],
      ['point', 'shop', tag, 'done', 'info'],
    );
    assert.match(String(asked['by']), /^\S.* <.+@.+>$/);
    await eventually('the restored state in Git', async () => {
      const changed = await git(place.data, 'shop', 'diff', '--name-only', first, 'main');
      return changed.trim() === '';
    });
    const line = await git(place.data, 'shop', 'rev-list', '--first-parent', 'main');
    assert.ok(line.includes((await git(place.data, 'shop', 'rev-parse', `${tag}^{commit}`)).trim()));
    assert.ok(line.includes(first));
  }
  assert.equal((await git(place.data, 'shop', 'rev-list', '--merges', 'main')).trim(), '');
  await git(place.data, 'shop', 'fsck', '--strict');
  const refs = (await git(place.data, 'shop', 'for-each-ref', '--format=%(refname:short)')).trim().split('\n');
  assert.deepEqual([refs.length, refs.filter((ref) => ref.startsWith('pre/restore-')).length], [3, 2]);
  assert.equal(await archiver.stop(), 0);
});

test('what a watch that has gone silent did not tell is in the safety commit as well', async () => {
  await using place = await openPlace(cluster.kubeconfig);
  await using proxy = await startFaultProxy(cluster);
  const first = await archived(place, 'silent');
  await using archiver = startArchiver(proxy.kubeconfig, place.data, '--namespaces', 'silent');
  await archiver.waitFor('the first lists', ({ event }) => event === 'synced');
  await eventually('the watch', async () => proxy.strike(/\/configmaps$/, { do: 'stall' }) > 0);
  await applyAll(cluster, [app('silent', 'second'), object('v1', 'ConfigMap', 'silent', 'late', { data: { a: '1' } })]);
  await cluster.kubectl(['-n', 'silent', 'delete', 'configmap/gone']);
  const restored = await place.restore('silent', '--to', first);
  assert.equal(restored.code, 0, restored.stderr);
  const tag = restored.document?.safetyTag ?? '';
  const [id = ''] = await readdir(join(place.data, 'restores'));
  const journal = await readFile(join(place.data, 'restores', id, 'journal.jsonl'), 'utf8');
  const { rules } = JSON.parse(journal.split('\n', 1)[0] as string) as RestoreHeader;
  assert.deepEqual(rules, { version: (await readRules(undefined)).version, includeOwned: false });
  const tree = await place.tree('silent', tag);
  assert.deepEqual(
    ['app', 'late', 'gone'].map((name) => tree.has(`configmaps/${name}.json`)),
    [true, true, false],
  );
  assert.match(await file(place.data, 'silent', 'configmaps/app.json'), /"banner": "second"/);
  assert.ok((await paths(place.data, 'silent')).includes('configmaps/late.json'));
  assert.deepEqual((await live(cluster, '/api/v1/namespaces/silent/configmaps/app'))?.['data'], { banner: 'first' });
});

test('two restores at once and a tag between them: each is answered, and the history stays one line', async () => {
  await using place = await openPlace(cluster.kubeconfig);
  const names = ['left', 'right'];
  const points = new Map<string, string>();
  for (const name of names) points.set(name, await archived(place, name));
  await using archiver = startArchiver(cluster.kubeconfig, place.data, '--namespaces', names.join(','));
  await archiver.waitFor('the first lists', ({ event }) => event === 'synced');
  await applyAll(
    cluster,
    names.map((name) => app(name, 'second')),
  );
  const over = ['--kubeconfig', cluster.kubeconfig];
  const [left, right, tag] = await Promise.all([
    place.restore('left', '--to', points.get('left') as string),
    place.restore('right', '--to', points.get('right') as string),
    keeper([
      'tag',
      'left',
      'good/then',
      points.get('left') as string,
      '-m',
      'as it was',
      '--data-dir',
      place.data,
      ...over,
    ]),
  ]);
  assert.deepEqual([left.code, right.code, tag.code], [0, 0, 0], `${left.stderr}${right.stderr}${tag.stderr}`);
  for (const [name, { document }] of [['left', left] as const, ['right', right] as const]) {
    const safe = await git(place.data, name, 'cat-file', 'blob', `${document?.safetyTag}:configmaps/app.json`);
    assert.match(safe, /"banner": "second"/);
    await git(place.data, name, 'fsck', '--strict');
  }
  const told = archiver.lines.filter(({ event }) => event === 'requested').map((line) => String(line['tag']));
  assert.deepEqual(told.filter((one) => one === 'good/then').length, 1);
});

test('into a namespace that is not there yet, beside an archiver of another scope: there is nothing to save, so nothing is asked', async () => {
  await using place = await openPlace(cluster.kubeconfig);
  const first = await archived(place, 'source');
  await using archiver = startArchiver(cluster.kubeconfig, place.data, '--namespaces', 'source');
  await archiver.waitFor('the first lists', ({ event }) => event === 'synced');
  const { code, stderr, document } = await place.restore('source', '--to', first, '--into', 'copy');
  assert.equal(code, 0, stderr);
  assert.equal(document?.safetyTag, undefined);
  assert.equal(
    JSON.parse(await cluster.kubectl(['get', 'configmap/app', '-n', 'copy', '-o', 'json'])).data.banner,
    'first',
  );
});
