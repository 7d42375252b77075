import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, BenchContext } from './bench.ts';
import { BENCHES } from './benches.ts';
import { describeMachine } from './report/machine.ts';
import { renderResults, renderSection } from './report/render-results.ts';
import { loadResult, type Result, saveResult } from './report/result-files.ts';
import { Worlds } from './world/worlds.ts';

/** `npm run bench [-- NAME...] [--quick | --report]`; bench/README.md tells the rest. */

const USAGE = `usage: npm run bench -- [NAME...] [--quick | --report]

Measures kubekeeper on a real API server and writes bench/results/NAME.json and bench/RESULTS.md.

${BENCHES.map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`).join('\n')}

  --quick   small numbers, one minute: shows that the benches run; nothing is written
  --report  measure nothing, only write bench/RESULTS.md again
`;

await main();

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) return void process.stdout.write(USAGE);
  const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) return refuse(`there is no bench "${unknown}"`);
  if (process.platform !== 'linux') return refuse('the benches read /proc, so they run on Linux only');
  if (!values.report) {
    const benches = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    await measureUntilStopped(benches, values.quick);
  } else await writeReport();
}

function readArguments() {
  const options = {
    quick: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    refuse((error as Error).message);
    process.exit();
  }
}

function refuse(complaint: string): void {
  process.stderr.write(`error: ${complaint}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function measureUntilStopped(benches: readonly Bench[], isQuick: boolean): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  try {
    await measureAll(benches, isQuick, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write('stopped; what was measured in full is in bench/results\n');
    process.exitCode = 130;
  }
}

async function measureAll(benches: readonly Bench[], isQuick: boolean, signal: AbortSignal): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-bench-'));
  await using worlds = new Worlds(signal);
  try {
    for (const bench of benches) await measureOne(bench, { directory, isQuick, signal, worlds });
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measureOne(
  bench: Bench,
  run: { readonly directory: string; readonly isQuick: boolean; readonly signal: AbortSignal; readonly worlds: Worlds },
): Promise<void> {
  const directory = join(run.directory, bench.name);
  await mkdir(directory);
  const tell = (text: string) => void process.stderr.write(`${bench.name}: ${text}\n`);
  const context: BenchContext = { ...run, directory, tell, world: (size) => run.worlds.open(size, tell) };
  const [machine, date] = [describeMachine(directory), new Date().toISOString()];
  const result: Result = { bench: bench.name, date, machine, figures: await bench.measure(context) };
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  if (!run.isQuick) {
    await saveResult(result);
    await writeReport();
  }
  process.stdout.write(
    `\n## ${bench.title}\n\n${renderSection(bench.describe(result.figures), result).join('\n\n')}\n\n`,
  );
}

async function writeReport(): Promise<void> {
  const measured: { bench: Bench; result: Result }[] = [];
  for (const bench of BENCHES) {
    const result = await loadResult(bench.name);
    if (result !== undefined) measured.push({ bench, result });
  }
  await writeFile(join(import.meta.dirname, 'RESULTS.md'), renderResults(measured));
}
