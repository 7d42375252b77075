import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { runKubectl } from '../cluster/kubectl.ts';
import { missingForNode } from './requirements.ts';

const skip = await missingForNode();
const folder = mkdtempSync(join(tmpdir(), 'kubekeeper-cluster-node-'));
after(() => rmSync(folder, { recursive: true }));

/** What it says until it is ready, or until it ends. */
async function untilReady(child: ChildProcessByStdio<null, Readable, null>): Promise<string> {
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.includes('Ctrl-C')) break;
  }
  return said;
}

test('npm run cluster -- --node: pods run and claims are bound until Ctrl-C; then nothing is left', {
  skip,
}, async () => {
  const kubeconfig = join(folder, 'kubeconfig');
  // By the channel it ends even when this test is killed.
  const child = spawn(process.execPath, ['scripts/cluster.ts', '--node', '--kubeconfig', kubeconfig], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  }) as unknown as ChildProcessByStdio<null, Readable, null>;
  const ended = once(child, 'exit');
  const [, image = ''] = /Pods run the image (\S+)/.exec(await untilReady(child)) ?? [];
  const kubectl = (...args: string[]) => runKubectl(folder, kubeconfig, args);
  await kubectl('run', 'web', `--image=${image}`, '--image-pull-policy=Never');
  await kubectl('wait', 'pod/web', '--for=condition=Ready', '--timeout=60s');
  assert.match(await kubectl('get', 'storageclasses'), /btrfs \(default\)/);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(existsSync(kubeconfig), false);
});
