import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

/** What a writer does that has just lost its lead: it takes back the pack and the lock that it can no longer publish, again and again. */
const TAKES_BACK = `
const { linkSync, readdirSync, unlinkSync, writeFileSync } = require('node:fs');
const { randomBytes } = require('node:crypto');
const { join } = require('node:path');
const packs = join(process.argv[1], 'objects', 'pack');
const lock = join(process.argv[1], 'refs', 'heads', 'main.lock');
const base = readdirSync(packs).find((name) => name.endsWith('.idx')).slice(0, -4);
const unless = (act) => { try { act(); } catch (error) { if (error.code !== 'ENOENT') throw error; } };
for (;;) {
  const name = 'pack-' + randomBytes(20).toString('hex');
  for (const suffix of ['pack', 'idx']) linkSync(join(packs, base + '.' + suffix), join(packs, name + '.' + suffix));
  writeFileSync(lock, 'f'.repeat(40) + '\\n');
  for (const suffix of ['idx', 'pack']) unless(() => unlinkSync(join(packs, name + '.' + suffix)));
  unless(() => unlinkSync(lock));
}
`;

test('a repository opens soundly while the writer before is still taking back what it could not publish', async () => {
  using place = new Place();
  const now = clock();
  {
    await using repository = await openRepository(place.directory);
    for (let index = 0; index < 20; index++) repository.stage(`x/${index}.json`, manifest('x', index));
    await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  }
  const child = spawn(process.execPath, ['-e', TAKES_BACK, place.directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await once(child, 'spawn');
    const ends = performance.now() + 5000;
    let opened = 0;
    for (; performance.now() < ends; opened++) {
      const repository = await openRepository(place.directory);
      assert.equal(repository.fileCount, 20);
      await repository[Symbol.asyncDispose]();
    }
    assert.ok(opened > 50, `opened ${opened} times`);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
