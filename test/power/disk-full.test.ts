import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Disk, failure, type Operation } from './disk.ts';
import { History } from './history.ts';
import { judge, judgeAsReader } from './judge.ts';
import { mount, unmount } from './mounts.ts';
import { openRepository } from './repositories.ts';

/** The disk is full at any write: the caller hears it, no reader sees anything torn, and the same call succeeds once there is room. */

const SEEDS = 2;
const STEPS = 12;
const NEEDS_ROOM: ReadonlySet<Operation['kind']> = new Set([
  'create',
  'write',
  'truncate',
  'sync file',
  'rename',
  'link',
  'mkdir',
]);

/** One life in which the disk is full from the `at`-th operation that needs room until the failure was noticed; false when it ended before. */
async function liveWithFullDisk(seed: number, at: number): Promise<boolean> {
  const name = `full-${seed}-${at}`;
  let [operations, isFull, failures] = [0, false, 0];
  const disk = new Disk();
  const directory = `${mount(name, disk)}/shop.git`;
  const history = new History(seed, async (error) => {
    failures++;
    assert.match(String((error as Error).message), /ENOSPC.*what was committed before is safe/);
    isFull = false;
    await judgeAsReader(directory, history.promised);
  });
  try {
    const repository = await openRepository(directory, { autoConsolidate: false });
    disk.options = {
      before: (operation) => {
        if (!NEEDS_ROOM.has(operation.kind)) return;
        if (++operations === at) isFull = true;
        if (isFull) throw failure('ENOSPC', 'write', operation.path);
      },
    };
    await history.run(repository, STEPS);
    await repository[Symbol.asyncDispose]();
    disk.options = {};
    await judge(directory, history.promised);
  } finally {
    unmount(name);
  }
  assert.ok(operations < at || failures === 1, `operation ${at} failed ${failures} times`);
  return operations >= at;
}

test('a disk that is full at any write loses nothing, tears nothing, and is used again', async () => {
  let lives = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (let at = 1; await liveWithFullDisk(seed, at); at++) lives++;
  }
  assert.ok(lives > 100, `${lives} lives`);
});
