import { spawnSync } from 'node:child_process';

/** `npm run ok`: everything that must be true before a commit; ends at the first thing that is not. */

const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ['format and lint', ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.']],
  ['types', ['node_modules/.bin/tsc', '--noEmit', '-p', 'tsconfig.json']],
  ['dead code', ['node_modules/.bin/knip']],
  ['generated files', [process.execPath, 'scripts/generate.ts', '--check']],
  ['tests', [process.execPath, 'scripts/test.ts', ...process.argv.slice(2)]],
];

for (const [name, [command = '', ...args]] of STEPS) {
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) {
    process.stdout.write(`not ok: ${name}\n`);
    process.exit(status ?? 1);
  }
}
process.stdout.write('ok\n');
