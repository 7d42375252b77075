// `node scripts/bootstrap.js SCRIPT.ts ARGS...`: plain JavaScript for any Node >= 18. Installs what is missing, names what it
// cannot install, then runs SCRIPT with a Node that strips types, in the root of the repository.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const USAGE = `Usage: node scripts/bootstrap.js SCRIPT.ts [ARGUMENT...]

Runs a script of this repository with Node 24. Before it, installs the npm packages when they are absent or old, and as
root on Debian also Git and Go. The scripts: cluster.ts, demo.ts, ok.ts, test.ts in scripts/, bench/run.ts.
`;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const GO_MODULE = join(root, 'test', 'cluster', 'binaries');
const MARK = join(root, 'node_modules', '.kubekeeper-lock');

const [script, ...args] = process.argv.slice(2);
if (script === '--help' || script === '-h') {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (script === undefined || !existsSync(join(root, script))) {
  refuse([script === undefined ? 'name a script, like scripts/test.ts' : `there is no ${script} in ${root}`]);
}
// A question for help needs no tools; `ok` says itself what it misses.
if (!args.includes('--help') && !args.includes('-h') && !script.endsWith('ok.ts')) provideTools();
installPackages();
runScript(findNode(), script, args);

function provideTools() {
  const missing = [...(isPresent('git') ? [] : ['git']), ...(isPresent('go') ? [] : ['golang-go'])];
  if (needsCompiler() && !isPresent('gcc')) missing.push('gcc', 'libc6-dev');
  if (needsNode()) missing.push(...missingForNode());
  if (missing.length > 0) installDebianPackages(missing);
  const problems = [gitProblem(), goProblem(), compilerProblem()].filter((problem) => problem !== undefined);
  if (problems.length > 0) refuse(problems);
}

/** Only what is missing, only as root; what did not help is named afterwards. */
function installDebianPackages(names) {
  if (process.getuid?.() !== 0 || !isPresent('apt-get')) return;
  // Go fetches its modules over HTTPS and asks the system whom to trust.
  const packages = existsSync('/etc/ssl/certs/ca-certificates.crt') ? names : [...names, 'ca-certificates'];
  process.stderr.write(`installing ${packages.join(', ')} with apt-get\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    spawnSync('apt-get', words, { stdio: ['ignore', 2, 2], env });
  }
}

/** The tests' forge is built with its database in C. */
function needsCompiler() {
  return script.endsWith('/test.ts') || script.endsWith('/soak.ts');
}

/** The demo of data runs pods on this machine, as root; what is missing then it says itself. */
function needsNode() {
  return script.endsWith('/demo.ts') && args.includes('--data');
}

function missingForNode() {
  const programs = {
    containerd: 'containerd',
    runc: 'runc',
    'mkfs.btrfs': 'btrfs-progs',
    busybox: 'busybox-static',
    mmdebstrap: 'mmdebstrap',
  };
  const packages = Object.entries(programs).flatMap(([program, name]) => (isPresent(program) ? [] : [name]));
  return existsSync('/usr/lib/cni/bridge') ? packages : [...packages, 'containernetworking-plugins'];
}

function compilerProblem() {
  if (!needsCompiler() || isPresent('gcc')) return undefined;
  return 'gcc is missing: install it (on Debian: apt-get install gcc libc6-dev)';
}

function gitProblem() {
  return isPresent('git') ? undefined : 'git is missing: install it (on Debian: apt-get install git)';
}

/** Asked inside of the module: a Go of 1.21 or newer that may fetch newer ones then answers with the version it would use. */
function goProblem() {
  const needed = neededGo();
  const advice = `install Go ${needed} or newer from https://go.dev/dl/ and put it first in PATH`;
  if (!isPresent('go')) return `go is missing: ${advice}`;
  const { status, stdout } = spawnSync('go', ['version'], {
    cwd: existsSync(GO_MODULE) ? GO_MODULE : root,
    encoding: 'utf8',
  });
  const used = status === 0 ? goVersion(stdout) : undefined;
  if (used !== undefined && isAtLeast(used, needed)) return undefined;
  // What it is without the module's wish.
  const env = { ...process.env, GOTOOLCHAIN: 'local' };
  const found = goVersion(spawnSync('go', ['version'], { encoding: 'utf8', env, cwd: '/' }).stdout ?? '');
  const what = found === undefined ? 'go does not run' : `Go ${found} is too old and cannot fetch a newer one`;
  return `${what}: ${advice}`;
}

function neededGo() {
  const file = join(GO_MODULE, 'go.mod');
  const line = existsSync(file) ? /^go (\d+\.\d+)/m.exec(readFileSync(file, 'utf8')) : null;
  return line?.[1] ?? '1.26';
}

function goVersion(text) {
  return /go version go(\d+\.\d+)/.exec(text)?.[1];
}

function isAtLeast(version, needed) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

function isPresent(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)));
}

/** `npm ci` when node_modules was not made from the present lock file; the mark is written only after success. */
function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(MARK) && readFileSync(MARK, 'utf8').trim() === lock) return;
  process.stderr.write('installing the npm packages (npm ci)\n');
  // Node 24 comes as a development dependency with an install script, whatever the user's settings say.
  const words = ['ci', '--include=dev', '--ignore-scripts=false', '--no-audit', '--no-fund'];
  const { status, error } = spawnSync('npm', words, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined)
    refuse([`npm does not run (${error.code}): install it, it comes with Node from https://nodejs.org`]);
  if (status !== 0) refuse(['npm ci failed, see above: without its packages nothing runs; try again once it works']);
  mkdirSync(dirname(MARK), { recursive: true });
  writeFileSync(MARK, `${lock}\n`);
}

function findNode() {
  const installed = join(root, 'node_modules', 'node', 'bin', 'node');
  for (const node of [installed, process.execPath]) {
    const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    if (status === 0 && isAtLeast(stdout.trim().slice(1), '24.12')) return node;
  }
  return refuse([
    `Node ${process.versions.node} is too old and the one in node_modules does not run: install Node 24.12 or newer`,
  ]);
}

function runScript(node, path, words) {
  const folders = [join(root, 'node_modules', '.bin'), dirname(node), process.env.PATH ?? ''];
  const env = { INIT_CWD: process.cwd(), ...process.env, PATH: folders.join(delimiter) };
  const child = spawn(node, [path, ...words], { cwd: root, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse([`${node} does not start: ${error.message}`]));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    // Ends as the script ended, so that a shell sees the signal.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function refuse(problems) {
  for (const problem of problems) process.stderr.write(`error: ${problem}\n`);
  process.exit(2);
}
