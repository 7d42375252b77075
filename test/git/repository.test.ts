import assert from 'node:assert/strict';
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import isomorphicGit from 'isomorphic-git';
import { blobId } from '../../controller/git/object-id.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { AUTHOR, clock, manifest, Place } from './bare-repository.ts';

test('a new repository is a bare one that Git takes as it is', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  assert.equal(repository.head, undefined);
  assert.equal(repository.fileCount, 0);
  assert.equal(place.git('rev-parse', '--is-bare-repository').trim(), 'true');
  assert.equal(place.git('symbolic-ref', 'HEAD').trim(), 'refs/heads/main');
  assert.deepEqual(readdirSync(place.root), ['shop.git']);
});

test('what is committed is what Git shows, clones and finds whole', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  for (let i = 0; i < 50; i++) repository.stage(`deployments.apps/web-${i}.json`, manifest(`web-${i}`, 1));
  repository.stage('.kubekeeper/archive.json', '{}\n');
  assert.equal(repository.staged, 51);
  const first = await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  repository.stage('deployments.apps/web-7.json', manifest('web-7', 2));
  repository.stageDeletion('deployments.apps/web-8.json');
  const second = await repository.commit({ message: 'second\n\nActor: someone\n', author: AUTHOR, time: now() });
  assert.equal(first?.changed, 51);
  assert.equal(second?.changed, 2);
  place.fsck();
  assert.deepEqual(place.lines('rev-list', 'main'), [second?.id, first?.id]);
  assert.equal(place.git('rev-parse', 'main^{tree}').trim(), second?.tree);
  assert.equal(place.git('show', 'main:deployments.apps/web-7.json'), manifest('web-7', 2));
  assert.equal(
    place.git('log', '-1', '--format=%B%an <%ae> %at', 'main').trim().split('\n').at(-1),
    'kubekeeper <kubekeeper@example.com> 1700000001',
  );
  assert.deepEqual(
    [...repository.files()].map(({ path }) => path),
    [...place.tree().keys()],
  );
  assert.equal(repository.fileCount, 50);
  place.git('clone', '--quiet', '--bare', '--no-local', place.directory, join(place.root, 'clone.git'));
});

test('isomorphic-git reads the same, before and after consolidation', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  for (let version = 0; version < 30; version++) {
    for (let i = 0; i < 20; i++)
      if (version === 0 || i === version % 20) repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, version));
    await repository.commit({ message: `version ${version}`, author: AUTHOR, time: now() });
  }
  for (const round of ['windows', 'consolidated']) {
    const log = await isomorphicGit.log({ fs, gitdir: place.directory, ref: 'main' });
    assert.equal(log.length, 30, round);
    const blob = await isomorphicGit.readBlob({
      fs,
      gitdir: place.directory,
      oid: log[0]?.oid ?? '',
      filepath: 'configmaps/c-9.json',
    });
    assert.equal(Buffer.from(blob.blob).toString(), manifest('c-9', 29), round);
    await repository.consolidate();
  }
});

test('staging what is already committed, or taking it back, leaves nothing to commit', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const options = { message: 'x', author: AUTHOR, time: new Date(0) };
  assert.equal(await repository.commit(options), undefined);
  repository.stageDeletion('a/none.json');
  assert.equal(repository.staged, 0);
  repository.stage('a/b.json', 'one\n');
  const first = await repository.commit(options);
  repository.stage('a/b.json', 'two\n');
  assert.equal(repository.stagedId('a/b.json'), blobId('two\n'));
  repository.stage('a/b.json', 'one\n');
  assert.equal(repository.staged, 0);
  assert.equal(repository.stagedBytes, 0);
  repository.stageDeletion('a/b.json');
  assert.equal(repository.stagedId('a/b.json'), null);
  repository.stage('a/b.json', 'one\n');
  repository.stageDeletion('a/b.json');
  repository.unstage('a/b.json');
  assert.equal(repository.stagedId('a/b.json'), undefined);
  assert.equal(await repository.commit(options), undefined);
  assert.equal(repository.head, first?.id);
  assert.equal(repository.fileId('a/b.json'), blobId('one\n'));
});

test('a commit of some paths leaves the others staged', async () => {
  using place = new Place();
  const now = clock();
  await using repository = await openRepository(place.directory);
  for (const name of ['a', 'b', 'c']) repository.stage(`x/${name}.json`, `${name}\n`);
  const result = await repository.commit(
    { message: 'b', author: AUTHOR, time: now() },
    new Set(['x/b.json', 'x/none.json']),
  );
  assert.equal(result?.changed, 1);
  assert.deepEqual([...repository.stagedPaths()], ['x/a.json', 'x/c.json']);
  await repository.commit({ message: 'rest', author: AUTHOR, time: now() });
  assert.deepEqual([...place.tree().keys()], ['x/a.json', 'x/b.json', 'x/c.json']);
});

