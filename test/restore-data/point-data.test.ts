import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openArchive } from '../../controller/git/open-archive.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { readPointData } from '../../controller/restore/point-data.ts';
import { git, temporaryDirectory } from '../flows/keeper.ts';
import { savePoint, savePointCoveredBy, writeNote } from './saved.ts';

/** What a commit, its trailers and the notes say of volume data, whoever wrote them. */

async function openShop() {
  const directory = await temporaryDirectory();
  await using repository = await openRepository(join(directory.path, 'shop.git'));
  repository.stage('configmaps/app.json', '{}\n');
  await repository.commit({
    message: 'configmaps: 1 added\n',
    author: { name: 'test', email: 'test@example.com' },
    time: new Date(),
  });
  return directory;
}

const read = async (data: string, commit: string, repository = 'shop') => {
  using archive = await openArchive(join(data, `${repository}.git`));
  return readPointData(archive, commit);
};

test('a commit has the data of its own note, with how much older that is', async () => {
  await using shop = await openShop();
  const commit = await savePoint(shop.path, 'shop', { claims: { data: { handle: 'snap-1' } }, ageMs: 600_000 });
  const { claims, grade, hasNotes, asked } = await read(shop.path, commit);
  assert.deepEqual([hasNotes, asked, grade], [true, commit, 'crash-consistent: 1 claim']);
  const { record, ageMs = 0 } = claims.get('data') ?? {};
  assert.equal(record?.handle, 'snap-1');
  assert.ok(Math.abs(ageMs - 600_000) < 10_000, `${ageMs}`);
});

test('a commit that came within the interval has the data of the one that covers it, and only of the claims that it names', async () => {
  await using shop = await openShop();
  const asked = await savePoint(shop.path, 'shop', {
    claims: { data: { handle: 'snap-1' }, logs: { handle: 'snap-2' } },
  });
  const covered = await savePointCoveredBy(shop.path, 'shop', asked, ['data']);
  const data = await read(shop.path, covered);
  assert.equal(data.asked, asked);
  assert.deepEqual([...data.claims.keys()], ['data']);
  assert.equal(data.claims.get('data')?.record?.handle, 'snap-1');
});

test('a record of another snapshot never stands for the one that the commit names', async () => {
  await using shop = await openShop();
  const commit = await savePoint(shop.path, 'shop', {
    claims: { data: { handle: 'snap-9', volumeSnapshot: 'later' } },
  });
  assert.equal((await read(shop.path, commit)).claims.get('data')?.record, undefined);
});

test('a clone without the notes says that it has none; one made with --mirror has them', async () => {
  await using shop = await openShop();
  const commit = await savePoint(shop.path, 'shop', { claims: { data: { handle: 'snap-1' } } });
  const clone = promisify(execFile);
  await clone('git', ['clone', '--quiet', '--bare', join(shop.path, 'shop.git'), join(shop.path, 'plain.git')]);
  await clone('git', ['clone', '--quiet', '--mirror', join(shop.path, 'shop.git'), join(shop.path, 'whole.git')]);
  const plain = await read(shop.path, commit, 'plain');
  assert.deepEqual(
    [plain.hasNotes, [...plain.claims.keys()], plain.claims.get('data')?.record],
    [false, ['data'], undefined],
  );
  assert.equal((await read(shop.path, commit, 'whole')).claims.get('data')?.record?.handle, 'snap-1');
});

test('commits that cover each other in a circle, or name one that is not there, promise data that nobody knows', async () => {
  await using shop = await openShop();
  const lost = await savePointCoveredBy(shop.path, 'shop', 'a'.repeat(40), ['data']);
  assert.deepEqual(
    [(await read(shop.path, lost)).asked, (await read(shop.path, lost)).claims.get('data')?.record],
    [undefined, undefined],
  );
  const circle = await savePoint(shop.path, 'shop', { claims: { data: {} }, note: false });
  await writeNote(shop.path, 'shop', circle, { version: 1, coveredBy: circle });
  assert.equal((await read(shop.path, circle)).asked, undefined);
});

test('a note that no kubekeeper wrote is refused, and nothing of it is told', async () => {
  await using shop = await openShop();
  const commit = await savePoint(shop.path, 'shop', { claims: {}, note: false });
  await writeNote(shop.path, 'shop', commit, { version: 1, claims: { data: { handle: 'kkcanary' } } });
  await assert.rejects(read(shop.path, commit), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'REPOSITORY_HOSTILE');
    assert.doesNotMatch(error.message, /kkcanary/);
    return true;
  });
  assert.match(await git(shop.path, 'shop', 'notes', '--ref=data', 'show', commit), /kkcanary/);
});
