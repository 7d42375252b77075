import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRefName } from '../../controller/git/ref-name.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, Place } from './bare-repository.ts';

/** Three commits, oldest first. */
async function commitThree(repository: Repository): Promise<[string, string, string]> {
  const now = clock();
  const ids: string[] = [];
  for (let k = 0; k < 3; k++) {
    repository.stage('a.json', `${k}`);
    ids.push((await repository.commit({ message: `${k}`, author: AUTHOR, time: now() }))?.id ?? '');
  }
  return ids as [string, string, string];
}

function refsOf(place: Place): Map<string, string> {
  const lines = place.lines('for-each-ref', '--format=%(refname) %(objectname)');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

test('a ref is made, moved and removed, however deep its name, and Git sees each step', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const [first, second] = await commitThree(repository);
  const names = ['refs/remotes/origin/main', 'refs/notes/x', 'refs/tags/good/2024/1', 'refs/kubekeeper/a/b/c/d'];
  for (const name of names) await repository.updateRef(name, { from: undefined, to: first });
  for (const name of names) await repository.updateRef(name, { from: first, to: second });
  assert.deepEqual(refsOf(place), new Map([...repository.refs()].sort()));
  for (const name of names) assert.equal(place.git('rev-parse', name).trim(), second);
  for (const name of names) await repository.updateRef(name, { from: second, to: undefined });
  assert.deepEqual([...refsOf(place).keys()], ['refs/heads/main']);
  assert.deepEqual([...repository.refs().keys()], ['refs/heads/main']);
  assert.equal(repository.ref(names[0] as string), undefined);
  place.fsck();
  assert.deepEqual(leftoversOf(place), []);
});

function leftoversOf(place: Place): string[] {
  return readdirSync(place.directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.lock$|tmp_/.test(name),
  );
}

test('a ref that Git has packed is moved and removed, and what lies beside it stays', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const [first, second] = await commitThree(repository);
  await repository.tag('good/1', { target: first, message: 'good', tagger: AUTHOR, time: new Date(0) });
  await repository.tag('good/2', { target: second, message: 'good', tagger: AUTHOR, time: new Date(0) });
  await repository.updateRef('refs/remotes/origin/main', { from: undefined, to: first });
  place.git('pack-refs', '--all');
  assert.deepEqual(readdirSync(join(place.directory, 'refs', 'tags')), []);
  const before = refsOf(place);
  await repository.updateRef('refs/remotes/origin/main', { from: first, to: second });
  assert.deepEqual(refsOf(place), new Map([...before, ['refs/remotes/origin/main', second]]));
  await repository.updateRef('refs/remotes/origin/main', { from: second, to: undefined });
  await repository.updateRef('refs/tags/good/1', { from: before.get('refs/tags/good/1'), to: undefined });
  before.delete('refs/remotes/origin/main');
  before.delete('refs/tags/good/1');
  assert.deepEqual(refsOf(place), before);
  assert.match(readFileSync(join(place.directory, 'packed-refs'), 'utf8'), /^# pack-refs/);
  assert.equal(place.git('rev-parse', 'good/2^{commit}').trim(), second);
  place.git('pack-refs', '--all');
  place.fsck();
  assert.deepEqual(leftoversOf(place), []);
});

test('a ref that is not where it was expected stays, as does one whose object is not there', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const [first, second, third] = await commitThree(repository);
  const name = 'refs/remotes/origin/main';
  await repository.updateRef(name, { from: undefined, to: second });
  for (const from of [undefined, first, third])
    for (const to of [undefined, third]) {
      await assert.rejects(repository.updateRef(name, { from, to }), {
        code: 'DATA_DIRECTORY_IN_USE',
        kind: 'stalled',
      });
    }
  const refusals = [
    repository.updateRef(name, { from: second, to: '1'.repeat(40) }),
    repository.updateRef('refs/heads/main', { from: third, to: second }),
    repository.updateRef('HEAD', { from: undefined, to: second }),
    repository.updateRef('refs/../../escape', { from: undefined, to: second }),
  ];
  for (const refusal of refusals) await assert.rejects(refusal, { code: 'REQUEST_REFUSED' });
  assert.deepEqual(
    refsOf(place),
    new Map([
      ['refs/heads/main', third],
      [name, second],
    ]),
  );
  assert.deepEqual(leftoversOf(place), []);
});

