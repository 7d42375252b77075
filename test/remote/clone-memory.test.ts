import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Place } from '../git/bare-repository.ts';
import { CLEAN_ENVIRONMENT } from './git-backend.ts';
import { startGitServer } from './git-server.ts';

const FILES = 10_000;
const COMMITS = 100;
const BYTES = 5_000;
const MEBIBYTES = 300;

test('a clone of ten thousand objects and fifty megabytes takes less than 300 MiB of memory', async (t) => {
  await using server = await startGitServer();
  const { directory, url } = server.createRepository('large');
  const importing = spawn('git', ['-C', directory, 'fast-import', '--quiet'], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: CLEAN_ENVIRONMENT,
  });
  const ended = once(importing, 'exit');
  await pipeline(Readable.from(history()), importing.stdin);
  assert.deepEqual(await ended, [0, null]);
  using place = new Place();
  const child = new URL('./cloning-child.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [child, url, place.directory]);
  const told = JSON.parse(stdout) as { objects: number; bytes: number; peakMebibytes: number; ms: number };
  t.diagnostic(`${told.objects} objects, ${told.bytes} bytes, ${told.ms} ms, ${told.peakMebibytes} MiB`);
  assert.ok(told.objects > FILES && told.bytes > FILES * BYTES, stdout);
  assert.ok(told.peakMebibytes < MEBIBYTES, stdout);
  assert.equal(place.git('rev-parse', 'main'), server.git('large', 'rev-parse', 'main'));
});

/** For git-fast-import(1): contents that no delta and no deflating makes smaller. */
function* history(): Generator<Buffer> {
  for (let commit = 0; commit < COMMITS; commit++) {
    yield Buffer.from(`commit refs/heads/main\ncommitter a <a@example.com> ${1_700_000_000 + commit} +0000\ndata 0\n`);
    for (let i = 0; i < FILES / COMMITS; i++) {
      yield Buffer.from(`M 100644 inline kind-${commit % 20}/${commit}-${i}.json\ndata ${BYTES}\n`);
      yield randomBytes(BYTES);
      yield Buffer.from('\n');
    }
  }
}
