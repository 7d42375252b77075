import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clone } from '../../controller/git/remote/clone.ts';
import { discover } from '../../controller/git/remote/discover.ts';
import { push } from '../../controller/git/remote/push.ts';
import { openTransport, type Remote } from '../../controller/git/remote/transport.ts';
import { openRepository } from '../../controller/git/repository.ts';
import { startGitea } from '../forge/gitea.ts';
import { AUTHOR, clock, Place } from '../git/bare-repository.ts';
import { failsWith, rotating, token, UNHINDERED } from './remotes.ts';

test('a real Gitea takes our token and our push, and gives it back whole', async () => {
  await using gitea = await startGitea();
  const ann = await gitea.createUser('ann');
  const [good, bad] = [await ann.createToken('write:repository', 'write:user'), 'f'.repeat(40)];
  for (const name of ['shop', 'renamed']) {
    const made = { name, private: true, default_branch: 'main' };
    assert.equal((await gitea.ask('POST', '/admin/users/ann/repos', made)).status, 201);
  }
  await using transport = openTransport({ ca: gitea.authority, variables: {} });
  const remoteOf = (name: string, ...tokens: readonly string[]): Remote => ({
    place: { url: `${gitea.origin}/ann/${name}.git`, origin: gitea.origin, owner: 'ann', name },
    transport,
    credentials: rotating(...tokens.map(token)),
  });
  using place = new Place();
  await using repository = await openRepository(place.directory);
  const now = clock();
  for (let i = 0; i < 300; i++) repository.stage(`configmaps/c-${i}.json`, `{"data":{"n":"${i}"}}\n`);
  await repository.commit({ message: 'first', author: AUTHOR, time: now() });
  repository.stage('configmaps/c-7.json', '{}\n');
  const second = await repository.commit({ message: 'second', author: AUTHOR, time: now() });
  // An old token is renewed on the way.
  const remote = remoteOf('shop', bad, good);
  const advertised = await discover(remote, 'git-receive-pack', UNHINDERED);
  assert.equal(advertised.refs.size, 0);
  const update = { ref: 'refs/heads/main', from: undefined, to: second?.id };
  await push(repository, remote, [update], { advertised, signal: UNHINDERED });
  const { refs } = await discover(remote, 'git-upload-pack', UNHINDERED);
  assert.deepEqual([...refs], [['refs/heads/main', second?.id]]);
  using other = new Place();
  await clone(other.directory, remote, UNHINDERED);
  other.fsck();
  assert.equal(other.git('rev-parse', 'main').trim(), second?.id);
  // As Gitea says it: 401 for a wrong token, 404 for what is not there, a redirect for what has another name now.
  await failsWith(
    discover(remoteOf('shop', bad), 'git-receive-pack', UNHINDERED),
    'REMOTE_CREDENTIALS_REFUSED',
    'stalled',
  );
  for (const service of ['git-upload-pack', 'git-receive-pack'] as const) {
    await failsWith(discover(remoteOf('none', good), service, UNHINDERED), 'REMOTE_NOT_FOUND', 'stalled');
  }
  const readOnly = remoteOf('shop', await ann.createToken('read:repository'));
  await failsWith(discover(readOnly, 'git-receive-pack', UNHINDERED), 'REMOTE_CREDENTIALS_REFUSED', 'stalled');
  assert.equal((await gitea.ask('PATCH', '/repos/ann/renamed', { name: 'elsewhere' })).status, 200);
  assert.equal((await discover(remoteOf('renamed', good), 'git-upload-pack', UNHINDERED)).refs.size, 0);
});
