import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { blobId } from '../../controller/git/object-id.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';
import { deltaOf, type HandEntry, inPieces, packOf, sealed } from './pack-bytes.ts';

/** Another repository with history, from which Git makes packs. */
async function withHistory(commits = 30): Promise<{ place: Place; head: string; root: string }> {
  const place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  const ids: string[] = [];
  for (let k = 0; k < commits; k++) {
    for (let i = 0; i < 30; i++)
      if (k === 0 || i === k % 30) repository.stage(`deployments.apps/web-${i}.json`, manifest(`web-${i}`, k));
    ids.push((await repository.commit({ message: `${k}`, author: AUTHOR, time: now() }))?.id as string);
  }
  const head = ids.at(-1) as string;
  await repository.tag('good/1', { target: head, message: 'good', tagger: AUTHOR, time: now() });
  return { place, head, root: ids[0] as string };
}

function packAll(place: Place, ...options: string[]): Buffer {
  return place.gitInput('', 'pack-objects', '--all', '--stdout', '--quiet', ...options);
}

function packFiles(place: Place): string[] {
  return readdirSync(join(place.directory, 'objects', 'pack')).sort();
}

const KINDS: Record<string, string[]> = {
  'offset deltas': ['--delta-base-offset', '--window=50'],
  'deltas by id': ['--window=50'],
  'chains of 200 deltas': ['--delta-base-offset', '--window=250', '--depth=200', '--no-reuse-delta'],
  'no deltas': ['--window=0'],
  'stored objects': ['--delta-base-offset', '--compression=0'],
};

for (const [kind, options] of Object.entries(KINDS)) {
  test(`a pack with ${kind} is taken byte for byte, with the index that Git would make`, async () => {
    const { place: source, head } = await withHistory(kind.startsWith('chains') ? 260 : 30);
    using _ = source;
    const pack = packAll(source, ...options);
    for (const sizes of kind === 'offset deltas' ? [[], [1], [4096]] : [[1, 70_000, 3]]) {
      using place = new Place();
      await using repository = await openRepository(place.directory);
      const received = await repository.receivePack(inPieces(pack, ...sizes));
      assert.equal(received.bytes, pack.length);
      assert.equal(received.objects, source.lines('rev-list', '--all', '--objects').length);
      const path = join(place.directory, 'objects', 'pack', received.name);
      assert.deepEqual(readFileSync(`${path}.pack`), pack);
      const own = join(place.root, 'own.idx');
      writeFileSync(join(place.root, 'own.pack'), pack);
      place.git('index-pack', '-o', own, join(place.root, 'own.pack'));
      assert.deepEqual(readFileSync(`${path}.idx`), readFileSync(own));
      await repository.fastForward(head);
      assert.deepEqual([...repository.files()].length, 30);
      place.fsck();
      await repository.consolidate({ full: true });
      place.fsck();
      assert.deepEqual(place.lines('rev-list', 'main'), source.lines('rev-list', 'main'));
    }
  });
}

test('an empty pack is taken, and nothing is written', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const pack = packOf([]);
  assert.deepEqual(await repository.receivePack(inPieces(pack)), { name: '', objects: 0, bytes: 32 });
  assert.deepEqual(packFiles(place), []);
});

test('large objects of every kind are taken', async () => {
  using source = new Place();
  await using writer = await openRepository(source.directory);
  for (let i = 0; i < 30_000; i++) writer.stage(`many/${i}.json`, `${i % 7}`);
  writer.stage('noise.bin', randomBytes(5 * 1024 * 1024));
  writer.stage('noise-2.bin', Buffer.concat([randomBytes(1024 * 1024), Buffer.alloc(3 * 1024 * 1024)]));
  writer.stage('zeros.bin', Buffer.alloc(20 * 1024 * 1024));
  const first = await writer.commit({ message: 'x'.repeat(2_000_000), author: AUTHOR, time: new Date(0) });
  writer.stage('many/1.json', 'changed');
  writer.stage('zeros.bin', Buffer.alloc(20 * 1024 * 1024 + 5));
  const second = await writer.commit({ message: 'second', author: AUTHOR, time: new Date(0) });
  for (const options of [['--delta-base-offset'], ['--compression=0', '--window=0']]) {
    using place = new Place();
    await using repository = await openRepository(place.directory);
    await repository.receivePack(inPieces(packAll(source, ...options), 65_536));
    await repository.fastForward(second?.id as string);
    assert.equal(repository.fileCount, 30_003);
    place.fsck();
    assert.equal(place.lines('rev-list', 'main').at(-1), first?.id);
  }
});

