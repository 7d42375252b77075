import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from '../../controller/git/remote/discover.ts';
import { FLUSH } from '../../controller/git/remote/pkt-line.ts';
import { callService } from '../../controller/git/remote/request.ts';
import { GitClient } from './git-client.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote, rotating, token, UNHINDERED } from './remotes.ts';

const CANARY = 'canary-token';

async function* nothing(): AsyncGenerator<Buffer> {
  yield FLUSH;
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`a repository that was renamed at the same origin (${status}) is found, and requests go to where it is`, async () => {
    await using server = await startGitServer({ auth: { token: CANARY } });
    const moved = server.createRepository('new/shop');
    server.add({ do: 'redirect', status, to: (path) => path.replace('/old/', '/newer/') }, { path: /^\/old\// });
    const absolute = (path: string) => `${server.url}${path.replace('/newer/', '/new/')}`;
    server.add({ do: 'redirect', status, to: absolute }, { path: /^\/newer\// });
    await using remote = openRemote(server, 'old/shop', { credentials: rotating(token(CANARY)) });
    using client = new GitClient();
    const id = await client.init();
    await client.git('push', '--quiet', moved.directory, 'main');
    const { refs } = await discover(remote, 'git-receive-pack', UNHINDERED);
    assert.equal(refs.get('refs/heads/main'), id);
    for await (const _ of await callService(remote, 'git-receive-pack', nothing, UNHINDERED));
    assert.equal(server.requests.at(-1)?.path, '/new/shop.git/git-receive-pack');
    assert.equal(server.requests.at(-1)?.status, 200);
    // A rename that was taken back is found as well.
    server.clear();
    server.git('new/shop', 'config', 'core.bare', 'true');
    server.createRepository('old/shop');
    assert.equal((await discover(remote, 'git-receive-pack', UNHINDERED)).refs.size, 0);
    for await (const _ of await callService(remote, 'git-receive-pack', nothing, UNHINDERED));
    assert.equal(server.requests.at(-1)?.path, '/old/shop.git/git-receive-pack');
  });
}

test('another origin is refused by name, and its server hears nothing at all', async () => {
  await using server = await startGitServer({ auth: { token: CANARY } });
  await using other = await startGitServer();
  other.createRepository('shop');
  await using remote = openRemote(server, 'shop', { credentials: rotating(token(CANARY)) });
  for (const origin of [other.url, `http://localhost:${server.port}`, `https://127.0.0.1:${server.port}`]) {
    for (const work of [
      () => discover(remote, 'git-receive-pack', UNHINDERED),
      () => callService(remote, 'git-receive-pack', nothing, UNHINDERED),
    ]) {
      // With the very address that would be right, and with one whose query and fragment are nobody's business.
      for (const rest of ['', '&key=query-secret#fragment']) {
        server.clear();
        server.add({ do: 'redirect', status: 307, to: (path) => `${origin}${path}${rest}` });
        const error = await failsWith(work(), 'REMOTE_REDIRECTED', 'stalled');
        assert.ok(error.message.includes(`redirects to ${origin};`), error.message);
        assert.doesNotMatch(error.message, /query-secret|fragment/);
        assert.equal(error.details['origin'], origin);
      }
    }
  }
  assert.deepEqual(other.requests, []);
});

test('a page, a user in the address, a circle and no address at all are not followed', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  const service = 'service=git-receive-pack';
  const targets = [
    '/users/sign_in',
    `/shop.git/info/refs?${service}&more=1`,
    `/shop.git/info/refs?service=git-upload-pack`,
    `http://user:hidden@127.0.0.1:${server.port}/shop.git/info/refs?${service}`,
    'http://[',
  ];
  for (const to of targets) {
    server.clear();
    server.add({ do: 'redirect', to }, { times: 1 });
    const before = server.requests.length;
    const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_REDIRECTED', 'stalled');
    assert.doesNotMatch(error.message, /hidden|sign_in/);
    assert.equal(server.requests.length, before + 1);
  }
  server.clear();
  server.add({ do: 'redirect', to: `/shop.git/info/refs?${service}` });
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_REDIRECTED', 'stalled');
  server.clear();
  server.add({ do: 'status', status: 302 });
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_REDIRECTED', 'stalled');
  assert.ok(server.requests.length < 20);
});

test('a request is never redirected, not even at the same origin: its body went to another place already', async () => {
  await using server = await startGitServer();
  server.createRepository('new');
  await using remote = openRemote(server, 'shop');
  server.add({ do: 'redirect', status: 307, to: '/new.git/git-receive-pack' }, { path: /^\/shop/ });
  const work = callService(remote, 'git-receive-pack', nothing, UNHINDERED);
  await failsWith(work, 'REMOTE_REDIRECTED', 'stalled');
  assert.equal(server.requests.length, 1);
});
