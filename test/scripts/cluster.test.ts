import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { binary } from '../cluster/binaries.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubekeeper-cluster-script-'));
after(() => rmSync(folder, { recursive: true }));

function start(...args: readonly string[]) {
  // By the channel it ends even when this test is killed.
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const child = spawn(process.execPath, ['scripts/cluster.ts', ...args], { stdio: [...stdio] });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  return { child, output, ended };
}

/** Until it says that it is ready. */
async function untilReady({ child, output, ended }: ReturnType<typeof start>): Promise<void> {
  const ready = (async () => {
    while (!output.stdout.includes('Ctrl-C')) await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  })();
  await Promise.race([
    ready,
    ended.then(({ stderr }) => {
      throw new Error(`it ended: ${stderr}`);
    }),
  ]);
}

async function getNamespaces(kubeconfig: string): Promise<string> {
  const kubectl = await binary('kubectl');
  return (await promisify(execFile)(kubectl, ['--kubeconfig', kubeconfig, 'get', 'namespaces'])).stdout;
}

/** Where a cluster is, seen from its supervisor's command line. */
function clusterFolder(pid: number): string {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const child of children) {
    const words = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0');
    const found = words.find((word) => word.startsWith(join(tmpdir(), 'kubekeeper-cluster-')));
    if (found !== undefined) return found;
  }
  throw new Error('no supervisor');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`the kubeconfig works until ${signal}, which removes it and everything else`, async () => {
    const file = join(folder, `kubeconfig-${signal}`);
    const run = start('--kubeconfig', file);
    await untilReady(run);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(await getNamespaces(file), /^default /m);
    assert.ok(run.output.stdout.includes(`export KUBECONFIG=${file}`));
    const directory = clusterFolder(run.child.pid ?? 0);
    assert.ok(existsSync(directory));
    run.child.kill(signal);
    assert.equal((await run.ended).code, 0);
    assert.deepEqual([existsSync(file), existsSync(directory)], [false, false]);
  });
}

test('a file that belongs to a running cluster is refused, what a killed one left is overwritten', async () => {
  const file = join(folder, 'kubeconfig-killed');
  const first = start('--kubeconfig', file);
  await untilReady(first);
  const second = await start('--kubeconfig', file).ended;
  assert.equal(second.code, 2);
  assert.match(
    second.stderr,
    /^error: .* belongs to a cluster that runs \(process \d+\): name another --kubeconfig\n$/,
  );
  assert.match(await getNamespaces(file), /^default /m);
  first.child.kill('SIGKILL');
  await first.ended;
  assert.ok(existsSync(file));
  const third = start('--kubeconfig', file);
  await untilReady(third);
  assert.match(await getNamespaces(file), /^default /m);
  third.child.kill('SIGINT');
  assert.equal((await third.ended).code, 0);
  assert.ok(!existsSync(file));
});

test('it ends when the program that started it over a channel is gone', async () => {
  const file = join(folder, 'kubeconfig-channel');
  const run = start('--kubeconfig', file);
  await untilReady(run);
  // Node emits no 'close' on a child whose channel was closed here.
  const exit = once(run.child, 'exit');
  run.child.disconnect();
  assert.deepEqual(await exit, [0, null]);
  assert.ok(!existsSync(file));
});

test('a file of somebody else is refused and stays as it is', async () => {
  for (const [name, text] of [
    ['notes', 'not a kubeconfig\n'],
    ['theirs', '{"apiVersion":"v1","kind":"Config","clusters":[]}\n'],
    ['empty', ''],
  ] as const) {
    const file = join(folder, name);
    writeFileSync(file, text);
    const { code, stderr } = await start('--kubeconfig', file).ended;
    assert.deepEqual([code, readFileSync(file, 'utf8')], [2, text]);
    assert.match(stderr, /^error: .* was not written by this command: name another --kubeconfig\n$/);
  }
});

test('wrong arguments are one line and exit code 2', async () => {
  for (const [args, message] of [
    [[], /name the file to write/],
    [['--kubeconfig'], /kubeconfig/],
    [['--kubeconfig', ''], /name the file to write/],
    [['--kubeconfg', 'x'], /--kubeconfg/],
    [['file'], /file/],
    [['--kubeconfig', join(folder, 'absent', 'file')], /absent is no folder/],
  ] as const) {
    const { code, stdout, stderr } = await start(...args).ended;
    assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2], stderr);
    assert.match(stderr, message);
  }
});

test('--help says how', async () => {
  const { code, stdout } = await start('--help').ended;
  assert.equal(code, 0);
  assert.match(stdout, /^Usage: npm run cluster -- \[--node\] --kubeconfig FILE/);
});