test('a ref below another one, or above one, is refused; empty directories are no obstacle', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const [first] = await commitThree(repository);
  await repository.updateRef('refs/tags/loose', { from: undefined, to: first });
  await repository.updateRef('refs/tags/packed/deep', { from: undefined, to: first });
  place.git('pack-refs', '--all');
  place.git('update-ref', 'refs/tags/loose', first);
  place.git('update-ref', 'refs/tags/next/deep', first);
  const before = refsOf(place);
  for (const name of ['loose/below', 'packed/deep/below', 'packed', 'next', 'next/deep/er']) {
    await assert.rejects(repository.updateRef(`refs/tags/${name}`, { from: undefined, to: first }), {
      code: 'REQUEST_REFUSED',
      message: new RegExp(`refs/tags/${name} cannot be beside`),
    });
  }
  assert.deepEqual(refsOf(place), before);
  mkdirSync(join(place.directory, 'refs/tags/empty/of/all'), { recursive: true });
  await repository.updateRef('refs/tags/empty', { from: undefined, to: first });
  await repository.updateRef('refs/tags/next/deep', { from: first, to: undefined });
  await repository.updateRef('refs/tags/next', { from: undefined, to: first });
  assert.equal(place.git('rev-parse', 'empty').trim(), first);
  assert.equal(place.git('rev-parse', 'next').trim(), first);
  place.fsck();
});

test('a ref that names another one is followed; one that leads in a circle or out of the repository is damage', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const [, , third] = await commitThree(repository);
  await repository.updateRef('refs/remotes/origin/main', { from: undefined, to: third });
  place.git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
  assert.equal(repository.ref('refs/remotes/origin/HEAD'), third);
  assert.equal(repository.refs().get('refs/remotes/origin/HEAD'), third);
  for (const [name, target] of [
    ['a', 'refs/tags/a'],
    ['c', '../../config'],
    ['d', 'refs/../config'],
  ]) {
    writeFileSync(join(place.directory, `refs/tags/${name}`), `ref: ${target}\n`);
    assert.throws(() => repository.ref(`refs/tags/${name}`), { code: 'REPOSITORY_DAMAGED' }, name);
    rmSync(join(place.directory, `refs/tags/${name}`));
  }
});

test("Git's lock keeps us out, and ours keeps Git out", async () => {
  using place = new Place();
  const gate: { during?: () => void } = {};
  await using repository = await openRepository(place.directory, { guard: async () => gate.during?.() });
  const [first, second] = await commitThree(repository);
  const name = 'refs/remotes/origin/main';
  await repository.updateRef(name, { from: undefined, to: first });
  writeFileSync(join(place.directory, `${name}.lock`), '');
  await assert.rejects(repository.updateRef(name, { from: first, to: second }), {
    code: 'DATA_DIRECTORY_IN_USE',
    message: /refs\/remotes\/origin\/main\.lock is held/,
  });
  rmSync(join(place.directory, `${name}.lock`));
  const said: string[] = [];
  gate.during = () => {
    const git = spawnSync('git', ['-C', place.directory, 'update-ref', name, second], { encoding: 'utf8' });
    said.push(git.stderr);
    assert.deepEqual([...refsOf(place).keys()], ['refs/heads/main', name], 'nothing of ours looks like a ref');
  };
  await repository.updateRef(name, { from: first, to: second });
  assert.equal(said.length, 1);
  assert.match(said[0] as string, /Unable to create .*origin\/main\.lock': File exists/);
  assert.equal(place.git('rev-parse', name).trim(), second);
});

test('exactly the names that Git allows are allowed', () => {
  const odd = [
    '.',
    '..',
    '/',
    '//',
    '.lock',
    '@',
    '@{',
    '~',
    '^',
    ':',
    '?',
    '*',
    '[',
    '\\',
    ' ',
    '\x7f',
    '\t',
    '{',
    'é',
    '-',
    'a',
    'b.',
    '.c',
  ];
  const name = fc.array(fc.oneof(fc.constantFrom(...odd), fc.string({ maxLength: 3 })), { maxLength: 5 });
  const names = fc.sample(name, 200).map((parts) => `refs/tags/${parts.join('')}`);
  for (const each of names.filter((one) => !one.includes('\0') && one.isWellFormed())) {
    const { status } = spawnSync('git', ['check-ref-format', each]);
    assert.equal(isRefName(each), status === 0, JSON.stringify(each));
  }
});
