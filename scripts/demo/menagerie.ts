import { printFailure, printHeading, printResult } from './screen.ts';
import type { Shell } from './shell.ts';

/** The database of the demo, as a person uses it. */

/** What must be the same before and after, and whose it is. */
export interface Seen {
  readonly table: string;
  readonly files: string;
}

const IN_POD = ['exec', '-n', 'shop', 'deployment/mariadb', '--'];
const MARIADB = ['mariadb', '--user=keeper', 'menagerie'];

/** Resolves when rows and files are there. */
export async function loadDatabase({ kubectl }: Shell): Promise<void> {
  await kubectl(['create', 'namespace', 'shop']);
  const applied = await kubectl(['apply', '-n', 'shop', '-f', 'demo/data/menagerie.yaml']);
  printResult(applied.trim());
  await kubectl(['rollout', 'status', 'deployment/mariadb', '-n', 'shop', '--timeout=120s']);
  await kubectl(['exec', '-i', ...IN_POD.slice(1), ...MARIADB], 'demo/data/pets.sql');
  for (const name of ['1000.txt', '2000.txt'])
    await kubectl([...IN_POD, 'sh', '-c', `head -c ${Number.parseInt(name, 10)}00 /dev/urandom > /data/files/${name}`]);
}

export async function lookAtData({ kubectl }: Shell): Promise<Seen> {
  const rows = await kubectl([...IN_POD, ...MARIADB, '--table', '--execute=SELECT * FROM pet']);
  printResult(rows.trimEnd());
  const table = await kubectl([...IN_POD, ...MARIADB, '--skip-column-names', '--execute=CHECKSUM TABLE pet']);
  printResult(table.trimEnd());
  const files = await kubectl([...IN_POD, 'sh', '-c', 'sha256sum /data/files/*']);
  printResult(files.trimEnd());
  return { table, files };
}

/** What nobody wants to keep. */
export async function spoilData({ kubectl }: Shell): Promise<void> {
  await kubectl([...IN_POD, ...MARIADB, "--execute=DELETE FROM pet WHERE owner = 'Amina'"]);
}

/** The exit code: 0 only if rows and files are the same. */
export function judge(saved: Seen, found: Seen): number {
  if (found.table !== saved.table) printFailure('the rows are not those that were backed up');
  if (found.files !== saved.files) printFailure('the files are not those that were backed up');
  if (found.table !== saved.table || found.files !== saved.files) return 1;
  printHeading('Rows and files are back as they were.');
  return 0;
}
