import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingForNode } from '../test/node/requirements.ts';
import { printFailure } from './demo/screen.ts';
import { showChanges } from './demo/show-changes.ts';
import { showData } from './demo/show-data.ts';

/**
 * `npm run demo [-- --data] [--keep]`: a real control plane, a small shop, its archive, six changes, and what Git shows of them; with
 * --data a node too, a database on it, and its rows back after its namespace was deleted. Ends with 0 only if all is as promised.
 * What was archived stays, the cluster goes; with --keep it stays up until Ctrl-C.
 */

const INTERRUPTED = 130;
const USAGE = `usage: npm run demo [-- --data] [-- --keep]
  --data   a database in a pod: its namespace is deleted, and its rows come back (Linux, as root)
  --keep   the cluster stays up until Ctrl-C`;

process.chdir(join(import.meta.dirname, '..'));
const { data, keep } = parse();
if (data) await requireNode();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());
const folder = await mkdtemp(join(tmpdir(), 'kubekeeper-demo-'));
try {
  process.exitCode = await (data ? showData : showChanges)(folder, keep, interruption.signal);
} catch (error) {
  process.exitCode = interruption.signal.aborted ? INTERRUPTED : 1;
  if (interruption.signal.aborted) await rm(folder, { recursive: true, force: true });
  else printFailure(`${error instanceof Error ? error.message : error}\nwhat there is lies in ${folder}`);
}
// What was being started when it was interrupted ends with this process.
process.exit();

function parse(): { readonly data: boolean; readonly keep: boolean } {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({ options: { data: flag, keep: flag, help: { ...flag, short: 'h' } } });
    if (!values.help) return values;
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    process.exit(2);
  }
}

async function requireNode(): Promise<void> {
  const missing = await missingForNode('mmdebstrap');
  if (missing === false) return;
  process.stderr.write(`error: the demo of data runs pods on this machine and ${missing}\n`);
  process.exit(2);
}
