import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../cluster/build-binary.ts';
import { acquireBuildLock } from '../cluster/build-lock.ts';
import { hashFile, type PackedRoot } from './images.ts';
import { run } from './run.ts';

/** Where apt of this machine gets its packages, in the formats of old and new Debians. */
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

/** Nobody reads these in a pod, and PostgreSQL compiles no queries there: with its compiler the image is twice as large. */
const LEFT_OUT = [
  ...['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/info/*'],
  ...['/usr/lib/*/libLLVM*', '/usr/lib/*/libz3.so*', '/usr/lib/postgresql/*/lib/bitcode/*'],
];

/** Databases that the packages make when they are installed; a test makes its own, on its claim. */
const EMPTIED = ['/var/lib/mysql', '/var/lib/postgresql'];

/** One image for all tests and the demo, since making one takes its time: MariaDB, and PostgreSQL. */
export function databaseRoot(): Promise<PackedRoot> {
  return debianRoot(['mariadb-server', 'postgresql']);
}

/**
 * The root of an image that holds these packages of the Debian that this machine runs. Made once, which takes some
 * minutes, and kept in the user's cache.
 */
async function debianRoot(packages: readonly string[]): Promise<PackedRoot> {
  const suite = await readSuite();
  const sorted = [...packages].sort();
  const recipe = JSON.stringify([suite, process.arch, sorted, LEFT_OUT, EMPTIED]);
  const key = createHash('sha256').update(recipe).digest('hex').slice(0, 16);
  const folder = join(cacheDirectory(), 'images');
  const archive = join(folder, `${key}.tar.gz`);
  const found = async () => ({ archive, digest: await readFile(`${archive}.digest`, 'utf8') });
  if (await exists(archive)) return found();
  await mkdir(folder, { recursive: true });
  await using _lock = await acquireBuildLock(`${archive}.lock`, () => undefined);
  if (await exists(archive)) return found();
  process.stderr.write(`node: making an image of Debian with ${sorted.join(', ')} (once; it takes some minutes)\n`);
  const draft = join(folder, `.${key}.${process.pid}.tar`);
  try {
    await makeRoot(draft, suite, sorted);
    await writeFile(`${archive}.digest`, await hashFile(draft));
    await run('gzip', ['-1', draft]);
    await rename(`${draft}.gz`, archive);
  } finally {
    for (const path of [draft, `${draft}.gz`]) await rm(path, { force: true });
  }
  return found();
}

async function makeRoot(path: string, suite: string, packages: readonly string[]): Promise<void> {
  const options = ['--quiet', '--variant=minbase', `--include=${packages.join(',')}`];
  const smaller = LEFT_OUT.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
  const emptied = EMPTIED.map((folder) => `--customize-hook=rm -rf "$1"${folder}/*`);
  await run('mmdebstrap', [...options, ...smaller, ...emptied, suite, path, await findSources()]);
}

async function readSuite(): Promise<string> {
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  if (suite === undefined)
    throw new Error('an image of Debian can be made on Debian only: /etc/os-release names no code name');
  return suite;
}

async function findSources(): Promise<string> {
  for (const path of SOURCES) if (await exists(path)) return path;
  throw new Error(`an image of Debian needs apt's sources: there is none of ${SOURCES.join(', ')}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
