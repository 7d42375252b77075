import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { damageObject } from '../git/damages.ts';
import { GitClient } from '../remote/git-client.ts';
import { type GitServer, startGitServer } from '../remote/git-server.ts';
import { type Ended, git, keeper, temporaryDirectory } from './keeper.ts';

/** What a remote is good for when the disk is not, and what `kubekeeper verify` says of it: a real Git server, a real API server. */

let cluster: Cluster;
let server: GitServer;
before(async () => {
  cluster = await startCluster({ controllerManager: false });
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  server = await startGitServer();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function put(value: string): Promise<void> {
  const metadata = { name: 'app', namespace: 'shop' };
  await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

/** A data directory and a remote of its own. */
async function world(group: string) {
  const directory = await temporaryDirectory();
  const remote = `${group}/prod-shop`;
  server.createRepository(remote);
  const flags = ['--kubeconfig', cluster.kubeconfig, '--data-dir', directory.path, '--namespaces', 'shop'];
  const far = ['--remote', `${server.url}/${group}/{cluster}-{namespace}.git`, '--cluster-name', 'prod'];
  return {
    directory,
    /** The real Git in the remote. */
    git: (...args: string[]) => server.git(remote, ...args).trim(),
    near: (verb: string, ...args: string[]): Promise<Ended> => keeper([verb, ...args, ...flags]),
    far: (verb: string, ...args: string[]): Promise<Ended> => keeper([verb, ...args, ...flags, ...far]),
    removeRemote: () => server.removeRepository(remote),
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]();
    },
  };
}

type World = Awaited<ReturnType<typeof world>>;

/** Three commits, each pushed. */
async function pushThree(at: World): Promise<readonly string[]> {
  for (const value of ['1', '2', '3']) {
    await put(value);
    const ended = await at.far('archive', '--once', '--forge', 'none');
    assert.equal(ended.code, 0, ended.stderr);
  }
  return (await git(at.directory.path, 'shop', 'rev-list', '--reverse', 'main')).trim().split('\n');
}

async function remoteCell(at: World): Promise<{ code: number; cell: string; stdout: string }> {
  const { code, stdout } = await at.far('verify');
  return { code, stdout, cell: /^shop +\S+ +\S+ +(.*)$/m.exec(stdout)?.[1] ?? stdout };
}

test('equal, commits that wait, commits of others, a main set back, a server that does not answer: each is told', async () => {
  await using at = await world('told');
  const ids = await pushThree(at);
  assert.deepEqual(await remoteCell(at).then(({ code, cell }) => [code, cell]), [0, 'equal']);
  await put('4');
  assert.equal((await at.near('archive', '--once')).code, 0);
  assert.deepEqual(await remoteCell(at).then(({ code, cell }) => [code, cell]), [0, '1 commit to push']);
  at.git('update-ref', 'refs/heads/main', ids[1] as string);
  const back = await remoteCell(at);
  assert.deepEqual([back.code, back.cell], [1, 'moved']);
  assert.match(back.stdout, /^shop: remote: main of \S+ was set back from [0-9a-f]{10} to [0-9a-f]{10}$/m);
  at.git('update-ref', 'refs/heads/main', ids[2] as string);
  using ada = new GitClient();
  await ada.git('clone', '--quiet', `${server.url}/told/prod-shop.git`, '.');
  await ada.commit('by hand', { 'notes.txt': 'hello\n' });
  await ada.git('push', '--quiet', 'origin', 'main');
  const foreign = await remoteCell(at);
  assert.deepEqual([foreign.code, foreign.cell], [1, 'moved']);
  assert.match(foreign.stdout, /^shop: remote: main of \S+ has commits that are not here/m);
  const nowhere = ['--remote', 'http://127.0.0.1:9/ops/{namespace}.git'];
  const silent = await at.near('verify', ...nowhere);
  assert.equal(silent.code, 3);
  assert.match(silent.stdout, /^shop +yes +equal +not asked$/m);
});

test('a remote that is gone is told, and filled again after --repair and no sooner', async () => {
  await using at = await world('gone');
  const ids = await pushThree(at);
  at.removeRemote();
  const gone = await remoteCell(at);
  assert.deepEqual([gone.code, gone.cell], [1, 'gone']);
  server.createRepository('gone/prod-shop');
  const refused = await at.far('archive', '--once', '--forge', 'none');
  assert.equal(refused.code, 3);
  assert.equal(at.git('for-each-ref'), '');
  const repaired = await at.far('verify', '--repair');
  assert.match(repaired.stderr, /^shop: \S+ was gone; the next archive fills it anew$/m);
  const ended = await at.far('archive', '--once', '--forge', 'none');
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(at.git('rev-parse', 'main'), ids.at(-1));
  assert.deepEqual(await remoteCell(at).then(({ code, cell }) => [code, cell]), [0, 'equal']);
});

test('a damaged repository comes back from its remote, and commits that were not sent yet follow', async () => {
  await using at = await world('back');
  const ids = await pushThree(at);
  await put('4');
  assert.equal((await at.near('archive', '--once')).code, 0);
  const unsent = (await git(at.directory.path, 'shop', 'rev-parse', 'main')).trim();
  // Without the remote nothing could be saved: every commit has this file.
  const id = (await git(at.directory.path, 'shop', 'rev-parse', 'main:.kubekeeper/archive.json')).trim();
  damageObject(join(at.directory.path, 'shop.git'), id);
  await put('5');
  const ended = await at.far('archive', '--once', '--forge', 'none');
  assert.equal(ended.code, 3, ended.stderr);
  assert.match(ended.stderr, /^quarantined shop: .*, 4 commits of it live on in a new one \(from its remote\)$/m);
  const history = at.git('rev-list', '--reverse', 'main').split('\n');
  assert.deepEqual(history.slice(0, 4), [...ids, unsent]);
  assert.equal(history.length, 5);
  await git(at.directory.path, 'shop', 'fsck', '--strict', '--full');
  assert.deepEqual(await remoteCell(at).then(({ code, cell }) => [code, cell]), [0, 'equal']);
});

test('a push that meets a damaged old version has the repository replaced, and pushes what is left', async () => {
  await using at = await world('push');
  for (const value of ['1', '2', '3']) {
    await put(value);
    assert.equal((await at.near('archive', '--once')).code, 0);
  }
  const id = (await git(at.directory.path, 'shop', 'rev-parse', 'main~1:configmaps/app.json')).trim();
  damageObject(join(at.directory.path, 'shop.git'), id);
  const ended = await at.far('archive', '--once', '--forge', 'none');
  assert.equal(ended.code, 3, ended.stderr);
  assert.match(ended.stderr, /^quarantined shop: /m);
  assert.equal(readdirSync(join(at.directory.path, 'quarantine')).length, 1);
  const [own, theirs] = [await git(at.directory.path, 'shop', 'rev-parse', 'main'), at.git('rev-parse', 'main')];
  assert.equal(own.trim(), theirs);
  // The first commit is whole; the second is not, and what the third held came with the next list.
  assert.equal(at.git('rev-list', '--count', 'main'), '2');
  assert.equal((await at.far('verify')).code, 0);
});

test('while the remote does not answer, what can be read is saved, and the two lines are one when it answers', async () => {
  await using at = await world('later');
  const ids = await pushThree(at);
  damageObject(join(at.directory.path, 'shop.git'), ids[2] as string);
  writeFileSync(join(at.directory.path, 'shop.git', 'HEAD'), '');
  await put('4');
  const alone = await at.near('archive', '--once');
  assert.equal(alone.code, 3);
  assert.match(alone.stderr, /, 2 commits of it live on in a new one \(from what can be read\)$/m);
  const ended = await at.far('archive', '--once', '--forge', 'none');
  assert.equal(ended.code, 0, ended.stderr);
  // Nothing of either line is lost, and the remote only moved forward.
  for (const id of [ids[2] as string]) at.git('merge-base', '--is-ancestor', id, 'main');
  assert.equal((await git(at.directory.path, 'shop', 'rev-parse', 'main')).trim(), at.git('rev-parse', 'main'));
  await git(at.directory.path, 'shop', 'fsck', '--strict', '--full');
  assert.equal((await at.far('verify')).code, 0);
});
