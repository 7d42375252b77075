import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderJson } from '../../controller/core/json.ts';
import type { Json, JsonObject } from '../../controller/core/object.ts';
import { exitCodeOf, KeeperError } from '../../controller/errors.ts';
import { objectId } from '../../controller/git/object-id.ts';
import { PackIndexBuilder } from '../../controller/git/pack-index.ts';
import { openRestorePoint } from '../../controller/restore/restore-point.ts';
import { keeper } from '../flows/keeper.ts';
import { Place } from '../git/bare-repository.ts';
import { deltaOf, type HandEntry as PackEntry, packOf } from '../git/pack-bytes.ts';
import { archiveFile, blobOf, commitOf, configMap, type HandEntry, plant, treeOf } from './hand-archive.ts';

/** A repository that somebody made to deceive is refused in one line, and nothing of it is used. */

async function readAll(place: Place): Promise<readonly Json[]> {
  await using point = await openRestorePoint(place.directory, 'HEAD');
  return await Promise.all(point.entries.map((entry) => point.read(entry)));
}

async function refuse(place: Place, expected: RegExp, code = 'REPOSITORY_HOSTILE'): Promise<void> {
  const error = await readAll(place).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeeperError, `was not refused: ${expected} ${error}`);
  assert.match(error.message, expected);
  assert.equal(error.code, code, error.message);
  assert.equal(exitCodeOf(error), 4);
  assert.ok(!/[\p{Cc}\u202e]/u.test(error.message), 'one line without control characters');
}

async function refuseTree(
  expected: RegExp,
  entries: (place: Place) => readonly HandEntry[],
  top: (place: Place) => readonly HandEntry[] = () => [],
): Promise<void> {
  using place = new Place();
  await plant(place, [], [], archiveFile());
  await plant(place, entries(place), top(place));
  await refuse(place, expected);
}

async function refuseText(expected: RegExp, text: string | Buffer, name = 'a.json'): Promise<void> {
  await refuseTree(expected, (place) => [{ name, id: blobOf(place, text) }]);
}

const plain = (place: Place) => blobOf(place, configMap('a'));

test('links, submodules and executable files are refused wherever they lie', async () => {
  for (const [mode, what] of [
    ['120000', /a symbolic link/],
    ['160000', /a submodule/],
    ['100755', /an executable file/],
    ['100664', /the mode "100664"/],
    ['40000', /is no path of a manifest/],
  ] as const) {
    const id = (place: Place) => (mode === '40000' ? treeOf(place, []) : plain(place));
    await refuseTree(what, (place) => [{ mode, name: 'a.json', id: id(place) }]);
    if (mode !== '40000')
      await refuseTree(
        what,
        () => [],
        (place) => [{ mode, name: 'zone', id: id(place) }],
      );
  }
});

test('a path that leads elsewhere or is no manifest’s is refused', async () => {
  const names: readonly (readonly [string | Buffer, RegExp])[] = [
    ['..', /has an entry \\"..\\"|has an entry ".."/],
    ['.git', /has an entry "\.git"/],
    ['.GIT ', /has an entry/],
    ['git~1', /has an entry/],
    ['a/b.json', /has a path for a name/],
    ['', /an entry without a name/],
    ['..\\x.json', /no path that Kubernetes or Git needs/],
    ['a\nb.json', /no path that Kubernetes or Git needs/],
    ['a\u202eb.json', /is no path of a manifest/],
    ['..%2F..%2Fsecrets%2Fx.json', /is no path of a manifest/],
    ['%2E%2E.json', /is no path of a manifest/],
    ['...json', /is no path of a manifest/],
    ['a%00.json', /is no path of a manifest/],
    ['a%ff.json', /is no path of a manifest/],
    ['a%FF.json', /is no path of a manifest/],
    ['%61.json', /is no path of a manifest/],
    ['a.yaml', /is no path of a manifest/],
    ['a b.json', /is no path of a manifest/],
    ['a~1.json', /is no path of a manifest/],
    ['.json', /is no path of a manifest/],
    [Buffer.from([0xff, 0x2e, 0x6a, 0x73, 0x6f, 0x6e]), /is no path of a manifest/],
  ];
  for (const [name, expected] of names) await refuseTree(expected, (place) => [{ name, id: plain(place) }]);
  await refuseTree(
    /no path that Kubernetes/,
    () => [],
    (place) => [{ name: 'x\\y', id: plain(place) }],
  );
});

