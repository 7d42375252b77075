import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startGitea } from './gitea.ts';

interface Left {
  readonly directory: string;
  readonly pids: Readonly<Record<string, number>>;
}

test('a Gitea is ready in under 20 s, is of version 1.26.0, and leaves neither process nor folder', async () => {
  let left: Left;
  {
    await using gitea = await startGitea();
    left = gitea;
    assert.ok(gitea.readyMs < 20_000, `it took ${gitea.readyMs} ms`);
    assert.deepEqual((await gitea.ask('GET', '/version')).body, { version: '1.26.0' });
    assert.equal((await gitea.ask('GET', '/user')).status, 200);
  }
  await untilGone(left);
});

test('a test that is killed leaves neither Gitea nor folder', async () => {
  const source = pathToFileURL(join(import.meta.dirname, 'gitea.ts')).href;
  const code = `
    const { startGitea } = await import('${source}');
    const { directory, pids } = await startGitea();
    console.log(JSON.stringify({ directory, pids }));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const line = (await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value ?? '{}';
    const left = JSON.parse(line) as Left;
    assert.ok(existsSync(left.directory) && (await isRunning(left.pids['gitea'])), 'it runs');
    child.kill('SIGKILL');
    await untilGone(left);
  } finally {
    child.kill('SIGKILL');
  }
});

async function untilGone({ directory, pids }: Left): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const running = await Promise.all(Object.values(pids).map(isRunning));
    if (!running.includes(true) && !existsSync(directory)) return;
    assert.ok(
      performance.now() < deadline,
      `left after 10 s: ${JSON.stringify(pids)}, folder: ${existsSync(directory)}`,
    );
    await wait(50);
  }
}

/** Not as a zombie that nobody has waited for yet. */
async function isRunning(pid: number | undefined): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return state !== '' && !/^\d+ \(.*\) Z /s.test(state);
}
