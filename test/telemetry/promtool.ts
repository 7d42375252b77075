import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cluster/build-binary.ts';
import { acquireBuildLock } from '../cluster/build-lock.ts';

/** The real promtool: from PATH, else out of Debian's `prometheus` package, which is unpacked into the user's cache and not installed. */

export interface Judged {
  readonly code: number;
  /** All that it said. */
  readonly text: string;
}

/** Runs it to its end; any exit code is an answer. */
export async function promtool(args: readonly string[], input = ''): Promise<Judged> {
  const command = await findPromtool();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
    child.on('error', reject).on('close', (code) => resolve({ code: code ?? 1, text }));
    // Who has read enough closes its input: the exit code says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

let found: Promise<string> | undefined;

function findPromtool(): Promise<string> {
  found ??= findInPath().then((path) => path ?? unpackOnce());
  return found;
}

async function findInPath(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, 'promtool')))) return join(folder, 'promtool');
  }
  return undefined;
}

async function unpackOnce(): Promise<string> {
  const folder = join(cacheDirectory(), 'promtool');
  const path = join(folder, 'promtool');
  if (await isExecutable(path)) return path;
  await mkdir(folder, { recursive: true });
  await using _lock = await acquireBuildLock(`${path}.lock`, () => undefined);
  if (await isExecutable(path)) return path;
  const work = await mkdtemp(join(folder, 'unpack-'));
  try {
    await download(work);
    const [deb = ''] = (await readdir(work)).filter((name) => name.endsWith('.deb'));
    await run('dpkg', ['-x', deb, 'tree'], work);
    await rename(join(work, 'tree/usr/bin/promtool'), path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return path;
}

/** An image has no package lists until it is asked to read them. */
async function download(folder: string): Promise<void> {
  try {
    await run('apt-get', ['download', 'prometheus'], folder);
  } catch {
    await run('apt-get', ['update'], folder);
    await run('apt-get', ['download', 'prometheus'], folder);
  }
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)(program, args, { cwd });
  } catch (cause) {
    throw new Error('promtool is missing: install Prometheus and put promtool into PATH (on Debian it is fetched)', {
      cause,
    });
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