test('a directory out of order, or that names an entry twice, is refused', async () => {
  await refuseTree(/out of order/, (place) => [
    { name: 'b.json', id: plain(place) },
    { name: 'a.json', id: plain(place) },
  ]);
  await refuseTree(/out of order/, (place) => [
    { name: 'a.json', id: plain(place) },
    { name: 'a.json', id: plain(place) },
  ]);
  await refuseTree(/names an entry twice/, (place) => [
    { name: 'a', id: plain(place) },
    { name: 'a.json', id: plain(place) },
    { name: 'a', mode: '40000', id: treeOf(place, []) },
  ]);
});

test('names that differ in case only are different objects', async () => {
  using place = new Place();
  await plant(place, []);
  const entries = ['A', 'a'].map((name) => ({ name: `${name}.json`, id: blobOf(place, configMap(name)) }));
  await plant(place, entries);
  assert.equal((await readAll(place)).length, 2);
});

test('a manifest that is another object than its path says is refused', async () => {
  const object = JSON.parse(configMap('a')) as JsonObject;
  const { metadata } = object as { metadata: JsonObject };
  const changed: readonly (readonly [Json, RegExp])[] = [
    [{ ...object, kind: 'Secret' }, /configmaps\/a\.json has the kind "Secret"/],
    [{ ...object, kind: 'Config\nMap' }, /has the kind "Config\\nMap"/],
    [{ ...object, kind: null }, /has the kind ""/],
    [{ ...object, apiVersion: 'apps/v1' }, /has the apiVersion "apps\/v1"/],
    [{ ...object, apiVersion: '../v1' }, /has the apiVersion/],
    [{ ...object, metadata: { ...metadata, name: 'b' } }, /names the object "b"/],
    [{ ...object, metadata: { ...metadata, name: 7 } }, /names the object ""/],
    [{ ...object, metadata: { ...metadata, namespace: 'kube-system' } }, /is of the namespace "kube-system"/],
    [{ ...object, metadata: { name: 'a' } }, /is of the namespace ""/],
    [{ ...object, metadata: { ...metadata, namespace: ['shop'] } }, /a namespace that is no text/],
    [{ ...object, metadata: 'a' }, /is no manifest/],
    [[object], /is no manifest/],
    [null, /is no manifest/],
  ];
  for (const [json, expected] of changed) await refuseText(expected, renderJson(json));
});

test('text that is no JSON, or JSON that readers could see differently, is refused', async () => {
  const deep = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"},"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  const texts: readonly (readonly [string | Buffer, RegExp])[] = [
    ['canary: yaml', /configmaps\/a\.json is no JSON/],
    ['', /is no JSON/],
    [`\ufeff${configMap('a')}`, /is no JSON/],
    [Buffer.from([0x7b, 0xff, 0x7d]), /is no UTF-8/],
    [deep, /nests deeper than 128/],
    ['{"a": {'.repeat(100), /nests deeper than 128/],
    ['{"kind": "ConfigMap", "kind": "Secret"}', /names the key "kind" twice/],
    ['{"a": [{"b": 1, "c": {}, "\\u0062" : 2}]}', /names the key "b" twice/],
  ];
  for (const [text, expected] of texts) await refuseText(expected, text);
});

test('keys that other programs trip over are plain keys', async () => {
  using place = new Place();
  await plant(place, []);
  const text = configMap(
    'a',
    JSON.parse('{"__proto__": "x", "constructor": "y", "b": "{\\"b\\": 1, \\"b\\": 2}\\\\"}'),
  );
  await plant(place, [{ name: 'a.json', id: blobOf(place, text) }]);
  const [object] = await readAll(place);
  assert.equal(renderJson(object as Json), text);
  assert.equal(({} as { x?: string }).x, undefined);
});