const NOTE = Buffer.from('a blob of some length to build upon\n');
const blob: HandEntry = { type: 'blob', content: NOTE };
const copyAll = Buffer.from([0x90, NOTE.length]);
const delta = (target: number, ...instructions: Buffer[]): HandEntry => ({
  type: 'offsetDelta',
  content: deltaOf(NOTE.length, target, ...instructions),
  base: 0,
});
const insert = (text: string): Buffer => Buffer.from([text.length, ...Buffer.from(text)]);
/** Four megabytes that would become seventy-two. */
const MANY_COPIES = Buffer.alloc(4_000_000, copyAll);

const MALFORMED: [string, RegExp, () => Buffer][] = [
  ['nothing', /ends inside its header/, () => Buffer.alloc(0)],
  ['something else', /no pack of version 2/, () => Buffer.from('<html>Not Found</html> and more')],
  ['another version', /no pack of version 2/, () => sealed(Buffer.from('5041434b0000000300000000', 'hex'))],
  ['a cut stream', /unexpected end of file|ends inside|out of range/, () => packOf([blob, blob]).subarray(0, -40)],
  ['a cut trailer', /checksum/, () => packOf([blob]).subarray(0, -1)],
  ['bytes behind the trailer', /checksum/, () => Buffer.concat([packOf([blob]), Buffer.from('x')])],
  ['another checksum', /checksum/, () => Buffer.concat([packOf([blob]).subarray(0, -20), Buffer.alloc(20)])],
  ['more entries announced than sent', /is malformed/, () => packOf([blob], 2)],
  ['fewer entries announced than sent', /checksum/, () => packOf([blob, delta(NOTE.length, copyAll)], 1)],
  ['four billion entries announced', /is malformed/, () => packOf([blob], 0xffffffff)],
  ['the same object twice', /twice/, () => packOf([blob, blob])],
  ['the same object twice, once as a delta', /twice/, () => packOf([blob, delta(NOTE.length, copyAll)])],
  ['an entry longer than it says', /larger than|another size/, () => packOf([{ ...blob, size: 5 }])],
  ['an entry shorter than it says', /another size/, () => packOf([{ ...blob, size: 500 }])],
  ['a large entry shorter than it says', /another size/, () => packOf([{ ...blob, size: 5_000_000 }])],
  [
    'a large entry longer than it says',
    /another size/,
    () => packOf([{ type: 'blob', content: Buffer.alloc(9_000_000), size: 5_000_000 }]),
  ],
  [
    'a large entry that is no zlib stream',
    /incorrect|invalid|another size/,
    () => brokenAt(packOf([{ type: 'blob', content: Buffer.alloc(9_000_000) }]), 17),
  ],
  [
    'a large entry of nothing but empty blocks',
    /far more bytes/,
    () => {
      const start = packOf([{ ...blob, size: 2_000_000 }]).subarray(0, 18);
      return sealed(Buffer.concat([start, Buffer.alloc(5_000_000, Buffer.from('000000ffff', 'hex'))]));
    },
  ],
  ['an object beyond every bound', /100000000 bytes/, () => packOf([{ ...blob, size: 100_000_000 }])],
  [
    'a delta that makes an object beyond every bound',
    /object of 72000000 bytes/,
    () => packOf([blob, delta(NOTE.length * 2_000_000, MANY_COPIES)]),
  ],
  [
    'a delta whose base is elsewhere',
    /no base in the pack/,
    () =>
      packOf([{ type: 'referenceDelta', content: deltaOf(NOTE.length, NOTE.length, copyAll), baseId: blobId(NOTE) }]),
  ],
  [
    'a delta whose base begins nowhere',
    /where no entry begins/,
    () => packOf([blob, { ...delta(NOTE.length, copyAll), distance: 3 }]),
  ],
  [
    'a delta before the pack',
    /where no entry begins/,
    () => packOf([blob, { ...delta(NOTE.length, copyAll), distance: 5000 }]),
  ],
  ['a delta of itself', /where no entry begins/, () => packOf([blob, { ...delta(NOTE.length, copyAll), distance: 0 }])],
  [
    'a delta for another base',
    /another base/,
    () => packOf([blob, { ...delta(3), content: deltaOf(3, 3, insert('abc')) }]),
  ],
  ['a delta that reaches too far', /too far/, () => packOf([blob, delta(10, Buffer.from([0x91, 200, 10]))])],
  ['a delta that is too short', /too short/, () => packOf([blob, delta(10, insert('abc'))])],
  ['a delta with a reserved instruction', /reserved/, () => packOf([blob, delta(10, Buffer.from([0]))])],
  [
    'two deltas of each other',
    /no base in the pack/,
    () =>
      packOf([
        { type: 'referenceDelta', content: deltaOf(3, 3, insert('abc')), baseId: blobId('abd') },
        { type: 'referenceDelta', content: deltaOf(3, 3, insert('abd')), baseId: blobId('abc') },
      ]),
  ],
  [
    'a chain of 300 deltas',
    /longer than 250/,
    () =>
      packOf([
        blob,
        ...Array.from({ length: 300 }, (_, k) => ({
          ...delta(0),
          content: deltaOf(k === 0 ? NOTE.length : 4, 4, insert(`${1000 + k}`)),
          base: k,
        })),
      ]),
  ],
  [
    'a commit that Git would refuse',
    /commit whose header Git refuses/,
    () => packOf([{ type: 'commit', content: Buffer.from('tree nothing\n\n') }]),
  ],
  [
    'a tree that leads out of the repository',
    /has an entry/,
    () => packOf([{ type: 'tree', content: Buffer.concat([Buffer.from('40000 .git\0'), Buffer.alloc(20, 1)]) }]),
  ],
  [
    'an entry of no type',
    /of the type 5/,
    () => sealed(Buffer.concat([packOf([], 1).subarray(0, 12), Buffer.from([0x50, 0x78, 0x9c, 3, 0, 0, 0, 0, 1])])),
  ],
];

