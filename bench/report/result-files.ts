import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';

/** One run of one bench, as it lies in bench/results/NAME.json. */
export interface Result {
  readonly bench: string;
  readonly date: string;
  readonly machine: Machine;
  readonly figures: unknown;
}

const DIRECTORY = join(import.meta.dirname, '../results');
const FORMATTER = join(import.meta.dirname, '../../node_modules/.bin/biome');

export async function saveResult(result: Result): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true });
  const file = join(DIRECTORY, `${result.bench}.json`);
  await writeFile(file, `${JSON.stringify(result, roundNumber)}\n`);
  // Committed files look as the formatter wants them, or `npm run ok` refuses.
  execFileSync(FORMATTER, ['format', '--write', file], { stdio: 'pipe' });
}

/** The last real run; undefined when there was none. */
export async function loadResult(bench: string): Promise<Result | undefined> {
  try {
    return JSON.parse(await readFile(join(DIRECTORY, `${bench}.json`), 'utf8')) as Result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Fifteen digits of a millisecond say nothing, and make differences unreadable. */
function roundNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}
