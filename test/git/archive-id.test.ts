import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { archiveIdOf } from '../../controller/git/archive-id.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

test('a data directory has one id for ever, whoever asks first', async () => {
  await using directory = await temporaryDirectory();
  const ids = await Promise.all(Array.from({ length: 20 }, () => archiveIdOf(directory.path)));
  assert.match(ids[0] ?? '', /^[0-9a-f]{16}$/);
  assert.equal(new Set([...ids, await archiveIdOf(directory.path)]).size, 1);
  assert.deepEqual(await readdir(directory.path), ['archive-id']);
});

test('a file that holds no id is refused and left as it is', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'archive-id'), 'mine');
  await assert.rejects(archiveIdOf(directory.path), { code: 'DATA_DIRECTORY_UNUSABLE' });
});
