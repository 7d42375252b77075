import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { missingForNode } from './requirements.ts';
import { run } from './run.ts';
import { sweepNodes } from './sweep.ts';
import { startTestNode } from './test-node.ts';

const skip = await missingForNode();

const FIXTURE = pathToFileURL(`${import.meta.dirname}/test-node.ts`).href;
/** A node that does all that leaves traces: a pod with a file system and a device. */
const CHILD = `
  const { startTestNode } = await import('${FIXTURE}');
  const world = await startTestNode();
  await world.createNamespace('busy');
  await world.createClaim('busy', 'data');
  await world.createClaim('busy', 'disk', { block: true });
  await world.runPod('busy', 'web', ['data'], ['disk']);
  console.log(JSON.stringify({ directory: world.node.directory, supervisor: world.node.supervisorPid }));
  setInterval(() => {}, 1000);
`;

/**
 * What of a node is still in the kernel or on the disk, by whatever names it. A device that the kubelet put on one of the
 * node's has no name, and keeps that one there.
 */
async function tracesOf(directory: string): Promise<readonly string[]> {
  const id = directory.split('/').at(-1) ?? '';
  const key = id.split('-').at(-1) ?? '';
  const processes = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(async (pid) => {
        const [line, group] = await Promise.all(
          ['cmdline', 'cgroup'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
        );
        return line?.includes(id) || group?.includes(id) ? [`process ${pid}: ${line?.replaceAll('\0', ' ')}`] : [];
      }),
  );
  const loops = (await run('losetup', ['--list', '--noheadings'])).split('\n').filter((line) => line.includes(id));
  const groups = (await run('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', id])).split('\n').filter(Boolean);
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(id));
  const links = (await readdir('/sys/class/net')).filter((name) => name.includes(key));
  const folder = existsSync(directory) ? [directory] : [];
  return [...processes.flat(), ...loops, ...groups, ...mounts, ...links, ...folder];
}

async function untilNoTrace(directory: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const left = await tracesOf(directory);
    if (left.length === 0) return;
    assert.ok(performance.now() < deadline, `left after 20 s:\n${left.join('\n')}`);
    await wait(200);
  }
}

/** A node in a process of its own, ready and busy. */
async function startInChild() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = (await lines.next()).value ?? '{}';
  const { directory, supervisor } = JSON.parse(line) as { directory: string; supervisor: number };
  return { directory, supervisor, kill: () => child.kill('SIGKILL') };
}

test('a node that is disposed of leaves nothing, though a pod runs on a file system and a device', {
  skip,
}, async () => {
  let directory = '';
  {
    await using world = await startTestNode();
    directory = world.node.directory;
    await world.createNamespace('busy');
    await world.createClaim('busy', 'data');
    await world.createClaim('busy', 'disk', { block: true });
    await world.runPod('busy', 'web', ['data'], ['disk']);
    assert.notEqual((await tracesOf(directory)).length, 0);
  }
  assert.deepEqual(await tracesOf(directory), []);
});

test('two nodes stand side by side, and the end of one does not end the other', { skip }, async () => {
  await using stays = await startTestNode();
  {
    await using goes = await startTestNode();
    assert.notEqual(goes.node.directory, stays.node.directory);
    await goes.createNamespace('busy');
    await goes.runPod('busy', 'web', []);
  }
  await sweepNodes();
  await stays.createNamespace('busy');
  await stays.createClaim('busy', 'data');
  await stays.runPod('busy', 'web', ['data']);
});

test('a test that is killed leaves nothing of its node', { skip }, async () => {
  const child = await startInChild();
  child.kill();
  await untilNoTrace(child.directory);
});

test('where the supervisor of a node is killed too, the next start takes away what is left', { skip }, async () => {
  const child = await startInChild();
  process.kill(child.supervisor, 'SIGKILL');
  child.kill();
  const deadline = performance.now() + 20_000;
  // Its processes die with it; the rest waits for the sweep, which spares a node of which somebody still speaks.
  while ((await tracesOf(child.directory)).some((trace) => trace.startsWith('process'))) {
    assert.ok(performance.now() < deadline, 'processes are left after 20 s');
    await wait(200);
  }
  assert.notEqual((await tracesOf(child.directory)).length, 0);
  await sweepNodes();
  await untilNoTrace(child.directory);
});
