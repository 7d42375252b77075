import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

const WHO = ['-c', 'user.name=x', '-c', 'user.email=x@example.com'];

async function commitMany(repository: Repository, count: number, now: () => Date): Promise<string[]> {
  const ids: string[] = [];
  for (let k = 0; k < count; k++) {
    repository.stage('a.json', manifest('a', k));
    ids.push((await repository.commit({ message: `${k}`, author: AUTHOR, time: now() }))?.id as string);
  }
  return ids;
}

/** As text of `git notes list`: what is noted, with the blob. */
function notedIn(place: Place): Map<string, string> {
  return new Map(
    place.lines('notes', '--ref=data', 'list').map((line) => line.split(' ').reverse() as [string, string]),
  );
}

test('a note of ours is the note that git notes shows, set anew it replaces the old one, and its history is kept', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  const [first, second] = (await commitMany(repository, 2, now)) as [string, string];
  assert.equal(repository.readNote(first), undefined);
  const one = await repository.note(first, 'snapshot: pending\n', { author: AUTHOR, time: now() });
  const two = await repository.note(second, 'é\n\n  as given', { author: AUTHOR, time: now() });
  const three = await repository.note(first, 'snapshot: ready\n', { author: AUTHOR, time: now() });
  assert.equal(place.git('notes', '--ref=data', 'show', first), 'snapshot: ready\n');
  assert.equal(place.git('notes', '--ref=data', 'show', second), 'é\n\n  as given');
  assert.match(place.git('log', '--notes=data', '-1', first), /Notes \(data\):\n +snapshot: ready\n/);
  assert.deepEqual(place.lines('rev-list', 'refs/notes/data'), [three, two, one]);
  assert.equal(await repository.note(first, 'snapshot: ready\n', { author: AUTHOR, time: now() }), three, 'no change');
  assert.equal(repository.readNote(first), 'snapshot: ready\n');
  assert.equal(repository.readNote(second), 'é\n\n  as given');
  await assert.rejects(repository.note('1'.repeat(40), 'x', { author: AUTHOR, time: now() }), {
    code: 'REQUEST_REFUSED',
  });
  place.fsck();
});

test('a thousand notes fan out as Git would look for them, whoever wrote which, at any depth', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  const [commit] = (await commitMany(repository, 1, now)) as [string];
  const expected = new Map<string, string>();
  const note = async (target: string, text: string) => {
    await repository.note(target, text, { author: AUTHOR, time: now() });
    expected.set(target, text);
  };
  // What is noted need not be a commit: a thousand blobs are made faster.
  repository.stage('many/0.json', '0');
  for (let k = 0; k < 1000; k++) repository.stage(`many/${k}.json`, `many ${k}`);
  await repository.commit({ message: 'many', author: AUTHOR, time: now() });
  const targets = [...repository.files('many')].map(({ id }) => id);
  for (const target of targets.slice(0, 300)) await note(target, `ours ${target}\n`);
  assert.ok(place.lines('ls-tree', 'refs/notes/data').every((line) => / tree [0-9a-f]{40}\t[0-9a-f]{2}$/.test(line)));
  compare();
  // Git spreads them as it likes when it adds one, and ours are read and written there.
  for (const target of targets.slice(300, 310)) {
    place.git(...WHO, 'notes', '--ref=data', 'add', '-m', `theirs ${target}`, target);
    expected.set(target, `theirs ${target}\n`);
  }
  compare();
  for (const target of targets.slice(305, 600)) await note(target, `ours again ${target}\n`);
  for (const target of targets.slice(0, 20)) await note(target, `changed ${target}\n`);
  place.git(...WHO, 'notes', '--ref=data', 'add', '-m', 'theirs', commit);
  expected.set(commit, 'theirs\n');
  compare();
  nestDeeper(place);
  compare();
  for (const target of targets.slice(590, 620)) await note(target, `deep ${target}\n`);
  compare();
  place.fsck();

  function compare(): void {
    const noted = notedIn(place);
    assert.deepEqual([...noted.keys()].sort(), [...expected.keys()].sort());
    const blobs = new Map<string, string>();
    for (const [target, blob] of noted) blobs.set(target, repository.store.readAs('blob', blob).toString());
    assert.deepEqual([...blobs].sort(), [...expected].sort());
    for (const [target, text] of expected) assert.equal(repository.readNote(target), text);
  }
});

/** Writes the tree of notes anew with two digits cut off twice, as Git does when there are tens of thousands. */
function nestDeeper(place: Place): void {
  const index = { GIT_INDEX_FILE: `${place.root}/index` };
  const lines = place
    .lines('ls-tree', '-r', 'refs/notes/data')
    .map((line) => /^100644 blob ([0-9a-f]{40})\t(.*)$/.exec(line) as RegExpExecArray)
    .map(([, blob, path]) => {
      const id = (path as string).replaceAll('/', '');
      return `100644 ${blob}\t${id.slice(0, 2)}/${id.slice(2, 4)}/${id.slice(4)}`;
    });
  Object.assign(process.env, index);
  try {
    place.gitInput(`${lines.join('\n')}\n`, 'update-index', '--index-info');
    const tree = place.git('write-tree').trim();
    const commit = place.git(...WHO, 'commit-tree', '-m', 'deeper', '-p', 'refs/notes/data', tree).trim();
    place.git('update-ref', 'refs/notes/data', commit);
  } finally {
    delete process.env['GIT_INDEX_FILE'];
  }
}
