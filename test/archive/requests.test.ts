import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askForPoint, askForTag } from '../../controller/git/ask-archiver.ts';
import {
  type Answer,
  type PointRequest,
  takeRequests,
  waitAnswer,
  writeRequest,
} from '../../controller/git/requests.ts';
import { git, subjects, temporaryDirectory } from '../flows/keeper.ts';
import { resource, ScriptedCluster } from '../flows/scripted-cluster.ts';
import { archiveScripted, watchScripted } from './run.ts';

/** A command beside a running archiver asks by files, and what is written is written by the archiver alone. */

const namespaces = resource('namespaces', 'Namespace', { cluster: true });
const configMaps = resource('configmaps', 'ConfigMap');
const tagger = { name: 'Ada', email: 'ada@example.com' };
const patience = { signal: new AbortController().signal, timeoutMs: 5000 };

function shop(): ScriptedCluster {
  const cluster = new ScriptedCluster();
  cluster.resources = [namespaces, configMaps];
  cluster.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  put(cluster, '1');
  return cluster;
}

function put(cluster: ScriptedCluster, value: string): void {
  cluster.apply(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'app', namespace: 'shop' },
    data: { value },
  });
}

function point(name: string, repository = 'shop'): PointRequest {
  return { do: 'point', repository, name, message: 'before a restore\n', tagger };
}

async function ask(directory: string, request: Parameters<typeof writeRequest>[1]): Promise<Answer | undefined> {
  return await waitAnswer(directory, await writeRequest(directory, request), patience);
}

/** A window that closes by itself only long after the test. */
const NEVER = { window: { silenceMs: 3_600_000, maximumMs: 3_600_000 } };

test('a point commits what was seen, although its window stays open for an hour, and tags that commit', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  const run = watchScripted(cluster, directory.path, NEVER);
  await run.until('the first lists', ({ type }) => type === 'synced');
  put(cluster, '2');
  const answer = await ask(directory.path, point('pre/restore-1'));
  assert.equal(answer?.ok, true, JSON.stringify(answer));
  const head = (await git(directory.path, 'shop', 'rev-parse', 'main')).trim();
  assert.deepEqual(answer, { ok: true, commit: head, tag: 'pre/restore-1' });
  assert.match((await subjects(directory.path, 'shop'))[0] ?? '', /configmaps\/app: value 1 -> 2/);
  assert.equal((await git(directory.path, 'shop', 'rev-parse', 'pre/restore-1^{commit}')).trim(), head);
  assert.match(
    await git(directory.path, 'shop', 'cat-file', 'tag', 'pre/restore-1'),
    /^tagger Ada <ada@example\.com> .*\n\nbefore a restore\n$/m,
  );
  // Nothing new: no commit, only the tag.
  const again = await ask(directory.path, point('pre/restore-2'));
  assert.deepEqual(again, { ok: true, commit: head, tag: 'pre/restore-2' });
  // Windows go on as before.
  put(cluster, '3');
  assert.equal((await ask(directory.path, point('pre/restore-3')))?.ok, true);
  assert.match((await subjects(directory.path, 'shop'))[0] ?? '', /2 -> 3/);
  await run.stop();
  assert.deepEqual(readdirSync(join(directory.path, 'requests')), []);
  const asked = { type: 'requested', what: 'point', repository: 'shop', by: 'Ada <ada@example.com>' };
  assert.deepEqual(run.outcomes.filter(({ type }) => type === 'requested')[0], {
    ...{ ...asked, tag: 'pre/restore-1' },
    ...{ result: 'done', commit: head },
  });
});

test('a point that is asked for before the first lists are complete waits for them', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  const id = await writeRequest(directory.path, point('pre/early'));
  const run = watchScripted(cluster, directory.path, NEVER);
  const answer = await waitAnswer(directory.path, id, patience);
  assert.equal(answer?.ok, true, JSON.stringify(answer));
  assert.deepEqual(await subjects(directory.path, 'shop'), ['first archive of namespace shop: 2 objects']);
  await run.stop();
});

