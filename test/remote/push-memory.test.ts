import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { PushReport } from './push-child.ts';
import { Pushing } from './pushing.ts';

const FILES = 10_000;
/** Seventy megabytes in all, which no deflating makes smaller. */
const BYTES = 7000;
const MEBIBYTES = 200;

test('a first push of ten thousand objects and seventy megabytes takes less than 200 MiB of memory', async (t) => {
  await using world = await Pushing.start();
  for (let i = 0; i < FILES; i++) {
    world.repository.stage(`kind-${i % 12}/${i}.json`, randomBytes(BYTES));
    if (i % 1000 === 0) await world.repository.spill();
  }
  await world.commit({});
  const child = new URL('./push-child.ts', import.meta.url).pathname;
  const args = [child, world.place.directory, world.server.place('shop').url];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const report = JSON.parse(stdout) as PushReport;
  t.diagnostic(stdout.trim());
  assert.equal(report.objects, FILES + 14);
  assert.ok(report.bytes > FILES * BYTES, stdout);
  assert.ok(report.peakMebibytes < MEBIBYTES, stdout);
  world.judge();
});
