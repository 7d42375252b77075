import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUTHOR, manifest } from '../git/bare-repository.ts';
import { Pushing } from './pushing.ts';

const MAIN = 'refs/heads/main';

test('a first push sends everything that the branch leads to, and nothing else that lies here', async () => {
  await using world = await Pushing.start();
  await world.commit({ 'configmaps/a.json': manifest('a', 0), 'configmaps/b.json': manifest('b', 0) });
  await world.commit({ 'configmaps/a.json': manifest('a', 1) });
  world.repository.stage('configmaps/c.json', manifest('c', 0));
  await world.repository.spill();
  const { objects } = await world.pushMain();
  assert.equal(objects, 3 + 2 + 2 + 2, 'blobs, folders, trees, commits');
  world.judge();
});

test('a push sends the new commit, its trees and its file, and a push of the same sends nothing at all', async () => {
  await using world = await Pushing.start();
  for (let i = 0; i < 50; i++) world.repository.stage(`configmaps/c-${i}.json`, manifest(`c-${i}`, 0));
  await world.commit({ 'secrets/s.json': '{}\n' });
  await world.pushMain();
  await world.commit({ 'configmaps/c-7.json': manifest('c-7', 1) });
  assert.equal((await world.pushMain()).objects, 4);
  world.judge();
  const posts = world.posts;
  assert.deepEqual(await world.pushMain(), { objects: 0, bytes: 0 });
  assert.equal(world.posts, posts);
});

test('many commits at once, with files that come, change, go and come back, arrive in order', async () => {
  await using world = await Pushing.start();
  await world.commit({ 'a/1.json': manifest('1', 0), 'a/2.json': manifest('2', 0) });
  await world.pushMain();
  const ids = [
    await world.commit({ 'a/1.json': undefined }),
    await world.commit({ 'a/2.json': manifest('2', 1), 'b/c/d.json': 'deep\n' }),
    await world.commit({ 'a/1.json': manifest('1', 0) }),
    await world.commit({ 'a/2.json': undefined, 'a/1.json': undefined }),
  ];
  const { objects } = await world.pushMain();
  assert.equal(objects, 4 + 4 + 5 + 2, 'commits, top trees, folders, and the files but for the one that comes back');
  world.judge();
  assert.deepEqual(world.server.git('shop', 'rev-list', '--reverse', 'main').trim().split('\n').slice(1), ids);
});

test('an empty tree, and an equal one, are pushed as they are', async () => {
  await using world = await Pushing.start();
  await world.commit({ a: '1' });
  const first = await world.commit({ a: undefined });
  await world.pushMain();
  await world.commit({ a: '1' });
  await world.commit({ a: undefined });
  await world.commit({}, [first]);
  await world.pushMain();
  world.judge();
});

test('a tag of an old commit sends the tag alone, and needs no commit when its commit is there', async () => {
  await using world = await Pushing.start();
  const old = await world.commit({ a: '1' });
  for (let i = 2; i < 40; i++) await world.commit({ a: `${i}` });
  await world.pushMain();
  const tag = await world.repository.tag('good/1', { target: old, message: 'fine', tagger: AUTHOR, time: world.now() });
  assert.equal((await world.push({ 'refs/tags/good/1': tag })).objects, 1);
  assert.equal((await world.push({ 'refs/tags/light': old })).objects, 0);
  world.judge();
  assert.equal(world.refs()['refs/tags/good/1'], tag);
});

test('commits of one second, and clocks that went back, hide nothing and add nothing', async () => {
  await using world = await Pushing.start();
  const ids: string[] = [];
  const commit = async (text: string) => {
    world.repository.stage('a', text);
    const result = await world.repository.commit({ message: text, author: AUTHOR, time: new Date(1_700_000_000_000) });
    ids.push(result?.id ?? '');
  };
  for (let i = 0; i < 20; i++) await commit(`${i}`);
  await world.pushMain();
  assert.equal((await world.push({ 'refs/heads/old': ids[3], 'refs/heads/older': ids[2] })).objects, 0);
  world.judge();
  world.server.createRepository('skewed');
  const remote = world.remote('skewed');
  const late = rawCommit(world, ids[19] as string, 86_400);
  assert.equal((await world.push({ 'refs/heads/late': late }, { remote })).objects, 20 * 3 + 1);
  await commit('after');
  assert.equal((await world.pushMain({ remote })).objects, 3, 'what leads to a commit of 1970 is there all the same');
  world.judge('skewed');
});

test('a tag brings the commits that it leads to where the remote lacks them', async () => {
  await using world = await Pushing.start();
  const id = await world.commit({ a: '1' });
  const tag = await world.repository.tag('good/1', { target: id, message: 'fine', tagger: AUTHOR, time: world.now() });
  assert.equal((await world.push({ 'refs/tags/good/1': tag })).objects, 4);
  await world.commit({ a: '2' });
  assert.equal((await world.pushMain()).objects, 3);
  world.judge();
});