test('an archive file that is missing, foreign or crooked is refused', async () => {
  using place = new Place();
  const odd: readonly (readonly [string, RegExp, string?])[] = [
    [archiveFile('../../etc'), /names the namespace/],
    [archiveFile().replace('"configmaps"', '"../secrets"'), /names the resource/],
    [archiveFile().replace('"configmaps": "v1"', '"configmaps": "../v1"'), /names the resource/],
    ['[]', /not one that kubekeeper wrote/, 'REPOSITORY_DAMAGED'],
  ];
  for (const [file, expected, code] of odd) {
    await plant(place, [], [], file);
    await refuse(place, expected, code);
  }
  place.git('update-ref', 'refs/heads/main', commitOf(place, treeOf(place, [])));
  await refuse(place, /has no \.kubekeeper\/archive\.json/);
});

test('what would fill the memory is refused before it does', async () => {
  using place = new Place();
  await plant(place, []);
  const zeros = Buffer.alloc(80 * 1024 * 1024);
  const before = process.memoryUsage().rss;
  await plant(place, [{ name: 'a.json', id: blobOf(place, zeros.subarray(0, 9 * 1024 * 1024)) }]);
  await refuse(place, /blob [0-9a-f]{40} has 9437184 bytes/);
  // Loose, then in a pack.
  await plant(place, [{ name: 'a.json', id: blobOf(place, zeros) }]);
  await refuse(place, /objects\/[0-9a-f]{2}\/[0-9a-f]{38} has more than 67108864 bytes/);
  place.git('repack', '-adq');
  await refuse(place, /object of 83886080 bytes/);
  assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024);
});

