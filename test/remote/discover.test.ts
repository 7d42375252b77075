import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { discover } from '../../controller/git/remote/discover.ts';
import { FLUSH, pktLine } from '../../controller/git/remote/pkt-line.ts';
import { GitClient } from './git-client.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { failsWith, openRemote, UNHINDERED } from './remotes.ts';

const ID = 'c9b958936833ad03d8f8cf7ddcfdc314bccdf330';

test('an empty repository has no refs, and one with refs has each by its full name, tags not peeled', async () => {
  await using server = await startGitServer();
  const { url } = server.createRepository('ops/shop');
  await using remote = openRemote(server, 'ops/shop');
  for (const service of ['git-receive-pack', 'git-upload-pack'] as const) {
    assert.equal((await discover(remote, service, UNHINDERED)).refs.size, 0);
  }
  using client = new GitClient();
  const main = await client.init();
  await client.git('tag', '-a', 'good/1', '-m', 'works');
  await client.git('notes', '--ref', 'data', 'add', '-m', 'ready');
  await client.git('push', '--quiet', url, 'main', 'refs/tags/good/1', 'refs/notes/data', 'main:refs/heads/side');
  for (const service of ['git-receive-pack', 'git-upload-pack'] as const) {
    const { refs, capabilities } = await discover(remote, service, UNHINDERED);
    const expected = server.git('ops/shop', 'for-each-ref', '--format=%(refname) %(objectname)').trim().split('\n');
    assert.deepEqual([...refs].map(([name, id]) => `${name} ${id}`).sort(), expected.sort());
    assert.equal(refs.get('refs/heads/main'), main);
    assert.ok(capabilities.has('side-band-64k'));
    assert.ok(capabilities.has('ofs-delta'));
  }
});

test('a list of refs that ends early is never taken for a shorter one', async () => {
  await using server = await startGitServer();
  const { url } = server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  using client = new GitClient();
  await client.init();
  await client.git('push', '--quiet', url, 'main', 'main:refs/heads/a', 'main:refs/heads/b');
  await discover(remote, 'git-upload-pack', UNHINDERED);
  const length = server.requests.at(-1)?.bytesOut ?? 0;
  assert.ok(length > 300);
  for (const afterBytes of [0, 3, 40, length - 70, length - 20, length - 4, length - 1]) {
    const cut = server.add({ do: 'cut-response', afterBytes });
    await failsWith(discover(remote, 'git-upload-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
    cut.remove();
  }
  // What stands before a server may end an answer as if it were whole.
  const whole = [pktLine('# service=git-upload-pack\n'), FLUSH, pktLine(`${ID} refs/heads/main\0ofs-delta\n`), FLUSH];
  for (const count of [0, 1, 2, 3]) {
    await answers(server, whole.slice(0, count));
    const error = await failsWith(discover(remote, 'git-upload-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
    assert.match(error.message, /is damaged: .*; nothing of it was used, commits are kept here and pushed later/);
  }
  await answers(server, whole);
  assert.deepEqual([...(await discover(remote, 'git-upload-pack', UNHINDERED)).refs], [['refs/heads/main', ID]]);
});

test('a list of refs that is no such list is refused', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  const head = [pktLine('# service=git-upload-pack\n'), FLUSH];
  const broken: readonly (readonly Buffer[])[] = [
    [pktLine('# service=git-receive-pack\n'), FLUSH, FLUSH],
    [Buffer.from('<html>')],
    [...head, Buffer.from('zzzz')],
    [...head, Buffer.from('0003')],
    [...head, pktLine('nonsense\0ofs-delta\n'), FLUSH],
    [...head, pktLine(`${ID.slice(1)} refs/heads/main\0ofs-delta\n`), FLUSH],
    [...head, pktLine(`${ID}${ID.slice(16)} refs/heads/main\0ofs-delta\n`), FLUSH],
    [...head, pktLine(`${ID} refs/heads/main\0ofs-delta\n`), FLUSH, pktLine(`${ID} refs/heads/more\n`), FLUSH],
  ];
  for (const parts of broken) {
    await answers(server, parts);
    await failsWith(discover(remote, 'git-upload-pack', UNHINDERED), 'REMOTE_UNREACHABLE', 'transient');
  }
});

test('a repository with other names of objects is refused, empty or not', async () => {
  await using server = await startGitServer();
  server.createRepository('shop');
  await using remote = openRemote(server, 'shop');
  rmSync(`${server.directory}/shop.git`, { recursive: true });
  execFileSync('git', ['init', '--quiet', '--bare', '--object-format=sha256', `${server.directory}/shop.git`]);
  const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_REFUSED', 'stalled');
  assert.match(error.message, /object format sha256/);
});

test('an ERR line is a refusal in the words of the server', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  await answers(server, [pktLine('ERR access denied\u001b[31m or repository not exported: /shop.git\n')]);
  const error = await failsWith(discover(remote, 'git-upload-pack', UNHINDERED), 'REMOTE_REFUSED', 'stalled');
  assert.match(error.message, /access denied\\u001b\[31m or repository not exported: \/shop\.git/);
});

test('what is no Git server is told from a repository', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop');
  server.add({ do: 'answer', headers: { 'content-type': 'text/html' }, body: () => [Buffer.from('<html>Sign in')] });
  const error = await failsWith(discover(remote, 'git-receive-pack', UNHINDERED), 'REMOTE_NOT_FOUND', 'stalled');
  assert.match(error.message, /it answers with text\/html/);
});

test('a list without end and one that would unpack to gigabytes are bounded', async () => {
  await using server = await startGitServer();
  await using remote = openRemote(server, 'shop', { limits: { advertisementBytes: 1024 * 1024 } });
  server.add({ do: 'answer', headers: ADVERTISED, body: endlessRefs });
  await failsWith(discover(remote, 'git-upload-pack', UNHINDERED), 'REMOTE_REFUSED', 'stalled');
  const [request] = server.requests;
  await request?.ended;
  // What was on its way when the connection was cut.
  assert.ok((request?.bytesOut ?? 0) < 16 * 1024 * 1024, `${request?.bytesOut}`);
  server.clear();
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '0000'));
  server.add({ do: 'answer', headers: { ...ADVERTISED, 'content-encoding': 'gzip' }, body: () => [bomb] });
  const error = await failsWith(discover(remote, 'git-upload-pack', UNHINDERED), 'REMOTE_NOT_FOUND', 'stalled');
  assert.match(error.message, /in gzip/);
  assert.equal(server.requests.at(-1)?.headers['accept-encoding'], 'identity');
});

const ADVERTISED = { 'content-type': 'application/x-git-upload-pack-advertisement' };

function* endlessRefs(): Generator<Buffer> {
  yield Buffer.concat([pktLine('# service=git-upload-pack\n'), FLUSH]);
  for (let i = 0; ; i++)
    yield Buffer.concat(Array.from({ length: 500 }, (_, k) => pktLine(`${ID} refs/tags/${i}-${k}\n`)));
}

async function answers(server: GitServer, parts: readonly Buffer[]): Promise<void> {
  server.clear();
  server.add({ do: 'answer', headers: ADVERTISED, body: () => parts });
}
