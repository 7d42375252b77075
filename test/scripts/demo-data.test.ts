import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../scripts/demo/menagerie.ts';
import { missingForNode } from '../node/requirements.ts';

const skip = await missingForNode('mmdebstrap');

test('the demo of data deletes a namespace with a database and brings its rows back', {
  skip,
  timeout: 10 * 60_000,
}, async () => {
  const { code, output, left } = await runDemo({});
  assert.equal(code, 0, output);
  for (const said of [
    '-> kubectl apply -n shop -f demo/data/menagerie.yaml',
    '-> kubekeeper backup shop --tag good/monday',
    '-> kubectl delete namespace shop',
    '-> kubekeeper restore shop --to good/monday',
    'Rows and files are back as they were.',
  ]) {
    assert.ok(output.includes(said), `${said} is missing in:\n${output}`);
  }
  // Its archive and its log; the cluster and the node are gone.
  assert.deepEqual(
    left.map((name) => name.replace(/-[^-]+$/, '')),
    ['kubekeeper-demo'],
  );
});

test('on a machine that cannot run pods the demo of data says what is missing, and ends with 2', async () => {
  const { code, output } = await runDemo({ PATH: '/nowhere' });
  assert.equal(code, 2);
  assert.match(output, /^error: the demo of data runs pods on this machine and needs .+\n$/);
});

test('other rows or other files are a failure', () => {
  const saved = { table: 'menagerie.pet 1', files: 'a b' };
  assert.equal(judge(saved, { ...saved }), 0);
  assert.equal(judge(saved, { ...saved, table: 'menagerie.pet 2' }), 1);
  assert.equal(judge(saved, { ...saved, files: 'a c' }), 1);
});

/** Resolves with what it left in the directory for temporary files. */
async function runDemo(environment: NodeJS.ProcessEnv) {
  const directory = await mkdtemp(join(tmpdir(), 'demo-data-test-'));
  try {
    const env = { ...process.env, TMPDIR: directory, ...environment };
    const ended = await new Promise<{ code: number; output: string }>((resolve) => {
      execFile(process.execPath, ['scripts/demo.ts', '--data'], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
      );
    });
    return { ...ended, left: await readdir(directory) };
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