function brokenAt(pack: Buffer, at: number): Buffer {
  const body = Buffer.from(pack.subarray(0, -20));
  body.writeUInt8((body[at] as number) ^ 0xff, at);
  return sealed(body);
}

for (const [what, said, make] of MALFORMED) {
  test(`a pack with ${what} is refused in words, and nothing of it stays`, async () => {
    using place = new Place();
    await using repository = await openRepository(place.directory);
    await assert.rejects(
      repository.receivePack(inPieces(make(), 1000)),
      (error: Error & { code?: string; kind?: string }) => {
        assert.equal(error.code, 'PACK_INVALID', `${error.stack}`);
        assert.equal(error.kind, 'transient');
        assert.match(error.message, said);
        assert.match(error.message, /^[^\n]*$/);
        return true;
      },
    );
    assert.deepEqual(packFiles(place), []);
    assert.equal(repository.store.packs.length, 0);
  });
}

test('whatever is changed in a pack, it is refused without a trace, or what was taken is sound', async () => {
  const { place: source } = await withHistory(6);
  using _ = source;
  const pack = packAll(source, '--delta-base-offset', '--window=50');
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const before = packFiles(place);
  let refused = 0;
  const spot = fc.nat(pack.length - 21);
  const change = fc.oneof(
    fc.record({ do: fc.constant('flip' as const), at: spot, bits: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ do: fc.constant('cut' as const), at: spot, bits: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant('double' as const), at: spot, bits: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant('end' as const), at: spot, bits: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), async (changes, isSealed) => {
      let body = Buffer.from(pack.subarray(0, -20));
      for (const { do: what, at, bits } of changes) {
        if (at >= body.length) continue;
        if (what === 'flip') body.writeUInt8((body[at] as number) ^ bits, at);
        else if (what === 'cut') body = Buffer.concat([body.subarray(0, at), body.subarray(at + bits)]);
        else if (what === 'double') body = Buffer.concat([body.subarray(0, at + bits), body.subarray(at)]);
        else body = body.subarray(0, at);
      }
      const changed = isSealed ? sealed(body) : Buffer.concat([body, pack.subarray(-20)]);
      const outcome = await repository.receivePack(inPieces(changed, 777)).then(
        () => undefined,
        (error: Error & { code?: string }) => error,
      );
      if (outcome === undefined) return;
      refused += 1;
      assert.equal(outcome.code, 'PACK_INVALID', outcome.stack);
      if (refused % 50 === 1)
        assert.deepEqual(
          packFiles(place).filter((name) => !/^pack-.*\.(pack|idx|keep)$/.test(name)),
          before,
        );
    }),
    { numRuns: 600 },
  );
  assert.ok(refused > 400, `${refused} were refused`);
  assert.equal(packFiles(place).length, 3 * repository.store.packs.length);
  place.git('fsck', '--strict', '--no-dangling');
});

