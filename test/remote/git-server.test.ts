import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { GitClient } from './git-client.ts';
import { startGitServer } from './git-server.ts';

test('the real Git pushes to the server and clones from it, and each request is counted', async () => {
  await using server = await startGitServer();
  const { url, directory } = server.createRepository('ops/prod-shop');
  using client = new GitClient();
  const id = await client.init({ 'a.bin': randomBytes(300_000) });
  await client.git('push', '--quiet', url, 'main', 'main:refs/tags/good');
  assert.equal(server.git('ops/prod-shop', 'rev-parse', 'main').trim(), id);
  await client.git('clone', '--quiet', '--bare', url, 'clone.git');
  assert.equal((await client.git('--git-dir', `${client.directory}/clone.git`, 'rev-parse', 'good')).trim(), id);
  const push = server.requests.find(({ path, bytesIn }) => path.endsWith('/git-receive-pack') && bytesIn > 100);
  assert.ok((push?.bytesIn ?? 0) > 300_000, `${push?.bytesIn}`);
  assert.equal(push?.status, 200);
  assert.equal(push?.hasAuthorization, false);
  const fetched = server.requests.findLast(({ path }) => path.endsWith('/git-upload-pack'));
  assert.ok((fetched?.bytesOut ?? 0) > 300_000);
  assert.ok(existsSync(directory));
  assert.equal(server.log, '');
});

test('whoever shows no or an old credential is refused', async () => {
  await using server = await startGitServer({ tls: true, auth: { token: 'first' } });
  const { url } = server.createRepository('shop');
  using client = new GitClient();
  const list = (token: string) => {
    const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
    const trust = ['-c', 'http.sslVerify=false', '-c', 'protocol.version=0'];
    return client.git(...trust, '-c', `http.extraHeader=Authorization: Basic ${basic}`, 'ls-remote', url);
  };
  assert.equal(await list('first'), '');
  server.auth = { token: 'second' };
  await assert.rejects(list('first'), /Authentication failed|could not read Username/);
  assert.equal(await list('second'), '');
  assert.deepEqual(
    server.requests.map(({ status, hasAuthorization }) => [status, hasAuthorization]),
    [
      [200, true],
      [401, true],
      [200, true],
    ],
  );
});

test('a server that was stopped refuses connections and comes back on the same port', async () => {
  await using server = await startGitServer();
  const { url } = server.createRepository('shop');
  using client = new GitClient();
  await server.stop();
  await assert.rejects(
    client.git('ls-remote', url),
    /onnection refused|Failed to connect|Could not connect|Couldn't connect/,
  );
  await server.start();
  assert.equal(await client.git('ls-remote', url), '');
});

