import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { Works } from '../../controller/core/works.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

/** Who asks whether a writer is stuck must hear of every write while it is under way. */

test('commits and consolidations are told while they are under way, and a consolidation moves', async () => {
  await using directory = await temporaryDirectory();
  const works = new Works(() => performance.now());
  const told: string[] = [];
  let steps = 0;
  const begin = (what: string) => {
    const work = works.begin(what);
    told.push(what);
    return {
      step: () => {
        steps++;
        work.step();
      },
      [Symbol.dispose]: () => work[Symbol.dispose](),
    };
  };
  await using repository = await openRepository(join(directory.path, 'shop.git'), { begin, autoConsolidate: false });
  const author = { name: 'a', email: 'a@example.com' };
  for (let index = 0; index < 20; index++) {
    for (let file = 0; file < 20; file++) repository.stage(`file-${file}`, randomBytes(5000).toString('hex'));
    const committing = repository.commit({ message: 'a', author, time: new Date(index * 1000) });
    while (told.length === index) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(works.standstill()?.what, 'commit');
    await committing;
    assert.equal(works.standstill(), undefined);
  }
  assert.deepEqual(new Set(told), new Set(['commit']));
  const consolidating = repository.consolidate({ full: true });
  while (told.length === 20) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(works.standstill()?.what, 'consolidation');
  await consolidating;
  assert.equal(works.standstill(), undefined);
  assert.ok(steps > 0);
});

test('a write that fails is over', async () => {
  await using directory = await temporaryDirectory();
  const works = new Works(() => performance.now());
  const guard = async () => {
    throw new Error('another leads');
  };
  await using repository = await openRepository(join(directory.path, 'shop.git'), { begin: works.begin, guard });
  repository.stage('file', 'a');
  const author = { name: 'a', email: 'a@example.com' };
  await assert.rejects(repository.commit({ message: 'a', author, time: new Date(0) }), /another leads/);
  assert.equal(works.standstill(), undefined);
});
