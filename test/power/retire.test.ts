import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Disk, type Operation } from './disk.ts';
import { mount, unmount } from './mounts.ts';
import { cutPower, type Random, seeded } from './power-cut.ts';
import { openRepository } from './repositories.ts';

const { retireRepository, syncRetired } = await import('../../controller/git/retire-repository.ts');

/** The power goes while a line turns: the old repository has one of its two names, whole, whatever the disk kept. */

const SEEDS = 20;
const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

async function commit(directory: string, content: string): Promise<string> {
  await using repository = await openRepository(directory, { autoConsolidate: false });
  repository.stage('configmaps/app.json', content);
  const result = await repository.commit({ message: `${content}\n`, author: AUTHOR, time: new Date(0) });
  assert.ok(result);
  return result.id;
}

/** The old line's head, and the disk after a cut before each operation of a turn. */
async function turnAndCut(seed: number, isForgotten: (operation: Operation) => boolean) {
  const random: Random = seeded(seed);
  const cuts: Disk[] = [];
  const disk = new Disk({ isForgotten });
  const data = mount(`turn-${seed}`, disk);
  try {
    const old = await commit(`${data}/shop.git`, 'old');
    disk.options = { isForgotten, before: () => cuts.push(cutPower(disk, random), cutPower(disk, random)) };
    assert.equal(await retireRepository(data, 'shop', '1a2b3c4d'), 'shop.1a2b3c4d');
    await syncRetired(data);
    await commit(`${data}/shop.git`, 'new');
    cuts.push(cutPower(disk, random));
    return { old, cuts };
  } finally {
    unmount(`turn-${seed}`);
  }
}

async function headAt(disk: Disk, name: string): Promise<string | undefined> {
  if (disk.find(`/${name}.git`) === undefined) return undefined;
  const data = mount('cut', disk);
  try {
    await using repository = await openRepository(`${data}/${name}.git`, { autoConsolidate: false });
    return repository.head;
  } finally {
    unmount('cut');
  }
}

/** How many cuts lost the old line, of how many. */
async function countLost(isForgotten: (operation: Operation) => boolean): Promise<readonly [number, number]> {
  let [lost, all] = [0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { old, cuts } = await turnAndCut(seed, isForgotten);
    for (const disk of cuts) {
      const heads = [await headAt(disk, 'shop'), await headAt(disk, 'shop.1a2b3c4d')];
      all++;
      if (heads.filter((head) => head === old).length !== 1) lost++;
    }
  }
  return [lost, all];
}

test('power cuts while a line turns: the old repository is whole under one of its two names', async (context) => {
  const [lost, all] = await countLost(() => false);
  context.diagnostic(`${all} cuts`);
  assert.equal(lost, 0);
  assert.ok(all >= 1000);
});

test('without the sync of the new name the same cuts lose it', async () => {
  const isForgotten = ({ kind, path }: Operation) => kind === 'sync directory' && /^\/?$/.test(path);
  const [lost] = await countLost(isForgotten);
  assert.ok(lost > 0);
});
