import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from '../../controller/git/remote/discover.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';
import { createAuthority } from '../cluster/certificates.ts';
import { startGitServer } from './git-server.ts';
import { failsWith, openRemote, rotating, token, UNHINDERED } from './remotes.ts';
import type { TlsVariant } from './server-certificates.ts';

const CREDENTIALS = rotating(token('canary'));

const REFUSED: readonly (readonly [TlsVariant, RegExp])[] = [
  ['self-signed', /is signed by itself|not signed by an authority/],
  ['expired', /has expired/],
  ['not-yet-valid', /not valid yet/],
  ['wrong-name', /is for another name/],
  ['old-protocol', /speaks no TLS of version 1\.2 or newer/],
];

for (const [tls, words] of REFUSED) {
  test(`a server is refused that shows ${tls}, and it never sees a credential`, async () => {
    await using server = await startGitServer({ tls });
    server.createRepository('shop');
    await using remote = openRemote(server, 'shop', { credentials: CREDENTIALS });
    const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNTRUSTED', 'stalled');
    assert.match(error.message, words);
    assert.match(error.message, /nothing was sent, commits are kept here/);
    assert.deepEqual(server.requests, []);
  });
}

test('a server whose certificate comes from the given authority is trusted, from another it is not', async () => {
  await using server = await startGitServer({ tls: true });
  server.createRepository('shop');
  const other = createAuthority('other').certificate;
  {
    await using remote = openRemote(server, 'shop', { ca: `${other}${server.authority}` });
    await discover(remote, 'git-receive-pack', UNHINDERED);
  }
  for (const options of [{ ca: other }, { ca: createAuthority('kubekeeper-test-remote').certificate }]) {
    await using remote = openRemote(server, 'shop', { ...options, credentials: CREDENTIALS });
    await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNTRUSTED', 'stalled');
  }
  await using usual = openTransport({ variables: {} });
  const remote = { place: server.place('shop'), transport: usual, credentials: CREDENTIALS };
  await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNTRUSTED', 'stalled');
  assert.equal(server.requests.length, 1);
});

test('what speaks no TLS where it should is refused', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { credentials: CREDENTIALS });
  const url = remote.place.url.replace('http:', 'https:');
  const place = { ...remote.place, url, origin: new URL(url).origin };
  const error = await failsWith(
    discover({ ...remote, place }, 'git-receive-pack', UNHINDERED),
    'REMOTE_UNTRUSTED',
    'stalled',
  );
  assert.match(error.message, /does not speak TLS/);
});

test('no variable switches the check of certificates off', async (t) => {
  await using server = await startGitServer({ tls: 'wrong-name' });
  assert.throws(() => openTransport({ variables: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } }), {
    code: 'REMOTE_UNTRUSTED',
    kind: 'invalid-input',
  });
  // Also when it comes after the start, where Node would obey it for every new connection.
  await using remote = openRemote(server, 'shop', { credentials: CREDENTIALS });
  t.mock.method(process, 'emitWarning', () => undefined);
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_UNTRUSTED', 'stalled');
  } finally {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  }
  assert.deepEqual(server.requests, []);
});

test('an authority that cannot be read is refused before anybody is contacted', () => {
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  for (const ca of ['', 'nonsense', broken]) {
    assert.throws(() => openTransport({ ca, variables: {} }), { code: 'REMOTE_INVALID', kind: 'invalid-input' });
  }
});