test('a change staged while a commit is written belongs to the next one', async () => {
  using place = new Place();
  const now = clock();
  let underWay = Promise.withResolvers<void>();
  await using repository = await openRepository(place.directory, { guard: async () => underWay.resolve() });
  repository.stage('x/a.json', 'one\n');
  await repository.commit({ message: '1', author: AUTHOR, time: now() });
  underWay = Promise.withResolvers();
  repository.stage('x/a.json', 'two\n');
  const running = repository.commit({ message: '2', author: AUTHOR, time: now() });
  await underWay.promise;
  assert.equal(repository.stagedId('x/a.json'), blobId('two\n'));
  assert.equal(repository.fileId('x/a.json'), blobId('one\n'));
  repository.stage('x/a.json', 'one\n');
  repository.stage('x/b.json', 'new\n');
  await running;
  assert.equal(place.git('show', 'main:x/a.json'), 'two\n');
  await repository.commit({ message: '3', author: AUTHOR, time: now() });
  assert.equal(place.git('show', 'main:x/a.json'), 'one\n');
  assert.equal(place.git('show', 'main:x/b.json'), 'new\n');
  assert.deepEqual(place.lines('log', '--format=%s', 'main'), ['3', '2', '1']);
});

test('commits asked for at once come one after the other', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const commits = ['a', 'b', 'c'].map((name) => {
    repository.stage(`x/${name}.json`, name);
    return repository.commit({ message: name, author: AUTHOR, time: new Date(0) }, new Set([`x/${name}.json`]));
  });
  assert.deepEqual(
    (await Promise.all(commits)).map((result) => result?.changed),
    [1, 1, 1],
  );
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, 3);
});

test('a name from the cluster cannot forge a header, and a message stays as it was given', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('a.json', '1');
  const author = { name: 'eve <root@x>\nparent 0000\0', email: 'e ve@x>\n' };
  await repository.commit({ message: '# kept\n\n  kept, too  \n\n\n', author, time: new Date(5000) });
  repository.stage('a.json', '2');
  await repository.commit({ message: 'no end', author: { name: '<>', email: '' }, time: new Date(6000) });
  place.fsck();
  assert.match(
    place.git('cat-file', 'commit', 'main~'),
    /^tree .*\nauthor eve root@x parent 0000 <eve@x> 5 \+0000\ncommitter .*\n\n# kept\n\n {2}kept, too {2}\n\n\n$/,
  );
  assert.match(place.git('cat-file', 'commit', 'main'), /\nauthor unknown <> 6 \+0000\n.*\n\nno end\n$/);
});

test('a path that Git could not check out is refused, and nothing else is lost', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  for (const path of ['', '/a', 'a//b', 'a/', '../a', 'a/./b', 'a/.git/b', '.GIT', 'git~1/x', 'a\0b']) {
    assert.throws(() => repository.stage(path, 'x'), { name: 'KeeperError' }, path);
  }
  repository.stage('a', 'a file\n');
  await repository.commit({ message: '1', author: AUTHOR, time: new Date(0) });
  repository.stage('a/b', 'below it\n');
  await assert.rejects(
    repository.commit({ message: '2', author: AUTHOR, time: new Date(0) }),
    /a file and a directory at once/,
  );
  assert.deepEqual([...repository.stagedPaths()], ['a/b']);
  repository.stageDeletion('a');
  await repository.commit({ message: '3', author: AUTHOR, time: new Date(0) });
  place.fsck();
  assert.deepEqual([...place.tree().keys()], ['a/b']);
});

test('a spill empties the memory, keeps everything staged, and the commit uses it', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  for (let i = 0; i < 100; i++) repository.stage(`x/${i}.json`, manifest(`x-${i}`, 1));
  await repository.spill();
  assert.equal(repository.stagedBytes, 0);
  assert.equal(repository.staged, 100);
  repository.stage('x/3.json', 'later\n');
  repository.stage('y/1.json', 'y\n');
  await repository.spill();
  repository.stage('y/1.json', 'z\n');
  const result = await repository.commit({ message: 'all', author: AUTHOR, time: new Date(0) });
  assert.equal(result?.changed, 101);
  assert.equal((await repository.readFile('x/99.json'))?.toString(), manifest('x-99', 1));
  place.fsck();
  assert.equal(place.git('show', 'main:x/3.json'), 'later\n');
  const files = readdirSync(join(place.directory, 'objects', 'pack'));
  assert.deepEqual(
    files.filter((name) => name.endsWith('.keep')),
    [],
  );
  assert.equal(files.filter((name) => name.endsWith('.pack')).length, 3);
});

