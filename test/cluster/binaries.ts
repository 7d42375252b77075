import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The real programs that tests, demo and benches run on, built once from Go modules into a cache outside of the checkout and kept for
 * ever. Where KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver, those are used instead.
 */

export type BinaryName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl' | 'sops';

interface Recipe {
  /** A Go module of ours, beside this file. */
  readonly module: 'binaries' | 'tools';
  readonly package: string;
}

const RECIPES: Readonly<Record<BinaryName, Recipe>> = {
  etcd: { module: 'binaries', package: 'go.etcd.io/etcd/server/v3' },
  'kube-apiserver': { module: 'binaries', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': { module: 'binaries', package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  kubectl: { module: 'binaries', package: 'k8s.io/kubernetes/cmd/kubectl' },
  sops: { module: 'tools', package: 'github.com/getsops/sops/v3/cmd/sops' },
};

const KUBERNETES = { version: 'v1.36.3', major: '1', minor: '36' };
const VERSION = 'k8s.io/component-base/version';
const LINKER = `-s -w -X ${VERSION}.gitVersion=${KUBERNETES.version} -X ${VERSION}.gitMajor=${KUBERNETES.major} -X ${VERSION}.gitMinor=${KUBERNETES.minor}`;
/** A builder touches its lock every second; one that stopped is dead. */
const LOCK_STALE_MS = 15_000;

const paths = new Map<BinaryName, Promise<string>>();

/** The path of a program, built when it is missing; progress goes to standard error. Throws an Error that says what is missing. */
export function binary(name: BinaryName): Promise<string> {
  let path = paths.get(name);
  if (path === undefined) {
    path = findOrBuild(name);
    paths.set(name, path);
  }
  return path;
}

async function findOrBuild(name: BinaryName): Promise<string> {
  const given = process.env['KUBEBUILDER_ASSETS'];
  if (given !== undefined && given !== '') {
    const path = join(given, name);
    if (await exists(path)) return path;
  }
  if (name === 'kubectl') {
    const installed = await findInPath(name);
    if (installed !== undefined) return installed;
  }
  const recipe = RECIPES[name];
  const directory = join(cacheDirectory(), await cacheKey(recipe));
  const path = join(directory, name);
  if (await exists(path)) return path;
  await mkdir(directory, { recursive: true });
  await withLock(`${path}.lock`, async () => {
    if (!(await exists(path))) await build(name, recipe, path);
  });
  return path;
}

function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kubekeeper');
}

async function cacheKey(recipe: Recipe): Promise<string> {
  const module = join(import.meta.dirname, recipe.module);
  const hash = createHash('sha256').update(LINKER).update(process.arch);
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(module, file)));
  return `${recipe.module}-${hash.digest('hex').slice(0, 16)}`;
}

async function build(name: BinaryName, recipe: Recipe, path: string): Promise<void> {
  await promisify(execFile)('go', ['version']).catch((cause) => {
    throw new Error(`Cannot build ${name}: there is no "go"; install Go 1.26 or newer`, { cause });
  });
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  process.stderr.write(`building ${name} (once; minutes for the larger ones) ...\n`);
  const timer = setInterval(() => process.stderr.write(`building ${name}: ${seconds()} s\n`), 30_000);
  const draft = `${path}.${process.pid}`;
  try {
    await runGo(['build', '-trimpath', '-ldflags', LINKER, '-o', draft, recipe.package], recipe.module);
    await rename(draft, path);
  } finally {
    clearInterval(timer);
    await rm(draft, { force: true });
  }
  process.stderr.write(`built ${name} in ${seconds()} s\n`);
}

function runGo(args: readonly string[], module: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      cwd: join(import.meta.dirname, module),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`go ${args.join(' ')} ended with ${code}`));
    });
  });
}

/** Two processes that miss the same program build it once. */
async function withLock(path: string, act: () => Promise<void>): Promise<void> {
  while (!(await takeLock(path))) await new Promise((resolve) => setTimeout(resolve, 500));
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => clearInterval(timer)), 1000);
  try {
    await act();
  } finally {
    clearInterval(timer);
    await rm(path, { recursive: true, force: true });
  }
}

async function takeLock(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LOCK_STALE_MS)
      await rm(path, { recursive: true, force: true });
    return false;
  }
}

async function findInPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await exists(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