test('more files than any namespace has, and commits without an end, are refused at once', async () => {
  using place = new Place();
  await plant(place, []);
  const id = plain(place);
  const many = Array.from({ length: 200_001 }, (_, index) => ({ name: `${String(index).padStart(6, '0')}.json`, id }));
  await plant(place, many);
  await refuse(place, /has more than 200000 files/);
  const tree = treeOf(place, []);
  const who = 'a <a@example.com> 1795089600 +0000';
  const head = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n`;
  const write = (text: string) =>
    place.gitInput(text, 'hash-object', '-t', 'commit', '-w', '--stdin', '--literally').toString().trim();
  place.git('update-ref', 'refs/heads/main', write(`${head}${'a\n'.repeat(4_000_000)}\n`));
  await refuse(place, /too large to be looked at/);
  await plant(place, [{ name: 'a.json', id }]);
  const good = place.git('rev-parse', 'main^{tree}').trim();
  place.git('update-ref', 'refs/heads/main', write(`${head.replace(tree, good)}\n${'\n'.repeat(8_000_000)}x\n`));
  await using point = await openRestorePoint(place.directory, 'HEAD');
  await assert.rejects(point.facts(['configmaps/a.json']), { code: 'REPOSITORY_HOSTILE' });
});

test('an index whose rows lead astray is refused', async () => {
  using place = new Place();
  const own = 'ab'.repeat(20);
  await plant(place, [{ name: 'a.json', id: own }]);
  const entries: PackEntry[] = [{ type: 'blob', content: Buffer.from(configMap('a')) }];
  const index = plantPack(place, packOf(entries), own, entries);
  const crooked = Buffer.from(readFileSync(index));
  // The first table: how many ids begin with a byte or a smaller one.
  crooked.writeUInt32BE(0x7fffffff, 8 + 4 * 0xab);
  createHash('sha1')
    .update(crooked.subarray(0, -20))
    .digest()
    .copy(crooked, crooked.length - 20);
  writeFileSync(index, crooked);
  await refuse(place, /\.idx has/);
});

test('directories within directories without an end are not walked', async () => {
  using place = new Place();
  await plant(place, []);
  let tree = treeOf(place, [{ name: 'a.json', id: plain(place) }]);
  for (let depth = 0; depth < 30; depth++) {
    tree = treeOf(
      place,
      Array.from({ length: 10 }, (_, index) => ({ mode: '40000', name: `${index}`, id: tree })),
    );
  }
  await plant(place, [{ name: 'a.json', id: plain(place) }], [{ mode: '40000', name: 'docs', id: tree }]);
  assert.equal((await readAll(place)).length, 1);
  await refuseTree(/is no path of a manifest/, () => [{ mode: '40000', name: 'deep', id: treeOf(place, []) }]);
});

test('chains of deltas that blow up, or never end, are refused', async () => {
  // Copies the whole base sixteen times, again and again.
  const doubling = (entries: PackEntry[], size: number): number => {
    const copy = Buffer.from([0x80 | 0x70, size & 255, (size >> 8) & 255, (size >> 16) & 255]);
    entries.push({
      type: 'offsetDelta',
      base: entries.length - 1,
      content: deltaOf(size, size * 16, ...Array.from({ length: 16 }, () => copy)),
    });
    return size * 16;
  };
  const bomb: PackEntry[] = [{ type: 'blob', content: Buffer.alloc(4096, 0x20) }];
  let size = 4096;
  while (size < 0xffffff) size = doubling(bomb, size);
  doubling(bomb, size);
  const content = Buffer.alloc(1, 0x20);
  const own = 'ab'.repeat(20);
  const circle: PackEntry[] = [{ type: 'referenceDelta', baseId: own, content: deltaOf(1, 1, Buffer.from([0x90, 1])) }];
  for (const [entries, expected, code] of [
    [bomb, /broken delta/, 'REPOSITORY_DAMAGED'],
    [circle, /deltas without an end/, 'REPOSITORY_HOSTILE'],
  ] as const) {
    using place = new Place();
    await plant(place, [{ name: 'a.json', id: own }]);
    plantPack(place, packOf(entries), own, entries);
    await refuse(place, expected, code);
  }
  assert.equal(content.length, 1);
});

test('an object that is not what its name says is never used', async () => {
  using place = new Place();
  const own = objectId('blob', Buffer.from(configMap('a')));
  await plant(place, [{ name: 'a.json', id: own }]);
  const other: PackEntry[] = [
    { type: 'blob', content: Buffer.from(configMap('a', { evil: randomBytes(4).toString('hex') })) },
  ];
  plantPack(place, packOf(other), own, other);
  await refuse(place, /is not what its name says/, 'REPOSITORY_DAMAGED');
});

/** A pack with an index that says that its last entry is `id`. */
function plantPack(place: Place, pack: Buffer, id: string, entries: readonly PackEntry[]): string {
  const trailer = pack.subarray(-20);
  const before = entries.length === 1 ? 12 : packOf(entries.slice(0, -1)).length - 20;
  const index = new PackIndexBuilder(1);
  index.add(id, 0, before);
  const base = join(place.directory, 'objects/pack', `pack-${trailer.toString('hex')}`);
  writeFileSync(`${base}.pack`, pack);
  writeFileSync(`${base}.idx`, index.finish(trailer));
  return `${base}.idx`;
}

test('the command line says it in one line, with exit code 4, and writes nothing', async () => {
  using place = new Place();
  await plant(place, []);
  await plant(place, [{ mode: '120000', name: 'a.json', id: blobOf(place, '/etc/passwd') }]);
  const file = join(place.root, 'out.yaml');
  const ended = await keeper(['export', 'shop', '--from', place.directory, '--output-file', file]);
  assert.match(
    ended.stderr,
    /^error: Repository ".*" is not one to restore from: configmaps\/a\.json is a symbolic link; .*\n$/,
  );
  assert.equal(ended.code, 4);
  assert.ok(!existsSync(file) && !existsSync(`${file}.part`));
});

test('a directory that is no bare repository is told apart', async () => {
  using place = new Place();
  const ended = await keeper(['export', 'shop', '--from', place.root]);
  assert.match(ended.stderr, /is no bare Git repository; nothing was changed/);
  assert.equal(ended.code, 2);
});