test('another writer is noticed: its commit stays, and what was staged is still staged', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('a.json', '1');
  const first = await repository.commit({ message: '1', author: AUTHOR, time: new Date(0) });
  const other = place
    .git('-c', 'user.name=x', '-c', 'user.email=x@x', 'commit-tree', '-m', 'other', '-p', 'main', 'main^{tree}')
    .trim();
  place.git('update-ref', 'refs/heads/main', other);
  repository.stage('a.json', '2');
  await assert.rejects(repository.commit({ message: '2', author: AUTHOR, time: new Date(0) }), {
    code: 'DATA_DIRECTORY_IN_USE',
  });
  assert.equal(place.git('rev-parse', 'main').trim(), other);
  assert.equal(repository.staged, 1);
  assert.equal(repository.head, first?.id);
  await repository.reload();
  const second = await repository.commit({ message: '2', author: AUTHOR, time: new Date(0) });
  assert.deepEqual(place.lines('rev-list', 'main'), [second?.id, other, first?.id]);
  writeFileSync(join(place.directory, 'refs/heads/main.lock'), '');
  repository.stage('a.json', '3');
  await assert.rejects(repository.commit({ message: '3', author: AUTHOR, time: new Date(0) }), /main\.lock is held/);
  assert.ok(existsSync(join(place.directory, 'refs/heads/main.lock')));
  place.fsck();
});

test('a commit that cannot be written leaves the repository as it was, and works once there is room again', async () => {
  using place = new Place();
  await using repository = await openRepository(place.directory);
  repository.stage('a.json', '1');
  const first = await repository.commit({ message: '1', author: AUTHOR, time: new Date(0) });
  const pack = join(place.directory, 'objects', 'pack');
  fs.renameSync(pack, `${pack}.away`);
  writeFileSync(pack, '');
  repository.stage('a.json', '2');
  await assert.rejects(repository.commit({ message: '2', author: AUTHOR, time: new Date(0) }), {
    code: 'DATA_DIRECTORY_UNUSABLE',
  });
  fs.rmSync(pack);
  fs.renameSync(`${pack}.away`, pack);
  assert.equal(place.git('rev-parse', 'main').trim(), first?.id);
  assert.deepEqual([...repository.stagedPaths()], ['a.json']);
  await repository.commit({ message: '2', author: AUTHOR, time: new Date(0) });
  assert.equal(place.git('show', 'main:a.json'), '2');
  assert.deepEqual(
    readdirSync(pack).filter((name) => name.startsWith('tmp_')),
    [],
  );
});

test('a repository opened to look changes nothing, while its writer goes on', async () => {
  using place = new Place();
  await assert.rejects(openRepository(place.directory, { readOnly: true }), { code: 'REPOSITORY_FOREIGN' });
  assert.equal(existsSync(place.directory), false);
  await using writer = await openRepository(place.directory);
  for (let i = 0; i < 4; i++) {
    writer.stage('a.json', `${i}`);
    await writer.commit({ message: `${i}`, author: AUTHOR, time: new Date(0) });
  }
  writeFileSync(join(place.directory, 'objects/pack/tmp_pack_of_the_writer'), '');
  await using reader = await openRepository(place.directory, { readOnly: true });
  await writer.consolidate();
  assert.equal((await reader.readFile('a.json'))?.toString(), '3');
  assert.ok(existsSync(join(place.directory, 'objects/pack/tmp_pack_of_the_writer')));
  reader.stage('a.json', 'never');
  for (const write of [
    reader.commit({ message: 'x', author: AUTHOR, time: new Date(0) }),
    reader.spill(),
    reader.consolidate(),
  ]) {
    await assert.rejects(write, { code: 'DEFECT' });
  }
});

test('what Git itself wrote is read: loose objects, packed refs, its own packs', async () => {
  using place = new Place();
  {
    await using repository = await openRepository(place.directory);
    for (let version = 0; version < 20; version++) {
      repository.stage('x/a.json', manifest('a', version));
      await repository.commit({ message: `${version}`, author: AUTHOR, time: new Date(version * 1000) });
    }
  }
  const blob = place.git('hash-object', '-w', join(place.directory, 'config')).trim();
  place.git('repack', '-adfq', '--depth=50', '--window=50');
  place.git('pack-refs', '--all');
  mkdirSync(join(place.directory, 'refs/heads'), { recursive: true });
  await using repository = await openRepository(place.directory);
  assert.equal((await repository.read(blob)).toString(), readFileSync(join(place.directory, 'config'), 'utf8'));
  assert.equal((await repository.readFile('x/a.json'))?.toString(), manifest('a', 19));
  repository.stage('x/a.json', 'next\n');
  await repository.commit({ message: 'next', author: AUTHOR, time: new Date(99_000) });
  await repository.consolidate({ full: true });
  place.fsck();
  assert.equal(place.lines('rev-list', 'main').length, 21);
});
