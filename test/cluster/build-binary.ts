import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { acquireBuildLock } from './build-lock.ts';

/** A program that a Go module of ours names as a tool. */
export interface GoCommand {
  /** The folder of its go.mod and go.sum. */
  readonly module: string;
  readonly package: string;
  readonly linkerFlags: string;
  /** A folder of Go files of ours that decide the result too. */
  readonly sources?: string;
  /** Build tags; with them C code is compiled in (SQLite is C), which needs a C compiler. */
  readonly tags?: string;
}

const PROGRESS_MS = 5000;
const KEPT_OUTPUT = 4000;

/**
 * Builds once into the user's cache, in a folder named by all that decides the result, and reuses it for ever.
 * Progress goes to stderr, because a first build takes minutes.
 */
export async function buildBinary(name: string, command: GoCommand): Promise<string> {
  const folder = join(cacheDirectory(), await keyOf(command));
  const path = join(folder, name);
  if (await exists(path)) return path;
  await mkdir(folder, { recursive: true });
  await using _lock = await acquireBuildLock(join(folder, `${name}.lock`), () =>
    report(`waiting for another process that builds ${name}`),
  );
  if (await exists(path)) return path;
  for (const left of await readdir(folder)) {
    // Of a builder that was killed.
    if (left.startsWith(`.${name}.`)) await rm(join(folder, left), { force: true });
  }
  const temporary = join(folder, `.${name}.${process.pid}`);
  try {
    await runGoBuild(name, command, temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return path;
}

export function cacheDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'] ?? '';
  // The XDG base directory specification has relative paths ignored.
  return join(isAbsolute(configured) ? configured : join(homedir(), '.cache'), 'kubekeeper');
}

async function keyOf({ module, linkerFlags, tags, sources }: GoCommand): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${linkerFlags}\n`);
  if (tags !== undefined) hash.update(`${tags}\n`);
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(module, file)));
  for (const file of sources === undefined ? [] : (await readdir(sources)).sort()) {
    hash.update(`${file}\n`).update(await readFile(join(sources ?? '', file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function runGoBuild(name: string, command: GoCommand, output: string): Promise<void> {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  report(`building ${name} from Go modules (once; the first time takes minutes)`);
  const timer = setInterval(() => report(`building ${name}: ${seconds()} s`), PROGRESS_MS);
  const args = [
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    command.linkerFlags,
    '-tags',
    command.tags ?? '',
    '-o',
    output,
    command.package,
  ];
  const go = spawn('go', args, {
    cwd: command.module,
    // A user's GOFLAGS or workspace would build something else than go.sum says.
    env: { ...process.env, CGO_ENABLED: command.tags === undefined ? '0' : '1', GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = () => go.kill();
  process.once('exit', stop);
  try {
    await untilBuilt(name, go);
    report(`built ${name} in ${seconds()} s`);
  } finally {
    clearInterval(timer);
    process.off('exit', stop);
  }
}

async function untilBuilt(name: string, go: ChildProcess): Promise<void> {
  let output = '';
  go.stderr?.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-KEPT_OUTPUT);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  go.once('error', reject).once('close', resolve);
  const code = await promise.catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new Error('go is not installed: install Go 1.26 or newer from https://go.dev/dl/ and try again', { cause });
  });
  if (code !== 0) throw new Error(`go could not build ${name}:\n${output}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function report(line: string): void {
  process.stderr.write(`cluster: ${line}\n`);
}
