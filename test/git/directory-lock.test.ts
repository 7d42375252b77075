import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataDirectory } from '../../controller/git/data-directory.ts';
import { LOCK_FILE, lockDirectory } from '../../controller/git/directory-lock.ts';
import { removeLock } from '../../controller/git/remove-lock.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

const inUse = { code: 'DATA_DIRECTORY_IN_USE' };
const lost = { kind: 'transient', code: 'LEADERSHIP_LOST' };
const term = (epoch: number, lease = 'cluster-1/ops/kubekeeper') => ({ lease, epoch, identity: `replica-${epoch}` });

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

test('a later term of the same Lease takes the lock at once from a process that lives', async () => {
  await using place = await temporaryDirectory();
  await using old = await openDataDirectory(place.path, term(4));
  await old.verify();
  await using next = await openDataDirectory(place.path, term(5));
  await next.verify();
  await assert.rejects(old.verify(), lost);
  await assert.rejects(old.verify(), new RegExp(`process ${process.pid} on .* took it over`));
});

test('no term, an equal or earlier one, or one of another Lease proves nothing of a process that lives', async () => {
  await using place = await temporaryDirectory();
  await using held = await openDataDirectory(place.path, term(4));
  for (const other of [undefined, term(4), term(3), term(9, 'cluster-2/ops/kubekeeper')]) {
    await assert.rejects(openDataDirectory(place.path, other), inUse);
  }
  await held.verify();
  await using plain = await temporaryDirectory();
  await using _held = await openDataDirectory(plain.path);
  await assert.rejects(openDataDirectory(plain.path, term(4)), inUse);
});

test('the lock of a term whose process is gone is taken by any term, as when its Lease was made anew', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, LOCK_FILE);
  const gone = { host: 'elsewhere', process: 7, started: '1', boot: 'x', nonce: 'n', term: term(9) };
  await writeFile(path, JSON.stringify(gone));
  await assert.rejects(lockDirectory(place.path, term(0)), inUse);
  const old = new Date(Date.now() - 120_000);
  await utimes(path, old, old);
  await using held = await lockDirectory(place.path, term(0));
  await held.verify();
});

test('who lost its lock takes nothing from the new holder when it ends', async () => {
  await using place = await temporaryDirectory();
  const old = await openDataDirectory(place.path, term(4));
  await using next = await openDataDirectory(place.path, term(5));
  await old[Symbol.asyncDispose]();
  await next.verify();
  await assert.rejects(openDataDirectory(place.path), inUse);
});

test('who finds its lock removed by a person may write no more', async () => {
  await using place = await temporaryDirectory();
  await using held = await openDataDirectory(place.path);
  await unlink(join(place.path, LOCK_FILE));
  await assert.rejects(held.verify(), { ...lost, message: /its lock was removed/ });
});

test('of many terms that ask at once, the latest gets the lock, and nobody else may write after that', async () => {
  await using place = await temporaryDirectory();
  for (let round = 0; round < 20; round++) {
    const asked = await Promise.allSettled(
      Array.from({ length: 8 }, (_, epoch) => lockDirectory(place.path, term(epoch))),
    );
    const locks = asked.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
    const verified = await Promise.allSettled(locks.map(async (lock) => (lock ?? assert.fail()).verify()));
    assert.deepEqual(
      verified.map(({ status }) => status),
      [...Array(7).fill('rejected'), 'fulfilled'],
    );
    for (const lock of locks) await lock?.[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(place.path), []);
  }
});

test('a mark that a dead taker left delays the next one and no more', { timeout: 15_000 }, async () => {
  await using place = await temporaryDirectory();
  const mark = join(place.path, `${LOCK_FILE}.taking`);
  await mkdir(join(mark, 'somebody'), { recursive: true });
  await utimes(mark, new Date(), new Date(Date.now() - 9_000));
  await writeFile(join(place.path, LOCK_FILE), JSON.stringify({ host: 'x', process: 1, term: term(1) }));
  await using held = await lockDirectory(place.path, term(2));
  await held.verify();
  await assert.rejects(stat(mark), { code: 'ENOENT' });
});

test('a lock that has changed since it was judged stays', async () => {
  await using place = await temporaryDirectory();
  const path = join(place.path, LOCK_FILE);
  await writeFile(path, 'the new one');
  await removeLock(path, 'the one that was judged', 'nonce');
  assert.deepEqual(await readdir(place.path), [LOCK_FILE]);
  await removeLock(path, 'the new one', 'nonce');
  assert.deepEqual(await readdir(place.path), []);
});

test('a directory that cannot be made says what to do', async () => {
  await using place = await temporaryDirectory();
  await writeFile(join(place.path, 'file'), '');
  await assert.rejects(openDataDirectory(join(place.path, 'file', 'below')), /--data-dir/);
});
