import { parseDataDirectory, parseOutputFormat } from '../config.ts';
import { DATA_DIRECTORY_SETTINGS } from '../config-shared.ts';
import { parseManifestPath } from '../core/manifest.ts';
import { EXIT, KeeperError } from '../errors.ts';
import { allowDeletions, type HeldDeletions, readHeld } from '../git/held-deletions.ts';
import { printLine, printNote, renderTable } from './output.ts';
import type { Verb } from './verb.ts';

/** `kubekeeper allow-deletions`: a person's word that what a list found missing is really gone. */

/** A running archiver looks every two seconds and then commits. */
const WAIT_MS = 15_000;
const LOOK_EVERY_MS = 250;

export const allowDeletionsCommand: Verb = {
  name: 'allow-deletions',
  summary: 'Let deletions go that are held because they are more than half of a repository',
  arguments: [['<namespace>', 'the repository: a namespace, or _cluster']],
  settings: DATA_DIRECTORY_SETTINGS,
  switches: [
    ['--dry-run', 'only show what is held'],
    ['-o, --output <format>', 'text or json (text)'],
  ],
  examples: [
    'kubekeeper allow-deletions shop --dry-run',
    'kubectl exec -n kubekeeper-system deploy/kubekeeper -- kubekeeper allow-deletions shop',
  ],
  async run([repository = ''], raw) {
    const directory = parseDataDirectory(raw);
    const format = parseOutputFormat(raw);
    const held = readHeld(directory, repository);
    if (held === undefined) throw nothingHeld(repository, directory);
    const isDryRun = raw['dryRun'] === true;
    if (!isDryRun) await allowDeletions(directory, held);
    if (format === 'text') printHeld(held);
    const taken = !isDryRun && (await waitTaken(directory, repository));
    if (format === 'json') printLine(JSON.stringify({ version: 1, ...held, allowed: !isDryRun, taken }, null, 2));
    else printNote(isDryRun ? nextStep(repository) : taken ? gone(held) : waits(repository));
    return EXIT.done;
  },
};

function printHeld(held: HeldDeletions): void {
  const byResource = new Map<string, number>();
  for (const path of held.paths) {
    const resource = parseManifestPath(path)?.resource ?? path;
    byResource.set(resource, (byResource.get(resource) ?? 0) + 1);
  }
  printLine(`${held.paths.length} of ${held.files} objects of ${held.repository}, held since ${held.since}:`);
  printLine(renderTable([...byResource].map(([resource, count]) => [`  ${resource}`, String(count)])));
}

function nextStep(repository: string): string {
  return `nothing was changed; let them go with: kubekeeper allow-deletions ${repository}`;
}

function gone(held: HeldDeletions): string {
  return `allowed: the running archiver has deleted them from the tree; git log still has all ${held.paths.length}`;
}

function waits(repository: string): string {
  return `allowed: the next archive of ${repository} deletes them from the tree; no archiver took the word within ${WAIT_MS / 1000} s`;
}

/** The archiver forgets what it held once that is committed. */
async function waitTaken(directory: string, repository: string): Promise<boolean> {
  for (let waited = 0; waited < WAIT_MS; waited += LOOK_EVERY_MS) {
    if (readHeld(directory, repository) === undefined) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

function nothingHeld(repository: string, directory: string): KeeperError {
  return new KeeperError(
    `Nothing is held in "${repository}" of the data directory "${directory}"; nothing was changed, "held" lines of the archiver's log name the repository`,
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}
