import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';

const KILLS = 100;
const WRITER = fileURLToPath(import.meta.resolve('./writing-child.ts'));

test(`of ${KILLS} writers killed at any moment, none lost a commit that it had promised, nor left a repository that Git complains of`, async () => {
  using place = new Place();
  const promised = new Set<string>();
  for (let kill = 0; kill < KILLS; kill++) {
    for (const id of await writeUntilKilled(place.directory, kill)) promised.add(id);
    if (!existsSync(place.directory)) continue;
    place.fsck();
    const reachable = new Set(promised.size === 0 ? [] : place.lines('rev-list', 'main'));
    const lost = [...promised].filter((id) => !reachable.has(id));
    assert.deepEqual(lost, [], `after kill ${kill}`);
  }
  assert.ok(promised.size > KILLS, `the writers committed ${promised.size} times`);
  {
    await using repository = await openRepository(place.directory);
    repository.stage('last.json', '{}\n');
    await repository.commit({ message: 'last', author: AUTHOR, time: new Date() });
    await repository.consolidate({ full: true });
  }
  place.fsck();
  const left = readdirSync(join(place.directory, 'objects', 'pack')).map((name) => name.replace(/[0-9a-f]{40}/, 'SHA'));
  assert.deepEqual(left.sort(), ['pack-SHA.idx', 'pack-SHA.pack']);
  assert.deepEqual(readdirSync(join(place.directory, 'refs', 'heads')), ['main']);
  assert.deepEqual(readdirSync(place.root), ['shop.git']);
});

/** Gives back what the writer printed, which is less than it did, never more. */
async function writeUntilKilled(directory: string, seed: number): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, directory, `${seed}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const closed = once(child, 'close');
  // A quarter of them in their first milliseconds, where the opening sweeps what the one before left.
  if (seed % 4 !== 0) await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), closed]);
  await sleep(seed % 4 === 0 ? 60 + seed : (seed * 37) % 120);
  child.kill('SIGKILL');
  const [code, signal] = await closed;
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`);
  return printed.split('\n').filter((line) => line.length === 40);
}

test('a spill whose commit never came is gone at the next start; one that was used stays', async () => {
  using place = new Place();
  const packs = () =>
    readdirSync(join(place.directory, 'objects', 'pack')).filter((name) => /\.(pack|keep)$/.test(name)).length;
  const lost = await openRepository(place.directory);
  lost.stage('a.json', manifest('a', 1));
  await lost.commit({ message: '1', author: AUTHOR, time: new Date(0) });
  lost.stage('b.json', manifest('b', 1));
  await lost.spill();
  assert.equal(packs(), 3);
  const reopened = await openRepository(place.directory);
  assert.equal(packs(), 1);
  reopened.stage('c.json', manifest('c', 1));
  await reopened.spill();
  reopened.stage('d.json', manifest('d', 1));
  await reopened.commit({ message: '2', author: AUTHOR, time: new Date(0) }, new Set(['c.json']));
  assert.equal(packs(), 3);
  await using last = await openRepository(place.directory);
  assert.equal(packs(), 3);
  assert.equal((await last.readFile('c.json'))?.toString(), manifest('c', 1));
  place.fsck();
});
