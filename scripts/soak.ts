/**
 * `npm run soak [-- PART...]`: the fault tests of docs/reliability.md in their long form, before a release. The counts are
 * variables of the same tests, so that what CI runs for minutes is what this runs for an hour or two.
 */

const LONG: Readonly<Record<string, string>> = {
  KUBEKEEPER_KILLS: '1000',
  KUBEKEEPER_POWER_CUTS: '100000',
  KUBEKEEPER_TEST_MINUTES: '120',
};

const PARTS: readonly string[] = [
  'test/power/',
  'test/git/killed-writer',
  'test/git/restart',
  'test/flows/remote',
  'test/flows/leader',
  'test/flows/converge',
  'test/flows/noise',
  'test/flows/disk-full',
  'test/archive/publish',
];

for (const [name, value] of Object.entries(LONG)) process.env[name] ??= value;
if (process.argv.length === 2) process.argv.push(...PARTS);
process.stdout.write(
  `${Object.keys(LONG)
    .map((name) => `${name}=${process.env[name]}`)
    .join(' ')}\n`,
);
await import('./test.ts');
