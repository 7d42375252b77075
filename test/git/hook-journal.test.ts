import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openHookJournal } from '../../controller/git/hook-journal.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubekeeper-journal-'));
});
after(() => rm(directory, { recursive: true }));

const POD = { namespace: 'shop', pod: 'db-0', uid: '7d1e0b7e-6a0b-4c51-9d0f-0b5b1c1e2a44' };

test('a pod that is written down is found by the next one who looks, until it is taken out', async () => {
  assert.deepEqual(await openHookJournal(directory).list(), []);
  await openHookJournal(directory).put(POD);
  await openHookJournal(directory).put(POD);
  assert.deepEqual(await openHookJournal(directory).list(), [POD]);
  const { mode } = await stat(join(directory, 'hooks', `${POD.uid}.json`));
  assert.equal(mode & 0o777, 0o600);
  await openHookJournal(directory).remove(POD.uid);
  await openHookJournal(directory).remove(POD.uid);
  assert.deepEqual(await openHookJournal(directory).list(), []);
});

test('what a writer that was killed left is cleared away, and what no kubekeeper wrote is left alone', async () => {
  const folder = join(directory, 'hooks');
  await writeFile(join(folder, '.tmp_1_ab'), '{"name');
  await writeFile(join(folder, 'README'), 'mine');
  await writeFile(join(folder, 'half.json'), '{"namespace":');
  await writeFile(join(folder, 'list.json'), '[]');
  assert.deepEqual(await openHookJournal(directory).list(), []);
  assert.deepEqual((await readdir(folder)).sort(), ['README', 'half.json', 'list.json']);
});

test('a name that is no uid is never a way out of the folder, and a disk that takes nothing is told', async () => {
  await assert.rejects(openHookJournal(directory).put({ ...POD, uid: '../lock' }), { code: 'DEFECT' });
  const other = join(directory, 'other');
  await mkdir(other);
  await writeFile(join(other, 'hooks'), 'a file');
  await assert.rejects(openHookJournal(other).put(POD), { code: 'DATA_DIRECTORY_UNUSABLE' });
});