test('a pack of a hundred megabytes needs less than 64 MiB besides its index', async (t) => {
  using place = new Place();
  const entries: HandEntry[] = [];
  for (let k = 0; k < 3000; k++) {
    const content = randomBytes(32_000);
    const base = entries.push({ type: 'blob', content }) - 1;
    for (let j = 1; j <= 3; j++) {
      const first = deltaOf(content.length, 6, insert(`${100_000 + 3 * k + j}`));
      entries.push({ type: 'offsetDelta', content: first, base });
    }
  }
  const pack = packOf(entries, entries.length, 0);
  assert.ok(pack.length > 96_000_000);
  writeFileSync(join(place.root, 'big.pack'), pack);
  const child = fileURLToPath(import.meta.resolve('./receiving-child.ts'));
  const said = execFileSync(process.execPath, ['--expose-gc', child, place.directory, join(place.root, 'big.pack')]);
  const { objects, bytes, resident } = JSON.parse(said.toString());
  t.diagnostic(`${Math.round(bytes / 2 ** 20)} MiB, and ${Math.round(resident / 2 ** 20)} MiB resident at most`);
  assert.equal(objects, entries.length);
  assert.ok(bytes < 64 * 2 ** 20, `${bytes} bytes`);
  assert.ok(resident < 300 * 2 ** 20, `${resident} bytes`);
  place.git('fsck', '--strict', '--no-dangling');
});

test('what the source throws is passed on as it is, and nothing stays', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const pack = packOf([blob]);
  const cut = new Error('the connection was cut');
  async function* cutOff(): AsyncGenerator<Uint8Array> {
    yield pack.subarray(0, 20);
    throw cut;
  }
  await assert.rejects(repository.receivePack(cutOff()), (error) => error === cut);
  let isClosed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('PUCK and so on');
    } finally {
      isClosed = true;
    }
  }
  await assert.rejects(repository.receivePack(endless()), { code: 'PACK_INVALID' });
  assert.ok(isClosed, 'the source is told');
  assert.deepEqual(packFiles(place), []);
});

test('receiving ends when it is asked to, or the repository is closed, also where the work begins after the last byte', async () => {
  const { place: source } = await withHistory(60);
  using _ = source;
  const pack = packAll(source, '--delta-base-offset', '--window=50');
  for (const isClosed of [true, false]) {
    using place = new Place();
    const repository = await openRepository(place.directory);
    const asked = new AbortController();
    let closing: Promise<void> | undefined;
    async function* untilLast(): AsyncGenerator<Uint8Array> {
      yield* inPieces(pack, 4096);
      if (isClosed) closing = repository[Symbol.asyncDispose]();
      else asked.abort(new Error('enough'));
    }
    const receiving = repository.receivePack(untilLast(), asked.signal);
    await assert.rejects(receiving, isClosed ? { name: 'AbortError' } : { message: 'enough' });
    await (closing ?? repository[Symbol.asyncDispose]());
    assert.deepEqual(packFiles(place), []);
  }
});
