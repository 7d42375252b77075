import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LateWork, RestoreHeader } from '../../controller/core/restore/journal.ts';
import { EVERYTHING } from '../../controller/core/restore/plan.ts';
import { KeeperError } from '../../controller/errors.ts';
import { readContinuedLine, writeContinuedLine } from '../../controller/git/continued-line.ts';
import {
  closeJournal,
  createJournal,
  listRestores,
  readRestore,
  unfinishedRestore,
} from '../../controller/git/restore-journal.ts';

/** The journals of restores in a data directory: what is written is found again, whenever the writer ended. */

async function directory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kubekeeper-journal-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function header(id: string, repository = 'shop', started = '2026-11-21T10:00:00Z'): RestoreHeader {
  const target = { clusterId: 'c', namespace: repository, asUser: undefined };
  return { version: 1, id, started, plan: 'ab', repository, commit: 'cd', target, selection: EVERYTHING };
}

const LATE: LateWork = {
  ref: { resource: 'configmaps', namespace: 'shop', name: 'app' },
  resource: { group: '', version: 'v1', plural: 'configmaps', namespaced: true },
  place: { namespace: 'shop', name: 'app' },
  owners: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }],
  finalizers: [],
};

test('what was begun, how it ended and what is still lacking is read again, from files for their owner alone', async () => {
  await using place = await directory();
  const key = 'shop configmaps/app';
  let path = '';
  {
    await using journal = await createJournal(place.path, header('one'));
    path = journal.path;
    await journal.append({ type: 'wave', wave: 'configuration' }, true);
    await Promise.all([
      journal.append({ type: 'begun', step: key, action: 'create', path: 'configmaps/app.json' }),
      journal.append({ type: 'late', step: key, ...LATE }),
      journal.append({ type: 'ended', step: key, result: 'done' }),
      journal.append({ type: 'begun', step: 'shop configmaps/cut', action: 'create' }),
    ]);
  }
  const record = await readRestore(place.path, 'one');
  assert.deepEqual(record?.header.selection, EVERYTHING);
  assert.deepEqual(record?.steps.get(key), { action: 'create', path: 'configmaps/app.json', result: 'done' });
  assert.deepEqual(record?.steps.get('shop configmaps/cut'), { action: 'create' });
  assert.deepEqual([record?.late, record?.closed], [[LATE], undefined]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  for (const folder of ['restores', 'restores/one'])
    assert.equal((await stat(join(place.path, folder))).mode & 0o777, 0o700);
  await assert.rejects(createJournal(place.path, header('one')), KeeperError);
});

test('a line that the writer could not end is left out, and does not stand before what is written later', async () => {
  await using place = await directory();
  let path = '';
  {
    await using journal = await createJournal(place.path, header('one'));
    path = journal.path;
    await journal.append({ type: 'begun', step: 'configmaps/app', action: 'create' });
  }
  await appendFile(path, '{"type":"ended","step":"configm');
  assert.equal((await readRestore(place.path, 'one'))?.steps.get('configmaps/app')?.result, undefined);
  await closeJournal(place.path, 'one', 'resumed');
  assert.equal((await readRestore(place.path, 'one'))?.closed, 'resumed');
  for (const line of (await readFile(path, 'utf8')).trimEnd().split('\n')) JSON.parse(line);
});

test('the newest restore of a repository is unfinished until it is closed as finished or resumed', async () => {
  await using place = await directory();
  assert.equal(await unfinishedRestore(place.path, 'shop'), undefined);
  await (await createJournal(place.path, header('old')))[Symbol.asyncDispose]();
  await (await createJournal(place.path, header('other', 'mail', '2026-11-21T12:00:00Z')))[Symbol.asyncDispose]();
  const newest = await createJournal(place.path, header('new', 'shop', '2026-11-21T11:00:00Z'));
  assert.equal((await unfinishedRestore(place.path, 'shop'))?.header.id, 'new');
  await newest.append({ type: 'closed', as: 'stopped' }, true);
  assert.equal((await unfinishedRestore(place.path, 'shop'))?.header.id, 'new');
  await newest.append({ type: 'closed', as: 'finished' }, true);
  await newest[Symbol.asyncDispose]();
  assert.equal(await unfinishedRestore(place.path, 'shop'), undefined);
  assert.deepEqual(
    (await listRestores(place.path)).map(({ header: { id } }) => id),
    ['other', 'new', 'old'],
  );
});

test('a journal without a whole header did nothing and is left out; one that is damaged inside says so', async () => {
  await using place = await directory();
  for (const [id, text] of [
    ['cut', '{"version":1,"id":"cu'],
    ['empty', ''],
  ] as const) {
    await mkdir(join(place.path, 'restores', id), { recursive: true });
    await writeFile(join(place.path, 'restores', id, 'journal.jsonl'), text);
  }
  assert.deepEqual(await listRestores(place.path), []);
  await using journal = await createJournal(place.path, header('bad'));
  await appendFile(journal.path, 'not json\n');
  await journal.append({ type: 'closed', as: 'finished' });
  await assert.rejects(
    readRestore(place.path, 'bad'),
    (error) =>
      error instanceof KeeperError && error.code === 'REQUEST_REFUSED' && error.message.includes('restores/bad'),
  );
});

test('an id never leads out of the directory', async () => {
  await using place = await directory();
  for (const id of ['..', '../one', '/one', 'a/b', '']) assert.equal(await readRestore(place.path, id), undefined);
});

test('a continued line is read as it was written, before and after the namespace has a uid', async () => {
  await using place = await directory();
  await writeContinuedLine(place.path, 'shop', { of: 'old', uid: undefined });
  assert.deepEqual(readContinuedLine(place.path, 'shop'), { of: 'old', uid: undefined });
  await writeContinuedLine(place.path, 'shop', { of: 'old', uid: 'new' });
  assert.deepEqual(readContinuedLine(place.path, 'shop'), { of: 'old', uid: 'new' });
  assert.equal((await stat(join(place.path, 'continues/shop.json'))).mode & 0o777, 0o600);
});