test('what cannot be done is answered with its reason, and changes nothing', async () => {
  await using directory = await temporaryDirectory();
  const cluster = shop();
  await archiveScripted(cluster, directory.path);
  const target = (await git(directory.path, 'shop', 'rev-parse', 'main')).trim();
  const run = watchScripted(cluster, directory.path);
  await run.until('the first lists', ({ type }) => type === 'synced');
  const tag = { do: 'tag', repository: 'shop', name: 'good/a', target, message: 'x', tagger } as const;
  assert.equal((await ask(directory.path, tag))?.ok, true);
  for (const [request, reason] of [
    [tag, /the tag "good\/a" exists/],
    [{ ...tag, name: 'good/b', target: 'f'.repeat(40) }, /is not there/],
    [{ ...tag, name: 'good/b', target: 'HEAD' }, /no request that this kubekeeper understands/],
    [{ ...tag, name: '../../../evil' }, /no name that Git allows/],
    [{ ...tag, repository: '../elsewhere' }, /does not archive "\.\.\/elsewhere"/],
    [point('pre/x', 'office'), /does not archive "office"/],
  ] as const) {
    const answer = await ask(directory.path, request);
    assert.ok(answer?.ok === false);
    assert.match(answer.reason, reason);
  }
  assert.deepEqual((await git(directory.path, 'shop', 'tag')).trim(), 'good/a');
  await run.stop();
  const told = run.outcomes.filter((one) => one.type === 'requested');
  assert.deepEqual(
    told.map(({ what, tag: name, result, reason }) => [what, name, result, reason === undefined]),
    [
      ['tag', 'good/a', 'done', true],
      ['tag', 'good/a', 'refused', false],
      ['tag', 'good/b', 'refused', false],
      ['tag', '../../../evil', 'refused', false],
      ['tag', 'good/a', 'refused', false],
      ['point', 'pre/x', 'refused', false],
    ],
  );
});

test('requests are private files, old ones are refused, and what nobody reads is removed', async () => {
  await using directory = await temporaryDirectory();
  const old = await writeRequest(directory.path, point('pre/old'));
  const folder = join(directory.path, 'requests');
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, `${old}.json`)).mode & 0o777, 0o600);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(join(folder, `${old}.json`), hourAgo, hourAgo);
  for (const name of ['.tmp_1_abc', `${'a'.repeat(24)}.answer.json`]) {
    writeFileSync(join(folder, name), '{}');
    utimesSync(join(folder, name), hourAgo, hourAgo);
  }
  writeFileSync(join(folder, `${'b'.repeat(24)}.json`), 'half a requ');
  writeFileSync(join(folder, 'README'), 'a note of somebody');
  assert.deepEqual(await takeRequests(directory.path), []);
  assert.deepEqual(await waitAnswer(directory.path, old, patience), {
    ok: false,
    reason: 'it is too old',
    code: 'REQUEST_REFUSED',
  });
  assert.deepEqual(readdirSync(folder).sort(), ['README', `${'b'.repeat(24)}.answer.json`]);
});

test('where nobody archives nobody is asked, and nothing is left behind', async () => {
  await using directory = await temporaryDirectory();
  const { do: _, ...asked } = point('pre/x');
  assert.equal(await askForPoint(directory.path, asked, patience), undefined);
  assert.equal(await askForTag(directory.path, { ...asked, target: 'a'.repeat(40) }, patience), undefined);
  assert.equal(existsSync(join(directory.path, 'requests')), false);
});

test('who is told to stop waiting takes its request back', async () => {
  await using directory = await temporaryDirectory();
  const id = await writeRequest(directory.path, point('pre/x'));
  const signal = AbortSignal.timeout(300);
  await assert.rejects(waitAnswer(directory.path, id, { signal, timeoutMs: 5000 }));
  assert.equal(await waitAnswer(directory.path, id, { ...patience, timeoutMs: 200 }), undefined);
});
