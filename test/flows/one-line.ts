import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from './keeper.ts';

/** What two replicas write together, judged by the real git: one line of history in which each change stands once. */

/** Every acknowledged commit is there, in one line; every object was added exactly once; the counter only grew. */
export async function assertOneLine(
  dataDirectory: string,
  repository: string,
  expected: { readonly made: readonly string[]; readonly acknowledged: readonly string[] },
): Promise<void> {
  const ask = (...args: readonly string[]) => git(dataDirectory, repository, ...args);
  const lines = async (...args: readonly string[]) => (await ask(...args)).split('\n').filter((line) => line !== '');
  await ask('fsck', '--strict', '--full');
  const commits = await lines('rev-list', 'main');
  assert.deepEqual(await lines('rev-list', '--first-parent', 'main'), commits);
  assert.deepEqual(await lines('rev-list', '--min-parents=2', 'main'), []);
  const lost = expected.acknowledged.filter((id) => !commits.includes(id));
  assert.deepEqual(lost, [], 'acknowledged commits are gone');
  assert.equal(new Set(expected.acknowledged).size, expected.acknowledged.length, 'a commit was told twice');
  const added = await lines('log', '--diff-filter=A', '--name-only', '--format=', 'main', '--', 'configmaps');
  const changes = added.filter((path) => path.includes('/change-')).sort();
  assert.deepEqual(
    changes,
    expected.made.map((name) => `configmaps/${name}.json`),
  );
  assert.deepEqual(await lines('log', '--diff-filter=D', '--name-only', '--format=', 'main', '--', 'configmaps'), []);
  const counter = await lines('log', '--reverse', '-p', '--format=', 'main', '--', 'configmaps/counter.json');
  const values = counter.flatMap((line) => /^\+\s+"value": "(\d+)"/.exec(line)?.[1] ?? []).map(Number);
  assert.ok(values.length > 1);
  assert.deepEqual(
    values,
    [...new Set(values)].sort((left, right) => left - right),
  );
}

/** Every file below the repositories with size and time; a lock that is touched says nothing. */
export async function fingerprintRepositories(dataDirectory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(dataDirectory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(dataDirectory.length + 1);
    if (!entry.isFile() || name === 'lock') continue;
    const stats = await stat(path).catch((error: unknown) => assert.equal((error as { code?: string }).code, 'ENOENT'));
    // A lock that went while we looked: the next look differs.
    if (stats === undefined) continue;
    const { size, mtimeMs } = stats;
    const content = name.includes('/refs/') ? await readFile(path, 'utf8') : '';
    found.set(name, `${size} ${mtimeMs} ${content.trim()}`);
  }
  return found;
}