test('notes travel with the commits that they speak of, in one request', async () => {
  await using world = await Pushing.start();
  for (let i = 0; i < 3; i++) {
    const id = await world.commit({ a: `${i}` });
    const note = await world.repository.note(id, `ready ${i}`, { author: AUTHOR, time: world.now() });
    const posts = world.posts;
    await world.push({ [MAIN]: id, 'refs/notes/data': note });
    assert.equal(world.posts, posts + 1);
  }
  world.judge();
  assert.equal(world.server.git('shop', 'notes', '--ref=data', 'show', 'main'), 'ready 2');
});

test('a merge sends what neither parent had', async () => {
  await using world = await Pushing.start();
  await world.commit({ 'a/1': '1', 'b/1': '1' });
  const main = await world.commit({ 'a/1': '2' });
  await world.pushMain();
  const theirs = sideCommit(world, `${main}~1`, 'b/1', 'theirs');
  await world.push({ 'refs/heads/theirs': theirs });
  world.judge();
  await world.commit({ 'b/1': 'theirs' }, [theirs]);
  const { objects } = await world.pushMain();
  assert.equal(objects, 2, 'the commit and its top tree: both folders are there already');
  world.judge();
});

test('a remote that lacks our history and has another one gets ours beside it', async () => {
  await using world = await Pushing.start();
  await using other = await Pushing.start();
  await other.commit({ a: 'theirs' });
  const remote = { ...world.remote(), place: other.server.place('shop') };
  await other.pushMain();
  const ours = await world.commit({ a: 'ours' });
  const { objects } = await world.push({ 'refs/heads/kubekeeper/from-prod': ours }, { remote });
  assert.equal(objects, 3);
  assert.equal(other.server.git('shop', 'show', 'kubekeeper/from-prod:a'), 'ours');
  assert.equal(other.server.git('shop', 'show', 'main:a'), 'theirs');
});

test('a branch is deleted without a pack', async () => {
  await using world = await Pushing.start();
  const id = await world.commit({ a: '1' });
  await world.push({ [MAIN]: id, 'refs/heads/side': id });
  const { objects, bytes } = await world.push({ 'refs/heads/side': undefined });
  assert.equal(objects, 0);
  assert.ok(bytes < 300, `${bytes}`);
  assert.deepEqual(world.refs(), { [MAIN]: id });
});

test('objects that people left loose are pushed like all others', async () => {
  await using world = await Pushing.start();
  await world.commit({ 'a/1': manifest('a', 1) });
  const id = sideCommit(world, 'main', 'a/1', manifest('a', 2));
  await world.push({ 'refs/heads/loose': id });
  world.judge();
});

test('a commit with a submodule and a link, which others may bring, goes without the other repository', async () => {
  await using world = await Pushing.start();
  const first = await world.commit({ 'a/1': '1' });
  await world.pushMain();
  const entries = `160000 commit ${'1'.repeat(40)}\tmodule\n120000 blob ${blob(world, '/etc/passwd')}\tlink\n`;
  const tree = world.gitWith(entries, 'mktree', '--missing');
  const id = world.gitWith('', 'commit-tree', tree, '-p', first, '-m', 'theirs');
  assert.equal((await world.push({ 'refs/heads/theirs': id })).objects, 3);
  const next = world.gitWith(`100644 blob ${blob(world, 'file')}\tmodule\n`, 'mktree');
  const last = world.gitWith('', 'commit-tree', next, '-p', id, '-m', 'no module');
  assert.equal((await world.push({ 'refs/heads/theirs': last })).objects, 3);
  world.judge();
});

/** A commit of an equal tree, made so many seconds after 1970. */
function rawCommit(world: Pushing, parent: string, seconds: number): string {
  const tree = world.gitWith('', 'rev-parse', `${parent}^{tree}`);
  const who = `someone <someone@example.com> ${seconds} +0000`;
  const text = `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\nx\n`;
  return world.gitWith(text, 'hash-object', '-t', 'commit', '-w', '--stdin');
}

function blob(world: Pushing, text: string): string {
  return world.gitWith(text, 'hash-object', '-w', '--stdin');
}

/** A commit of the real Git on another one, with one file of one folder changed. */
function sideCommit(world: Pushing, parent: string, path: string, text: string): string {
  const [folder = '', name = ''] = path.split('/');
  const below = world.gitWith(`100644 blob ${blob(world, text)}\t${name}\n`, 'mktree');
  const rest = world.place.lines('ls-tree', parent).filter((line) => !line.endsWith(`\t${folder}`));
  const tree = world.gitWith([...rest, `040000 tree ${below}\t${folder}`, ''].join('\n'), 'mktree');
  const commit = world.place.git('rev-parse', parent).trim();
  return world.gitWith('', 'commit-tree', tree, '-p', commit, '-m', 'theirs');
}
