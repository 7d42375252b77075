import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeeperError } from '../../controller/errors.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { openHistory } from '../../controller/history/open-history.ts';
import { tagStates } from '../../controller/history/tags.ts';
import { openRestorePoint } from '../../controller/restore/restore-point.ts';
import { AUTHOR, Place } from '../git/bare-repository.ts';
import { archiveFile, commitAll, commitOf, configMap } from './hand-archive.ts';

const now = new Date('2026-11-21T15:30:00Z');

async function pointAt(place: Place, to: string): Promise<string> {
  await using point = await openRestorePoint(place.directory, to, { now });
  return point.commit;
}

async function refusal(work: Promise<unknown>): Promise<KeeperError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KeeperError, String(error));
  return error;
}

test('a restore point is found by commit, short id, tag, branch and steps back', async () => {
  using place = new Place();
  const ids = await commitAll(place, [
    { files: { 'configmaps/a.json': configMap('a') } },
    { files: { 'configmaps/b.json': configMap('b') } },
  ]);
  const [first, second] = ids as [string, string];
  {
    await using repository = await openRepository(place.directory);
    await repository.tag('good/1.4', { target: first, message: 'fine', tagger: AUTHOR, time: now });
    await repository.tag('pre/restore-1', { target: first, message: 'before', tagger: AUTHOR, time: now });
  }
  place.git('update-ref', 'refs/tags/light', first);
  place.git('update-ref', 'refs/heads/old', first);
  for (const to of ['good/1.4', 'pre/restore-1', 'light', 'old', 'HEAD~1', first, first.slice(0, 7), 'main^'])
    assert.equal(await pointAt(place, to), first, to);
  for (const to of ['HEAD', 'main', 'refs/heads/main']) assert.equal(await pointAt(place, to), second, to);
  await using point = await openRestorePoint(place.directory, 'light');
  assert.deepEqual(point.tags, ['good/1.4', 'light', 'pre/restore-1']);
  assert.deepEqual([point.repository, point.time], ['shop', new Date('2026-11-20T12:00:00Z')]);
  assert.deepEqual(point.file.resources.get('deployments.apps'), 'v1');
});

test('a damaged tag is named with what is missing, and everything else stays a restore point', async () => {
  using place = new Place();
  const [first = ''] = await commitAll(place, [{ files: { 'configmaps/a.json': configMap('a') } }]);
  place.git('update-ref', 'refs/tags/good/fine', first);
  const gone = 'f'.repeat(40);
  const text = `object ${gone}\ntype commit\ntag lost\ntagger a <a@example.com> 1 +0000\n\nx\n`;
  const tag = place.gitInput(text, 'hash-object', '-t', 'tag', '-w', '--literally', '--stdin').toString().trim();
  place.git('update-ref', 'refs/tags/good/lost', tag);
  writeFileSync(join(place.directory, 'refs', 'tags', 'nothing'), `${gone}\n`);
  for (const to of ['HEAD', 'good/fine', first, '2026-11-21']) {
    await using point = await openRestorePoint(place.directory, to, { now });
    assert.deepEqual(point.tags, ['good/fine']);
    assert.deepEqual(
      point.damagedTags.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
      ['good/lost', 'nothing'].map((name) => ({ name, problem: `object ${gone} is missing` })),
    );
  }
  for (const to of ['good/lost', 'nothing', 'good/lost~1']) {
    const { code, message } = await refusal(pointAt(place, to));
    assert.equal(code, 'REPOSITORY_DAMAGED');
    assert.match(message, new RegExp(`"${to.replace('~1', '')}" leads to object f{40}, which is missing; nothing was`));
  }
  using history = await openHistory(place.directory, 'shop');
  assert.deepEqual([history.damagedTags.length, tagStates(history).map(({ name }) => name)], [2, ['good/fine']]);
});

test('a time means the newest commit at or before it, on the archive’s own line', async () => {
  using place = new Place();
  const times = ['2026-11-18T10:00:00Z', '2026-11-20T13:59:59Z', '2026-11-20T14:00:00Z', '2026-11-21T15:00:00Z'];
  const commits = times.map((time, index) => ({
    files: { 'configmaps/a.json': configMap('a', { a: `${index}` }) },
    time,
  }));
  const ids = await commitAll(place, commits);
  // A branch of somebody else, merged later: what it holds was never live at its time.
  const aside = commitOf(place, place.git('rev-parse', `${ids[0]}^{tree}`).trim(), [ids[0] as string]);
  {
    await using repository = await openRepository(place.directory);
    const time = new Date('2026-11-21T15:10:00Z');
    await repository.commit({ message: 'joined', author: AUTHOR, time, mergeParents: [aside] });
  }
  const merged = place.git('rev-parse', 'main').trim();
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['2026-11-20T14:00:00Z', ids[2]],
    ['2026-11-20T13:59:59Z', ids[1]],
    ['2026-11-20T16:30:00+02:30', ids[2]],
    ['2026-11-20T16:29:59+0230', ids[1]],
    ['2026-11-19', ids[0]],
    ['25h ago', ids[2]],
    ['25 hours ago', ids[2]],
    ['30m', ids[3]],
    ['2d', ids[0]],
    ['yesterday', ids[2]],
    ['now', merged],
  ];
  for (const [to, id] of expected) assert.equal(await pointAt(place, to), id, to);
  const early = await refusal(pointAt(place, '2w'));
  assert.match(early.message, /nothing from "2w" \(2026-11-07T15:30:00Z\).*the history begins at 2026-11-18T10:00:00Z/);
  assert.equal(early.code, 'USAGE_INVALID');
});

