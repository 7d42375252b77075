import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findGap, findLeaks, readHead } from '../../scripts/demo/evidence.ts';

const evidence = { repository: 'shop', path: 'file.json', lines: ['-"replicas": 2', '+"replicas": 4'] };

test('the demo names a change that Git does not have, and a Secret that it has', async () => {
  await using place = await makeRepository();
  const before = await place.commit('    "replicas": 2\n');
  assert.match((await findGap(place.directory, evidence, before)) ?? '', /no commit that changes file\.json/);
  await place.commit('    "replicas": 3\n');
  assert.match((await findGap(place.directory, evidence, before)) ?? '', /does not show \+"replicas": 4/);
  await place.commit('    "replicas": 4\n');
  assert.equal(await findGap(place.directory, evidence, before), undefined);
  assert.match(
    (await findGap(place.directory, { ...evidence, isDeletion: true }, before)) ?? '',
    /file\.json is still in shop\.git/,
  );
  assert.deepEqual(await findLeaks(place.directory, ['shop']), []);
  await place.commit(`"password": "${Buffer.from('demo-only-password-2').toString('base64')}"\n`);
  assert.deepEqual(await findLeaks(place.directory, ['shop']), ['shop.git holds the value of a Secret']);
});

async function makeRepository() {
  const directory = await mkdtemp(join(tmpdir(), 'evidence-'));
  const work = join(directory, 'shop.git');
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', work]);
  return {
    directory,
    commit: async (text: string): Promise<string> => {
      await writeFile(join(work, 'file.json'), text);
      const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
      execFileSync('git', ['-C', work, 'add', '.']);
      execFileSync('git', ['-C', work, ...author, 'commit', '--quiet', '-m', 'a change']);
      return readHead(directory, 'shop');
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
