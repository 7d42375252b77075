import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataDirectory } from '../../controller/git/data-directory.ts';
import { LOCK_FILE, lockDirectory } from '../../controller/git/directory-lock.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

const inUse = { code: 'DATA_DIRECTORY_IN_USE' };

test('a directory that is held is refused, and free when it is let go', async () => {
  await using place = await temporaryDirectory();
  {
    await using held = await openDataDirectory(place.path);
    assert.equal(held.directory, place.path);
    await assert.rejects(openDataDirectory(place.path), inUse);
  }
  await using again = await openDataDirectory(place.path);
  assert.equal(again.directory, place.path);
});

test("of many that ask at once for a crashed holder's lock, exactly one gets it", async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, LOCK_FILE);
  {
    await using _held = await lockDirectory(place.path);
    const holder = JSON.parse(await readFile(path, 'utf8')) as object;
    // Process 1 lives, but it did not start when this holder did.
    await writeFile(`${path}.copy`, JSON.stringify({ ...holder, process: 1, started: '1' }));
  }
  for (let round = 0; round < 20; round++) {
    await writeFile(path, await readFile(`${path}.copy`));
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(place.path)));
    const got = asked.filter((result) => result.status === 'fulfilled');
    assert.equal(got.length, 1);
    await got[0]?.value[Symbol.asyncDispose]();
  }
});

test('a holder on another host counts while it touches its lock', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, LOCK_FILE);
  await writeFile(path, JSON.stringify({ host: 'elsewhere', process: 7, started: '1', boot: 'x', nonce: 'n' }));
  await assert.rejects(lockDirectory(place.path), /process 7 on elsewhere/);
  const old = new Date(Date.now() - 120_000);
  await utimes(path, old, old);
  await using held = await lockDirectory(place.path);
  assert.ok(held);
});

test('a directory that cannot be made says what to do', async () => {
  await using place = await temporaryDirectory();
  await writeFile(join(place.path, 'file'), '');
  await assert.rejects(openDataDirectory(join(place.path, 'file', 'below')), /--data-dir/);
});