test('a mute server takes connections and says nothing', async () => {
  await using server = await startGitServer();
  server.mute();
  const socket = connect(server.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  server.unmute();
  using client = new GitClient();
  assert.equal(await client.git('ls-remote', server.createRepository('shop').url), '');
  assert.equal(
    server.requests.some(({ path }) => path === '/'),
    false,
  );
  socket.destroy();
});

test('on a full disk the backend fails with the words of Git, and nothing of the push stays', async () => {
  await using server = await startGitServer();
  const { url } = server.createRepository('shop');
  using client = new GitClient();
  const first = await client.init();
  await client.git('push', '--quiet', url, 'main');
  await client.commit('second', { 'b.bin': randomBytes(50_000) });
  const fault = server.add({ do: 'no-space' }, { method: 'POST' });
  await assert.rejects(client.git('push', url, 'main'), /No space left on device|File too large/);
  assert.equal(fault.hits, 1);
  assert.equal(server.git('shop', 'rev-parse', 'main').trim(), first);
  assert.equal(server.git('shop', 'fsck', '--strict'), '');
  server.clear();
  await client.git('push', '--quiet', url, 'main');
});

test('a push that is cut in its middle changes nothing, one whose answer is cut was done', async () => {
  await using server = await startGitServer();
  const { url } = server.createRepository('shop');
  using client = new GitClient();
  await client.init({ 'a.bin': randomBytes(500_000) });
  const cut = server.add({ do: 'cut-request', afterBytes: 100_000 }, { method: 'POST' });
  await assert.rejects(client.git('push', url, 'main'));
  assert.equal(server.git('shop', 'for-each-ref'), '');
  cut.remove();
  server.add({ do: 'cut-response', afterBytes: 10 }, { method: 'POST' });
  const id = await client.commit('second', {});
  const arrival = server.arrival(({ method }) => method === 'POST');
  await assert.rejects(client.git('push', url, 'main'));
  await (await arrival).ended;
  assert.equal(server.git('shop', 'rev-parse', 'main').trim(), id);
});

test('faults answer, redirect and hang as told, as often as told', async () => {
  await using server = await startGitServer();
  const { url } = server.createRepository('shop');
  const moved = server.createRepository('moved');
  using client = new GitClient();
  server.add({ do: 'status', status: 503, retryAfterSeconds: 7, text: 'later\n' }, { times: 1 });
  const refused = await fetch(`${url}/info/refs?service=git-upload-pack`);
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '7');
  assert.equal(await client.git('ls-remote', url), '');
  server.add({ do: 'redirect', to: (path) => path.replace('/shop.git', '/moved.git') }, { path: /shop/ });
  await client.init();
  await client.git('push', '--quiet', moved.url, 'main');
  assert.match(await client.git('ls-remote', url), /refs\/heads\/main/);
  const fault = server.add({ do: 'hang' }, { service: 'git-receive-pack' });
  const aborting = new AbortController();
  const hung = fetch(`${moved.url}/git-receive-pack`, { method: 'POST', body: 'x', signal: aborting.signal });
  await server.arrival();
  aborting.abort();
  await assert.rejects(hung);
  assert.equal(fault.hits, 1);
});

test('a hook that sleeps ends with the server', async () => {
  using client = new GitClient();
  await client.init();
  let hook = 0;
  let pushed: Promise<unknown>;
  {
    await using server = await startGitServer();
    const { url } = server.createRepository('shop', { hooks: { 'pre-receive': 'echo "hook $$" >&2; exec sleep 60' } });
    const push = spawn('git', ['-C', client.directory, 'push', url, 'main'], { stdio: ['ignore', 'ignore', 'pipe'] });
    pushed = once(push, 'exit');
    for await (const text of push.stderr.setEncoding('utf8') as AsyncIterable<string>) {
      hook = Number(/hook (\d+)/.exec(text)?.[1] ?? hook);
      if (hook !== 0) break;
    }
    assert.ok(isRunning(hook));
  }
  await pushed;
  assert.equal(isRunning(hook), false);
});

test('a server and a client whose test is killed leave neither a folder nor a process', async () => {
  const modules = ['git-server.ts', 'git-client.ts'].map((name) => new URL(name, import.meta.url).href);
  const script = `
    const [{ startGitServer }, { GitClient }] = await Promise.all(${JSON.stringify(modules)}.map((url) => import(url)));
    const server = await startGitServer();
    const { url } = server.createRepository('shop', { hooks: { 'pre-receive': 'cat >&2; echo hook; exec cat' } });
    const client = new GitClient();
    await client.init();
    client.git('push', url, 'main').catch(() => undefined);
    await server.arrival(({ method }) => method === 'POST');
    console.log(JSON.stringify([server.directory, client.directory]));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const folders = JSON.parse(text) as string[];
  assert.ok(folders.every((folder) => existsSync(folder)));
  child.kill('SIGKILL');
  const deadline = performance.now() + 20_000;
  const isLeft = () => folders.some((folder) => existsSync(folder) || findProcesses(folder) !== '');
  while (isLeft() && performance.now() < deadline) await wait(50);
  assert.equal(isLeft(), false);
});

/** Those that name the folder or work in it. */
function findProcesses(folder: string): string {
  const listed = spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).stdout.split('\n');
  return listed.filter((line) => line.includes(folder)).join('\n');
}

function isRunning(pid: number): boolean {
  // One that was killed and that nobody has asked for yet is still listed, as a zombie.
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' });
  return stdout !== '' && !stdout.startsWith('Z');
}
