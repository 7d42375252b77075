import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, keeper, startArchiver, temporaryDirectory } from '../flows/keeper.ts';

/** How bin/kubekeeper.js becomes kubekeeper. */

test('a start needs no folder that it can write', async () => {
  for (const folder of ['/proc/nope', '/dev/null/below']) {
    const ended = await Promise.race([
      keeper(['archive', '--help'], { XDG_CACHE_HOME: folder, NODE_COMPILE_CACHE: '' }),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 20_000).unref()),
    ]);
    assert.equal(ended?.code, 0, folder);
    assert.equal(ended?.stderr, '');
  }
});

test('the archiver is one lean process, the one that was started', async () => {
  await using place = await temporaryDirectory();
  const kubeconfig = join(place.path, 'none');
  const archiver = startArchiver(kubeconfig, join(place.path, 'data'));
  await using _running = archiver;
  const commandLine = await eventually('the lean process', async () => {
    const text = await readFile(`/proc/${archiver.child.pid}/cmdline`, 'utf8').catch(() => '');
    return text.includes('--max-semi-space-size') && text;
  });
  assert.match(commandLine, /main\.(ts|js)\0archive\0/);
  await archiver.stop();
});
