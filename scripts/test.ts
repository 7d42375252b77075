import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { useTestFolder } from './test-folder.ts';

/** `npm test [-- PART...]`: every test, or those whose path holds one of the parts. In CI a skipped test is a failure. */

const LONGEST_TEST_MS = Number(process.env['KUBEKEEPER_TEST_MINUTES'] ?? 15) * 60 * 1000;

/** Each may have a control plane of half a gibibyte, and some hold time limits that a busier machine would miss. */
const SIDE_BY_SIDE = Math.min(availableParallelism(), 6);

/** They take minutes and begin first, so that none is alone at the end: those that wait before those that compute. */
const LONGEST = [
  'founding/mariadb',
  'flows/leader',
  'flows/restore-faults',
  'flows/restore-rights',
  'flows/remote-kills',
  'git/killed-writer',
  'power/power-cut',
  'restore/faults',
  'flows/restore-in-place',
  'flows/restore-built-in',
  'flows/noise',
  'flows/converge',
  'flows/serve',
].map((name) => `test/${name}.test.ts`);

const parts = process.argv.slice(2);
const all = (await Array.fromAsync(glob('test/**/*.test.ts'))).sort();
const files = [...LONGEST, ...all.filter((file) => !LONGEST.includes(file))].filter(
  (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
);
if (files.length === 0) {
  process.stderr.write(`error: no test file has ${parts.join(' or ')} in its path\n`);
  process.exit(2);
}

await buildCluster();
useTestFolder();
// A control plane lives for a minute: a fifth of its start's work is collecting garbage that it could keep in the same memory.
process.env['GOGC'] ??= '200';

let skipped = 0;
const stream = run({ files, concurrency: SIDE_BY_SIDE, timeout: LONGEST_TEST_MS });
stream.on('test:fail', (event) => {
  if (event.todo === undefined || event.todo === false) process.exitCode = 1;
});
stream.on('test:pass', (event) => {
  if (event.skip !== undefined && event.skip !== false) skipped++;
});
stream.on('end', () => {
  if (skipped === 0 || process.env['CI'] !== 'true') return;
  process.stderr.write(`error: ${skipped} tests were skipped, and in CI none may be\n`);
  process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);

/** Once, before the clock of any test runs. */
async function buildCluster(): Promise<void> {
  const { binary } = await import('../test/cluster/binaries.ts');
  for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'sops', 'gitea'] as const)
    await binary(name);
  // What a node needs takes minutes to build: only for tests that start one, where one can be started.
  if (!files.some((file) => file.startsWith('test/node/') || readFileSync(file, 'utf8').includes('/node/'))) return;
  const { missingForNode } = await import('../test/node/requirements.ts');
  const { findNodePrograms } = await import('../test/node/node-programs.ts');
  if ((await missingForNode()) === false) await findNodePrograms();
}