test('nonsense is answered with the forms of a time and the nearest tags', async () => {
  using place = new Place();
  const [id] = await commitAll(place, [{ files: { 'configmaps/a.json': configMap('a') } }]);
  for (const tag of ['good/monday', 'good/sunday', 'pre/x', 'release'])
    place.git('update-ref', `refs/tags/${tag}`, id as string);
  for (const to of [
    'good/munday',
    '2026-02-30',
    '2026-13-01',
    '25:00',
    '',
    'a\u001b[31mb',
    'deadbeef',
    '../../etc/passwd',
    'x'.repeat(9999),
  ]) {
    const error = await refusal(pointAt(place, to));
    assert.equal(error.code, 'USAGE_INVALID', to);
    assert.ok(!error.message.includes('\u001b') && !error.message.includes('\n'));
    assert.ok(error.message.length < 600);
  }
  assert.match(
    (await refusal(pointAt(place, 'good/munday'))).message,
    /no time such as .*the nearest tags are good\/monday, good\/sunday/,
  );
});

test('what the real git cloned reads the same, packed refs and all', async () => {
  using place = new Place();
  const files = { 'configmaps/a.json': configMap('a'), 'configmaps/system%3Aodd.json': configMap('system:odd') };
  await commitAll(place, [{ files }]);
  place.git('update-ref', 'refs/tags/good/1', 'main');
  const clone = join(place.root, 'elsewhere', 'copy');
  execFileSync('git', ['clone', '-q', '--bare', place.directory, clone]);
  execFileSync('git', ['-C', clone, 'pack-refs', '--all']);
  execFileSync('git', ['-C', clone, 'gc', '-q']);
  await using point = await openRestorePoint(clone, 'good/1');
  assert.deepEqual(
    point.entries.map(({ path, resource, name, version }) => [path, resource, name, version]),
    [
      ['configmaps/a.json', 'configmaps', 'a', 'v1'],
      ['configmaps/system%3Aodd.json', 'configmaps', 'system:odd', 'v1'],
    ],
  );
  assert.equal(point.repository, 'shop');
  const objects = await Promise.all(point.entries.map((entry) => point.read(entry)));
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.name),
    ['a', 'system:odd'],
  );
});

test('files that are not ours are left alone and named', async () => {
  using place = new Place();
  const files = {
    'configmaps/a.json': configMap('a'),
    'README.md': 'hello',
    '.github/workflows/ci.yaml': 'on: push',
    'docs/ä/b.json': '{}',
  };
  await commitAll(place, [{ files: { ...files, 'LIES\u2028MICH': 'x', '.kubekeeper/notes.txt': 'x' } }]);
  await using point = await openRestorePoint(place.directory, 'HEAD');
  assert.deepEqual(
    point.entries.map(({ path }) => path),
    ['configmaps/a.json'],
  );
  assert.deepEqual(point.ignored, ['.github/', 'LIES\\u2028MICH', 'README.md', 'docs/']);
});

test('what the commits know of an object is found at the commit that last saw it change', async () => {
  using place = new Place();
  const trailers = (...lines: string[]) =>
    `seen\n\n${['Archived-From: cluster c', 'Resource-Version: 7', ...lines].join('\n')}\n`;
  const ids = await commitAll(place, [
    {
      files: {
        'services/a.json': '1',
        'services/b.json': '1',
        'persistentvolumeclaims/db.json': '1',
        'configmaps/a.json': configMap('a'),
      },
      message: trailers(
        'Requested: services/a /spec/ports/0/nodePort',
        'Requested: services/b /spec/ports/0/nodePort',
        'Recorded: persistentvolumeclaims/db /spec/volumeName "pvc-1"',
      ),
    },
    {
      files: { 'services/b.json': '2' },
      message: trailers('Requested: services/b /spec/ports/0/nodePort', 'Requested: services/b /spec/ports/1/nodePort'),
    },
    { files: { 'services/a.json': '2' }, message: trailers() },
    // New rules rewrote the file and saw nothing of the object.
    {
      files: { 'services/b.json': '3', '.kubekeeper/archive.json': archiveFile().replace('"1"', '"2"') },
      message: 'rules 1 -> 2\n\nArchived-From: cluster c\n',
    },
    { files: { 'configmaps/a.json': configMap('a', { a: '2' }) }, message: trailers() },
  ]);
  const paths = ['services/a.json', 'services/b.json', 'persistentvolumeclaims/db.json', 'services/none.json'];
  await using point = await openRestorePoint(place.directory, 'HEAD');
  const facts = await point.facts(paths);
  assert.deepEqual(
    [...facts.keys()].sort(),
    [...paths].sort().filter((path) => !path.includes('none')),
  );
  assert.deepEqual(facts.get('services/a.json'), { requested: new Set(), recorded: [] });
  assert.deepEqual(
    facts.get('services/b.json')?.requested,
    new Set(['/spec/ports/0/nodePort', '/spec/ports/1/nodePort']),
  );
  assert.deepEqual(facts.get('persistentvolumeclaims/db.json')?.recorded, ['/spec/volumeName "pvc-1"']);
  await using before = await openRestorePoint(place.directory, ids[1] as string);
  assert.deepEqual((await before.facts(paths)).get('services/a.json')?.requested, new Set(['/spec/ports/0/nodePort']));
});
