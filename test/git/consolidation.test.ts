import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

for (const { files, commits } of [
  { files: 1000, commits: 300 },
  { files: 10_000, commits: 200 },
]) {
  test(`${commits} commits of one change among ${files} files take at most three times what git gc leaves`, async () => {
    using place = new Place();
    const before = await writeHistory(place, files, commits);
    const ours = packBytes(place.directory);
    place.fsck();
    const native = join(place.root, 'native.git');
    cpSync(place.directory, native, { recursive: true });
    place.git('-C', native, 'gc', '--quiet', '--prune=now');
    const theirs = packBytes(native);
    const perCommit = (ours - before) / commits;
    const first = place.lines('rev-list', '--max-parents=0', 'main')[0] as string;
    const theirFirst = await bytesOfFirstCommit(place, first);
    const theirPerCommit = (theirs - theirFirst) / commits;
    const said = `${Math.round(perCommit)} bytes a commit against ${Math.round(theirPerCommit)}, ${ours} against ${theirs} in all`;
    assert.ok(perCommit < 3 * theirPerCommit && ours < 3 * theirs, said);
    assert.ok(deepestChain(place) <= 50, 'chains of deltas stay as short as those of Git');
  });
}

/** Returns the bytes after the first commit, consolidated. */
async function writeHistory(place: Place, files: number, commits: number): Promise<number> {
  const now = clock();
  await using repository = await openRepository(place.directory);
  for (let i = 0; i < files; i++) repository.stage(`deployments.apps/web-${i}.json`, manifest(`web-${i}`, 0));
  for (let i = 0; i < 20; i++) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
  await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  await repository.consolidate({ full: true });
  const before = packBytes(place.directory);
  for (let k = 1; k <= commits; k++) {
    const path = k % 10 === 0 ? `configmaps/c-${k % 20}.json` : `deployments.apps/web-${(k * 7919) % files}.json`;
    repository.stage(path, manifest(path, k));
    await repository.commit({ message: `${path}: image ${k - 1} -> ${k}`, author: AUTHOR, time: now() });
  }
  await repository.consolidate();
  return before;
}

async function bytesOfFirstCommit(place: Place, first: string): Promise<number> {
  const directory = join(place.root, 'first.git');
  place.git('clone', '--quiet', '--bare', '--no-local', place.directory, directory);
  place.git('-C', directory, 'update-ref', 'refs/heads/main', first);
  place.git('-C', directory, 'gc', '--quiet', '--prune=now');
  return packBytes(directory);
}

function packBytes(directory: string): number {
  const pack = join(directory, 'objects', 'pack');
  const files = readdirSync(pack).filter((name) => /\.(pack|idx)$/.test(name));
  return files.reduce((sum, name) => sum + statSync(join(pack, name)).size, 0);
}

function deepestChain(place: Place): number {
  const indexes = readdirSync(join(place.directory, 'objects', 'pack')).filter((name) => name.endsWith('.idx'));
  const depths = indexes.flatMap((name) =>
    place
      .lines('verify-pack', '-v', `objects/pack/${name}`)
      .map((line) => Number(/^[0-9a-f]{40} \w+ +\d+ \d+ \d+ (\d+) /.exec(line)?.[1] ?? 0)),
  );
  return Math.max(...depths);
}

test('a busy repository stays under fifty packs by itself, and the process stays awake', async () => {
  using place = new Place();
  const now = clock();
  const outcomes: unknown[] = [];
  await using repository = await openRepository(place.directory, {
    onConsolidation: (outcome) => outcomes.push(outcome),
  });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  for (let i = 0; i < 3000; i++) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
  await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  delay.enable();
  let most = 0;
  for (let k = 1; k <= 250; k++) {
    repository.stage(`configmaps/c-${k * 11}.json`, manifest('c', k));
    await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
    most = Math.max(most, repository.store.packs.length);
  }
  delay.disable();
  assert.ok(most <= 50, `${most} packs`);
  assert.ok(
    outcomes.length >= 4 && outcomes.every((outcome) => 'result' in (outcome as object)),
    JSON.stringify(outcomes),
  );
  assert.ok(delay.percentile(99) < 100e6, `${delay.percentile(99) / 1e6} ms`);
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, 251);
});

test('commits, spills and reads go on while packs are merged', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory, { autoConsolidate: false });
  const expected = new Map<string, string>();
  for (let round = 0; round < 6; round++) {
    const merging = repository.consolidate({ full: round % 2 === 0 });
    for (let k = 0; k < 12; k++) {
      const path = `x/${(round * 5 + k) % 40}.json`;
      expected.set(path, manifest(path, round * 100 + k));
      repository.stage(path, expected.get(path) as string);
      if (k % 5 === 0) await repository.spill();
      await repository.commit({ message: `${round} ${k}`, author: AUTHOR, time: now() });
      for (const [each, text] of expected) assert.equal((await repository.readFile(each))?.toString(), text);
    }
    await merging;
  }
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, 72);
});

test('packs that someone marked to be kept are kept', async () => {
  using place = new Place();
  const now = clock();
  {
    await using repository = await openRepository(place.directory);
    for (let k = 0; k < 5; k++) {
      repository.stage('a.json', `${k}`);
      await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
    }
  }
  const [kept] = readdirSync(join(place.directory, 'objects/pack')).filter((name) => name.endsWith('.pack'));
  cpSync(
    join(place.directory, 'config'),
    join(place.directory, 'objects/pack', (kept as string).replace('.pack', '.keep')),
  );
  await using repository = await openRepository(place.directory);
  assert.equal((await repository.consolidate({ full: true })).packs, 2);
  assert.ok(readdirSync(join(place.directory, 'objects/pack')).includes(kept as string));
  place.fsck();
});

test('a consolidation that fails is told, loses nothing, and is made good by a later one', async () => {
  using place = new Place();
  const now = clock();
  const outcomes: ({ result: unknown } | { error: unknown })[] = [];
  await using repository = await openRepository(place.directory, {
    onConsolidation: (outcome) => outcomes.push(outcome),
  });
  const commit = async (k: number) => {
    repository.stage('a.json', manifest('a', k));
    await repository.commit({ message: `${k}`, author: AUTHOR, time: now() });
  };
  await commit(0);
  const pack = join(
    place.directory,
    'objects/pack',
    readdirSync(join(place.directory, 'objects/pack')).find((name) => name.endsWith('.pack')) as string,
  );
  const whole = readFileSync(pack);
  chmodSync(pack, 0o644);
  writeFileSync(pack, Buffer.concat([whole.subarray(0, 14), Buffer.alloc(20), whole.subarray(34)]));
  let k = 1;
  while (outcomes.length === 0 && k < 200) await commit(k++);
  assert.ok('error' in (outcomes[0] as object));
  assert.equal((repository.consolidationError as { code?: string }).code, 'REPOSITORY_DAMAGED');
  writeFileSync(pack, whole);
  while (!outcomes.some((outcome) => 'result' in outcome) && k < 200) await commit(k++);
  assert.equal(repository.consolidationError, undefined);
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, k);
});
