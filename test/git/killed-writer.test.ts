import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';
import { Promises } from './promises.ts';

/** A thousand in the long run. */
const KILLS = Number(process.env['KUBEKEEPER_KILLS'] ?? 200);
/** Waiting for a process to begin leaves time for another. */
const LANES = 3;
/** A repository that grows is judged ever more slowly. */
const KILLS_PER_REPOSITORY = 17;
const WRITER = fileURLToPath(import.meta.resolve('./writing-child.ts'));

test(`of ${KILLS} writers killed at any moment of a commit, spill, merge, tag, note, ref or received pack, none lost what it had promised, nor left a repository that Git complains of`, async () => {
  // A writer's first moments are its own, not those of its compiler.
  using cache = new Place();
  let [kills, promised, isOver] = [0, 0, false];
  const lane = async () => {
    while (kills < KILLS && !isOver) {
      using place = new Place();
      const promises = new Promises();
      for (let k = 0; k < KILLS_PER_REPOSITORY && kills < KILLS && !isOver; k++) {
        await killOne(place, promises, kills++, cache.root);
      }
      await judgeAtLast(place, promises);
      promised += promises.count;
    }
  };
  const lanes = Array.from({ length: LANES }, () =>
    lane().finally(() => {
      isOver = true;
    }),
  );
  // Where one has found something, the others end what they are at.
  for (const result of await Promise.allSettled(lanes)) if (result.status === 'rejected') throw result.reason;
  assert.ok(promised > KILLS, `the writers promised ${promised} times`);
});

async function killOne(place: Place, promises: Promises, seed: number, cache: string): Promise<void> {
  for (const line of await writeUntilKilled(place.directory, seed, cache)) promises.take(line);
  if (!existsSync(place.directory)) return;
  promises.verify(place);
  if (seed % 5 !== 0) return;
  // A person packs refs, where no writer left its locks; the next writer must move and remove those, too.
  await (await openRepository(place.directory))[Symbol.asyncDispose]();
  place.git('pack-refs', '--all');
}

/** Gives back what the writer printed, which is less than it did, never more. */
async function writeUntilKilled(directory: string, seed: number, cache: string): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, directory, `${seed}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const lines: string[] = [];
  // A quarter of them while they open, where what the one before left is swept.
  const isEarly = seed % 4 === 0;
  const wanted = isEarly ? 1 : 2 + ((seed * 7) % 19);
  const isUnderWay = Promise.withResolvers<void>();
  const said = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  said.on('line', (line) => {
    lines.push(line);
    if (lines.length === wanted) isUnderWay.resolve();
  });
  const ended = Promise.all([once(child, 'close'), once(said, 'close')]);
  await Promise.race([isUnderWay.promise, ended]);
  await sleep((seed * 37) % (isEarly ? 40 : 23));
  child.kill('SIGKILL');
  const [[code, signal]] = await ended;
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`);
  return lines;
}

/** The next start leaves nothing of those that were killed, and everything that they promised. */
async function judgeAtLast(place: Place, promises: Promises): Promise<void> {
  {
    await using repository = await openRepository(place.directory);
    const left = readdirSync(place.directory, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      left.filter((name) => /tmp_|\.(lock|keep|new)$/.test(name)),
      [],
    );
    assert.equal(left.filter((name) => name.endsWith('.pack')).length, repository.store.packs.length);
    repository.stage('last.json', '{}\n');
    await repository.commit({ message: 'last', author: AUTHOR, time: new Date() });
    await repository.consolidate({ full: true });
  }
  promises.verify(place);
  const left = readdirSync(join(place.directory, 'objects', 'pack')).map((name) => name.replace(/[0-9a-f]{40}/, 'SHA'));
  assert.deepEqual(left.sort(), ['pack-SHA.idx', 'pack-SHA.pack']);
  assert.deepEqual(readdirSync(join(place.directory, 'refs', 'heads')), ['main']);
  assert.deepEqual(readdirSync(place.root), ['shop.git']);
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

test('first commits that were written and never published are no lost history; a branch that was lost is', async () => {
  using place = new Place();
  for (let attempt = 0; attempt < 3; attempt++) {
    let looks = 0;
    const guard = async () => {
      looks += 1;
      if (looks === 2) throw new Error('cut off between the pack and the branch');
    };
    await using repository = await openRepository(place.directory, { guard });
    repository.stage('a.json', `${attempt}`);
    await assert.rejects(repository.commit({ message: `${attempt}`, author: AUTHOR, time: new Date(0) }), /cut off/);
  }
  {
    await using repository = await openRepository(place.directory);
    assert.equal(repository.head, undefined);
    let target = '';
    for (const text of ['1', '2']) {
      repository.stage('a.json', text);
      target = (await repository.commit({ message: text, author: AUTHOR, time: new Date(0) }))?.id ?? '';
    }
    await repository.tag('good', { target, message: '', tagger: AUTHOR, time: new Date(0) });
  }
  place.fsck();
  rmSync(join(place.directory, 'refs', 'heads', 'main'));
  await assert.rejects(openRepository(place.directory), { code: 'REPOSITORY_DAMAGED' });
  rmSync(join(place.directory, 'refs', 'tags', 'good'));
  await assert.rejects(openRepository(place.directory), { code: 'REPOSITORY_DAMAGED' });
});
