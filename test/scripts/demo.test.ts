import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../cluster/binaries.ts';

const limits = { timeout: 5 * 60_000 };

test('the demo archives a shop, shows six changes in Git, and takes the cluster away', limits, async () => {
  await using demo = await startDemo();
  assert.equal(await demo.ended, 0, demo.output());
  const output = demo.output();
  for (const said of [
    '-> kubectl set image deployment/web web=registry.example.com/shop/web:1.5 -n shop-web',
    'shop-ops.git log --stat',
    '-            "image": "registry.example.com/shop/web:1.4",',
    '+            "image": "registry.example.com/shop/web:1.5",',
    'vouchers.shop.example.com/spring.json',
    'All 6 changes are in Git, and no value of a Secret is.',
  ]) {
    assert.ok(output.includes(said), `${said} is missing in:\n${output}`);
  }
  assert.ok(!output.includes('\u001b['), 'colours although this is no terminal');
  const repository = /^ {3}(\/.*shop-web\.git)$/m.exec(output)?.[1] ?? '';
  assert.ok(existsSync(repository), 'the repositories stay');
  assert.equal(
    execFileSync('git', ['-C', repository, 'rev-list', '--count', 'main'], { encoding: 'utf8' }).trim(),
    '4',
  );
  await assertNothingRuns(demo.directory);
});

test('with --keep the cluster stays up, new commits show up, and Ctrl-C ends it with 0', limits, async () => {
  await using demo = await startDemo('--keep');
  await demo.said('stays up until Ctrl-C');
  const kubeconfig = await demo.said(/export KUBECONFIG=(\S+)/);
  const kubectl = await binary('kubectl');
  const change = ['-n', 'shop-web', 'set', 'image', 'deployment/cart', 'cart=cart:9'];
  execFileSync(kubectl, change, { env: { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: demo.directory } });
  await demo.said('deployments.apps/cart: image');
  demo.kill('SIGINT');
  assert.equal(await demo.ended, 0, demo.output());
  await assertNothingRuns(demo.directory);
  assert.ok(!existsSync(kubeconfig), 'the cluster is gone');
});

test('Ctrl-C in the middle ends the demo with 130 and leaves nothing', limits, async () => {
  await using demo = await startDemo();
  await demo.said('-> kubekeeper archive');
  demo.kill('SIGINT');
  assert.equal(await demo.ended, 130, demo.output());
  await assertNothingRuns(demo.directory);
  assert.deepEqual(await readdir(demo.directory), []);
});

test('a demo that is killed leaves no process', limits, async () => {
  await using demo = await startDemo();
  await demo.said('-> kubekeeper archive');
  demo.kill('SIGKILL');
  await demo.ended;
  await assertNothingRuns(demo.directory);
});

interface Demo extends AsyncDisposable {
  /** All that the demo makes lies in here. */
  readonly directory: string;
  readonly ended: Promise<number | null>;
  output(): string;
  /** Waits for a text, or for a pattern whose first group is the answer. */
  said(text: string | RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

async function startDemo(...args: readonly string[]): Promise<Demo> {
  await binary('kube-controller-manager');
  const directory = await mkdtemp(join(tmpdir(), 'demo-test-'));
  const child: ChildProcess = spawn(process.execPath, ['scripts/demo.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: directory },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    directory,
    ended,
    output: () => output,
    said: async (text) => {
      while (child.exitCode === null) {
        const found = typeof text === 'string' ? output.includes(text) && text : text.exec(output)?.[1];
        if (typeof found === 'string') return found;
        await sleep(50);
      }
      throw new Error(`the demo ended without saying ${text}:\n${output}`);
    },
    kill: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** No process has the demo's folder in its command line, at the latest after a few seconds. */
async function assertNothingRuns(directory: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const running = await commandsWith(directory);
    if (running.length === 0) return;
    assert.ok(tries < 150, `still running: ${running.join('\n')}`);
    await sleep(100);
  }
}

async function commandsWith(text: string): Promise<readonly string[]> {
  if (process.platform !== 'linux') {
    const commands = execFileSync('ps', ['-A', '-o', 'command='], { encoding: 'utf8' }).split('\n');
    return commands.filter((command) => command.includes(text));
  }
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // A process that has just ended has nothing to read.
  const commands = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(text));
}
