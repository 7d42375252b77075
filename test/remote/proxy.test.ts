import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from '../../controller/git/remote/discover.ts';
import { proxyFor } from '../../controller/git/remote/proxy.ts';
import { startConnectProxy } from './connect-proxy.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote, rotating, SHORT, token, UNHINDERED } from './remotes.ts';

test('a proxy is used where the variables name one, and sees neither credential nor path', async () => {
  await using server = await startGitServer({ tls: true, auth: { token: 'canary-token' } });
  await using proxy = await startConnectProxy();
  server.createRepository('ops/secret-name');
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
    const credentials = rotating(token('canary-token'));
    await using remote = openRemote(server, 'ops/secret-name', { credentials, variables: { [name]: proxy.url } });
    await discover(remote, 'git-receive-pack', UNHINDERED);
  }
  assert.deepEqual(proxy.tunnels, Array(4).fill(`127.0.0.1:${server.port}`));
  assert.equal(server.requests.length, 4);
  assert.ok(server.requests.every(({ hasAuthorization, status }) => hasAuthorization && status === 200));
  const basic = Buffer.from('x-access-token:canary-token').toString('base64');
  for (const secret of ['canary-token', basic, 'secret-name']) assert.equal(proxy.seen().includes(secret), false);
});

test('NO_PROXY goes round it', async () => {
  await using server = await startGitServer({ tls: true });
  await using proxy = await startConnectProxy();
  server.createRepository('shop');
  for (const excluded of ['127.0.0.1', '*', `x.example, 127.0.0.1:${server.port}`, '10.0.0.0/8,127.0.0.0/8']) {
    const variables = { HTTPS_PROXY: proxy.url, NO_PROXY: excluded };
    await using remote = openRemote(server, 'shop', { variables });
    await discover(remote, 'git-receive-pack', UNHINDERED);
  }
  assert.deepEqual(proxy.tunnels, []);
});

test('plain http, which loopback alone may speak, never goes through a proxy', async () => {
  await using server = await startGitServer({ auth: { token: 'canary' } });
  await using proxy = await startConnectProxy();
  server.createRepository('shop');
  const variables = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, HTTPS_PROXY: proxy.url, ALL_PROXY: proxy.url };
  await using remote = openRemote(server, 'shop', { variables, credentials: rotating(token('canary')) });
  await discover(remote, 'git-receive-pack', UNHINDERED);
  assert.equal(proxy.seen(), '');
});

test('certificates are checked through a proxy as they are without', async () => {
  await using proxy = await startConnectProxy();
  for (const tls of ['wrong-name', 'expired', 'self-signed'] as const) {
    await using server = await startGitServer({ tls });
    const credentials = rotating(token('canary'));
    await using remote = openRemote(server, 'shop', { credentials, variables: { HTTPS_PROXY: proxy.url } });
    await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNTRUSTED', 'stalled');
    assert.deepEqual(server.requests, []);
  }
  assert.equal(proxy.tunnels.length, 3);
});

test('a proxy that refuses, hangs, cuts or is not there is unreachable, and its password is not told', async () => {
  await using server = await startGitServer({ tls: true });
  const proxy = await startConnectProxy();
  const url = new URL(proxy.url);
  url.username = 'user';
  url.password = 'proxy-canary';
  await using remote = openRemote(server, 'shop', { limits: SHORT, variables: { HTTPS_PROXY: url.href } });
  const say = async () => {
    const work = discover(remote, 'git-receive-pack', UNHINDERED);
    const error = await failsWith(work, 'REMOTE_UNREACHABLE', 'transient');
    assert.doesNotMatch(error.message, /proxy-canary/);
    return error.message;
  };
  proxy.behave(407);
  assert.match(await say(), /the proxy \(HTTPS_PROXY\) answers 407/);
  const basic = Buffer.from('user:proxy-canary').toString('base64');
  assert.ok(proxy.seen().includes(`Basic ${basic}`));
  proxy.behave('cut');
  assert.match(await say(), /cut/);
  proxy.behave('hang');
  assert.match(await say(), /the proxy does not answer|says nothing for 1 s/);
  await proxy[Symbol.asyncDispose]();
  assert.match(await say(), /connection refused/);
});

test('an abort is obeyed also while a proxy lets us wait', async () => {
  await using server = await startGitServer({ tls: true });
  await using proxy = await startConnectProxy();
  await using remote = openRemote(server, 'shop', { variables: { HTTPS_PROXY: proxy.url } });
  proxy.behave('hang');
  const controller = new AbortController();
  const work = discover(remote, 'git-receive-pack', controller.signal);
  await proxy.asked();
  const begin = performance.now();
  controller.abort(new Error('stopped by a person'));
  await assert.rejects(work, /stopped by a person/);
  assert.ok(performance.now() - begin < 5000);
});

const PROXY = 'http://proxy.example:3128';

test('NO_PROXY holds names, addresses and networks, each with an optional port', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['https://git.example/a', 'git.example', true],
    ['https://git.example/a', 'GIT.EXAMPLE', true],
    ['https://git.example/a', 'example', true],
    ['https://git.example/a', '.example', true],
    ['https://git.example/a', '*.example', true],
    ['https://notexample/a', 'example', false],
    ['https://git.example/a', 'it.example', false],
    ['https://git.example/a', 'git.example:443', true],
    ['https://git.example:8443/a', 'git.example:443', false],
    ['https://git.example:8443/a', 'git.example:8443', true],
    ['https://git.example/a', 'other, git.example', true],
    ['https://git.example/a', 'other git.example', true],
    ['https://git.example/a', '*', true],
    ['https://git.example/a', '', false],
    ['https://git.example/a', ' , ', false],
    ['https://10.1.2.3/a', '10.0.0.0/8', true],
    ['https://10.1.2.3:8443/a', '10.1.2.3', true],
    ['https://11.1.2.3/a', '10.0.0.0/8', false],
    ['https://10.1.2.3/a', '10.0.0.0/99', false],
    ['https://10.1.2.3/a', '2.3', false],
    ['https://[fd00::1]/a', 'fd00::/8', true],
    ['https://[fd00::1]:8443/a', '[fd00::1]:8443', true],
    ['https://[fd00::1]/a', '::1', false],
  ];
  for (const [url, excluded, isDirect] of rows) {
    const proxy = proxyFor(new URL(url), { HTTPS_PROXY: PROXY, NO_PROXY: excluded });
    assert.equal(proxy === undefined, isDirect, `${url} ${excluded}`);
  }
});

test('the spelling in small letters wins, a scheme may be left out, and what is no http proxy is refused unshown', () => {
  const url = new URL('https://git.example/a');
  assert.equal(proxyFor(url, { HTTPS_PROXY: 'http://b.example', https_proxy: PROXY })?.host, 'proxy.example:3128');
  assert.equal(proxyFor(url, { HTTPS_PROXY: 'proxy.example:3128' })?.href, `${PROXY}/`);
  assert.equal(proxyFor(url, { HTTPS_PROXY: '' }), undefined);
  assert.equal(proxyFor(url, {}), undefined);
  for (const text of ['ftp://user:canary@x.example', 'http://user:canary@:no']) {
    assert.throws(
      () => proxyFor(url, { HTTPS_PROXY: text }),
      (error: Error) => {
        assert.doesNotMatch(error.message, /canary/);
        return 'code' in error && error.code === 'REMOTE_INVALID';
      },
    );
  }
});
