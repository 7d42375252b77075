import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createZip } from '../../controller/cli/zip.ts';
import { temporaryDirectory } from '../flows/keeper.ts';

const run = promisify(execFile);

test('a zip of more files than a small table can name is read by unzip and by Python', async () => {
  await using directory = await temporaryDirectory();
  for (const count of [1, 65_534, 65_535, 70_001]) {
    const zip = createZip(new Date('2026-11-20T14:00:30Z'), 0o600);
    const parts = Array.from({ length: count }, (_, index) =>
      zip.add(`a/${index}.json`, index === 7 ? 'ä'.repeat(99_999) : `${index}`),
    );
    const file = join(directory.path, `${count}.zip`);
    await writeFile(file, Buffer.concat([...parts, zip.end()]));
    await run('unzip', ['-tqq', file], { maxBuffer: 2 ** 26 });
    const read =
      'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\ni = z.infolist()\nprint(len(i), z.testzip(), z.read(i[-1]).decode(), oct(i[0].external_attr >> 16), i[0].date_time)';
    const { stdout } = await run('python3', ['-c', read, file]);
    assert.equal(stdout, `${count} None ${count - 1} 0o100600 (2026, 11, 20, 14, 0, 30)\n`);
  }
});
