import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KeeperError } from '../../controller/errors.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, manifest, Place } from './bare-repository.ts';
import { Promises } from './promises.ts';

const ROUNDS = 30;
const ROUNDS_PER_REPOSITORY = 6;
const WRITER = fileURLToPath(import.meta.resolve('./writing-child.ts'));

test(`of ${ROUNDS} writers stopped by the system anywhere and woken while or after another took over, none lost or doubled anything`, async () => {
  using cache = new Place();
  for (let round = 0; round < ROUNDS; ) {
    using place = new Place();
    const promises = new Promises();
    for (let k = 0; k < ROUNDS_PER_REPOSITORY; k++) await takeOver(place, promises, round++, cache.root);
  }
});

async function takeOver(place: Place, promises: Promises, round: number, cache: string): Promise<void> {
  const lease = join(place.root, 'lease');
  lead(lease, `first ${round}`);
  const child = spawn(process.execPath, [WRITER, place.directory, `${round}`, lease], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  const lines: string[] = [];
  const isUnderWay = Promise.withResolvers<void>();
  const said = createInterface({ input: child.stdout });
  said.on('line', (line) => {
    lines.push(line);
    if (lines.length === 2 + ((round * 5) % 17)) isUnderWay.resolve();
  });
  const ended = Promise.all([once(child, 'close'), once(said, 'close')]);
  try {
    await Promise.race([isUnderWay.promise, ended]);
    await sleep((round * 7) % 13);
    child.kill('SIGSTOP');
    lead(lease, `second ${round}`);
    // One in three wakes up while the new writer opens, the others when it has written already.
    const waking = round % 3 === 0 ? sleep((round * 5) % 11).then(() => child.kill('SIGCONT')) : undefined;
    await using repository = await openRepository(place.directory, { guard: guardOf(lease, `second ${round}`) });
    for (const line of await write(repository, round)) promises.take(line);
    child.kill('SIGCONT');
    await waking;
    for (const line of await write(repository, round + 1000)) promises.take(line);
    assert.deepEqual((await ended)[0], [0, null], 'the old writer says that it lost, and ends');
    assert.equal(lines.at(-1), 'lost');
    for (const line of await write(repository, round + 2000)) promises.take(line);
    await repository.consolidate({ full: true });
  } finally {
    child.kill('SIGKILL');
  }
  for (const line of lines) promises.take(line);
  promises.verify(place);
  const parents = place.lines('rev-list', '--parents', 'main').map((line) => line.split(' ').length);
  assert.ok(
    parents.every((count, i) => count === (i === parents.length - 1 ? 1 : 2)),
    'one line of commits',
  );
}

/** As the new writer's own promises. */
async function write(repository: Repository, seed: number): Promise<string[]> {
  const time = new Date();
  const said: string[] = [];
  for (let k = 0; k < 3; k++) {
    repository.stage(`configmaps/c-${(seed + k) % 7}.json`, manifest('c', seed * 10 + k));
    if (k === 1) await repository.spill();
    const commit = await repository.commit({ message: `second ${seed} ${k}`, author: AUTHOR, time });
    said.push(`did commit ${commit?.id}`);
    const target = commit?.id as string;
    said.push(
      `did tag second/${seed}/${k} ${await repository.tag(`second/${seed}/${k}`, { target, message: 'x', tagger: AUTHOR, time })}`,
    );
    await repository.note(target, `${seed}\n`, { author: AUTHOR, time });
    said.push(`did note ${target} ${seed}`);
  }
  return said;
}

/** At once and whole, as the lock of a data directory changes hands. */
function lead(lease: string, who: string): void {
  writeFileSync(`${lease}.next`, who);
  renameSync(`${lease}.next`, lease);
}

function guardOf(lease: string, who: string): () => Promise<void> {
  return async () => {
    if ((await readFile(lease, 'utf8')) === who) return;
    throw new KeeperError('Another one leads', { kind: 'stalled', code: 'LEADERSHIP_LOST' });
  };
}
