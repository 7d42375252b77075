import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findMissing } from '../../controller/git/remote/missing-objects.ts';
import { streamPack } from '../../controller/git/remote/push-pack.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from '../git/bare-repository.ts';
import { NEVER } from './pushing.ts';

async function commit(repository: Repository, files: Readonly<Record<string, string>>, time: Date): Promise<string> {
  for (const [path, text] of Object.entries(files)) repository.stage(path, text);
  return (await repository.commit({ message: 'x', author: AUTHOR, time }))?.id ?? assert.fail('nothing changed');
}

/** The real Git takes a pack, and checks it. */
function indexPack(place: Place, pack: Buffer): void {
  execFileSync('git', ['-C', place.directory, 'index-pack', '--stdin', '--fix-thin', '--strict'], { input: pack });
}

test('commits and consolidations go on while a pack is sent, and it stays whole', async () => {
  for (const canUseOffsets of [true, false]) {
    using place = new Place();
    using remote = new Place();
    execFileSync('git', ['init', '--quiet', '--bare', remote.directory]);
    const now = clock();
    await using repository = await openRepository(place.directory, { autoConsolidate: false });
    for (let k = 0; k < 25; k++) {
      const files = Array.from({ length: 40 }, (_, i) => [`c/${i}.json`, manifest(`c-${i}`, (k % 7) * 100 + i)]);
      const noise = randomBytes(15_000).toString('base64');
      await commit(repository, { ...Object.fromEntries(files), 'noise.json': noise }, now());
      if (k === 12) await repository.consolidate({ full: true });
    }
    const head = repository.head as string;
    const objects = await findMissing(repository.store, [head], []);
    const parts: Buffer[] = [];
    for await (const part of streamPack(repository.store, objects, { canUseOffsets, signal: NEVER })) {
      parts.push(part);
      await repository.consolidate({ full: parts.length % 2 === 0 });
      await commit(repository, { 'only.json': `${parts.length} more\n` }, now());
    }
    assert.ok(parts.length > 3, `${parts.length} parts are too few for anything to go on between them`);
    indexPack(remote, Buffer.concat(parts));
    const sent = remote.lines('rev-list', '--objects', '--no-object-names', head);
    assert.deepEqual(sent.sort(), place.lines('rev-list', '--objects', '--no-object-names', head).sort());
    assert.equal(objects.missing.size, sent.length);
  }
});

test('damaged bytes are never sent', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const head = await commit(repository, { 'a.json': manifest('a', 1), 'b.json': manifest('b', 1) }, new Date(1e12));
  const name = readdirSync(join(place.directory, 'objects/pack')).find((file) => file.endsWith('.pack')) ?? '';
  const file = join(place.directory, 'objects/pack', name);
  const whole = readFileSync(file);
  chmodSync(file, 0o644);
  const objects = await findMissing(repository.store, [head], []);
  for (const at of [14, 100, whole.length - 40]) {
    const broken = Buffer.from(whole);
    broken[at] = (broken[at] as number) ^ 0x10;
    writeFileSync(file, broken);
    await assert.rejects(
      Array.fromAsync(streamPack(repository.store, objects, { canUseOffsets: true, signal: NEVER })),
      { code: 'REPOSITORY_DAMAGED' },
      `byte ${at}`,
    );
  }
});

test('a reader that stops half way leaves nothing open, and one that is aborted is told why', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const files = Array.from({ length: 900 }, (_, i) => [`c/${i}.json`, manifest(`c-${i}`, i)]);
  const head = await commit(repository, Object.fromEntries(files), new Date(1e12));
  const objects = await findMissing(repository.store, [head], []);
  for await (const _part of streamPack(repository.store, objects, { canUseOffsets: true, signal: NEVER })) break;
  const abort = new AbortController();
  const stream = streamPack(repository.store, objects, { canUseOffsets: true, signal: abort.signal });
  await stream.next();
  abort.abort(new Error('enough'));
  await assert.rejects(stream.next(), /^Error: enough$/);
});
