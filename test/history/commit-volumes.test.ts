import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ClaimRecord, DataNote } from '../../controller/core/data/record.ts';
import { renderNote } from '../../controller/core/data/record.ts';
import { commitReader } from '../../controller/git/commit-queue.ts';
import { openArchive } from '../../controller/git/open-archive.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { askedBetween } from '../../controller/history/asked-data.ts';
import { volumesReader } from '../../controller/history/commit-volumes.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

/** What a commit says of its volumes, read from a real repository. */

const author = { name: 'a', email: 'a@example.com' };
const NOON = Date.UTC(2026, 10, 22, 12);

const record = (state: ClaimRecord['state'], more: Partial<ClaimRecord> = {}): ClaimRecord => ({
  ...{ uid: 'u', volumeSnapshot: 'snap', driver: 'csi.example.com', class: 'fast' },
  ...{ state, askedAt: new Date(NOON).toISOString(), ...more },
});

/** A repository whose commits are a minute apart; each is its trailers and its note. */
async function history(commits: readonly { readonly says?: string; readonly note?: DataNote | string }[]) {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'shop.git');
  const ids: string[] = [];
  {
    await using repository = await openRepository(path);
    for (const [index, { says = '', note }] of commits.entries()) {
      repository.stage('file', String(index));
      const trailers = says.replaceAll(/#(\d)/g, (_, at: string) => ids[Number(at)] ?? '');
      const time = new Date(NOON + index * 60_000);
      const made = await repository.commit({ message: `change\n\nCluster: c\n${trailers}`, author, time });
      const id = made?.id ?? assert.fail('no commit');
      ids.push(id);
      if (note !== undefined)
        await repository.note(id, typeof note === 'string' ? note : renderNote(note), { author, time });
    }
  }
  const archive = await openArchive(path, { trusted: true });
  return {
    ids,
    archive,
    words: () => ids.map((id) => volumesReader(archive)(commitReader(archive.store)(id))),
    [Symbol.asyncDispose]: async () => {
      archive[Symbol.dispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test('a commit tells its own data by its grade, and that of another one by its age', async () => {
  const note: DataNote = { version: 1, askedAt: new Date(NOON).toISOString(), claims: { data: record('ready') } };
  await using made = await history([
    { says: 'Snapshot: data=snap\n', note },
    { says: 'Snapshot: data=snap\nCovered-By: #0\n' },
    { says: 'Snapshot: data=snap\nCovered-By: #0\n' },
    {},
  ]);
  const [first = ''] = made.ids;
  assert.deepEqual(made.words(), [
    'crash-consistent: 1 claim',
    `data of ${first.slice(0, 10)}, 60 s older: crash-consistent: 1 claim`,
    `data of ${first.slice(0, 10)}, 2 min older: crash-consistent: 1 claim`,
    undefined,
  ]);
});

test('what is not there is said with its reason, and what is not known is never called complete', async () => {
  const skipped = { logs: { kind: 'impossible', why: 'no VolumeSnapshotClass for driver x' } } as const;
  await using made = await history([
    { note: { version: 1, skipped } },
    { says: 'Snapshot: data=snap\n' },
    { says: 'Snapshot: data=snap\n', note: { version: 1, claims: { data: record('failed', { why: 'broken' }) } } },
    { says: 'Snapshot: data=snap\n', note: '{"version": 1, "claims": 7}\n' },
    { note: { version: 1, skipped: { logs: { kind: 'excluded', why: 'by annotation' } } } },
  ]);
  assert.deepEqual(made.words(), [
    'no volume data (logs: no VolumeSnapshotClass for driver x)',
    'pending: nothing is noted yet',
    'none: 0 of 1 claim (data: broken)',
    'its data note cannot be read',
    undefined,
  ]);
});

test('without notes, as in a plain clone, a commit says how to get them', async () => {
  await using made = await history([{ says: 'Snapshot: data=snap\n' }]);
  assert.deepEqual(made.words(), ['its notes are not here (clone with --mirror), so nothing is known of its data']);
});

test('a backup finds the newest commit that asked after it began, and none that was there before', async () => {
  const note: DataNote = { version: 1, claims: { data: record('ready') } };
  await using made = await history([
    { says: 'Snapshot: data=snap\n', note },
    { says: 'Snapshot: data=snap\nCovered-By: #0\n' },
    { says: 'Snapshot: data=other\n' },
    { says: 'Snapshot: data=other\nCovered-By: #2\n' },
  ]);
  const { archive, ids } = made;
  const asked = (from: number | undefined, to: number) =>
    askedBetween(archive, from === undefined ? undefined : ids[from], ids[to] ?? '')?.commit;
  assert.equal(asked(undefined, 3), ids[2]);
  assert.equal(asked(1, 3), ids[2]);
  assert.equal(asked(undefined, 1), ids[0]);
  assert.equal(asked(0, 1), undefined);
  assert.equal(asked(2, 3), undefined);
  assert.deepEqual([...(askedBetween(archive, ids[1], ids[3] ?? '')?.snapshots ?? [])], [['data', 'other']]);
});
