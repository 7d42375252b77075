import assert from 'node:assert/strict';
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';

/** On a tiny package without dependencies: nothing is fetched. */

const SAY = `console.log(JSON.stringify({
  args: process.argv.slice(2), folder: process.cwd(), path: process.env.PATH.split(':'), wrapped: process.env.WRAPPED ?? '',
}));
process.exit(7);
`;
const ECHO = 'process.stdin.pipe(process.stdout);\n';
const WAIT = `process.on('SIGTERM', () => process.exit(9));
setTimeout(() => {}, 20_000);
console.log('waiting');
`;

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kubekeeper-bootstrap-')));
after(() => rmSync(folder, { recursive: true }));
let root = '';
let count = 0;

beforeEach(() => {
  root = join(folder, `${count++}`);
  mkdirSync(join(root, 'scripts'), { recursive: true });
  mkdirSync(join(root, 'programs'));
  copyFileSync('scripts/bootstrap.js', join(root, 'scripts', 'bootstrap.js'));
  write('package.json', JSON.stringify({ name: 'tiny', version: '1.0.0', type: 'module' }));
  writeLock('1.0.0');
  for (const [name, text] of Object.entries({ say: SAY, echo: ECHO, wait: WAIT })) write(`scripts/${name}.ts`, text);
  write('scripts/ok.ts', SAY);
});

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

function writeLock(version: string): void {
  const packages = { '': { name: 'tiny', version } };
  write('package-lock.json', JSON.stringify({ name: 'tiny', version, lockfileVersion: 3, requires: true, packages }));
}

function writeProgram(name: string, text: string): void {
  write(`programs/${name}`, `#!/bin/sh\n${text}\n`);
  chmodSync(join(root, 'programs', name), 0o755);
}

/** A machine that has only these programs of the real one. */
function onlyWith(...names: readonly string[]): Record<string, string> {
  for (const name of names) {
    const found = (process.env['PATH'] ?? '').split(delimiter).find((one) => existsSync(join(one, name)));
    assert.ok(found, `this test needs ${name}`);
    symlinkSync(realpathSync(join(found, name)), join(root, 'programs', name));
  }
  symlinkSync(process.execPath, join(root, 'programs', 'node'));
  return { PATH: join(root, 'programs') };
}

function start(args: readonly string[], env: Record<string, string> = {}, options: SpawnOptions = {}) {
  // npm looks for newer versions of itself now and then; this stays offline.
  const settings = {
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
    npm_config_cache: join(root, 'cache'),
  };
  const child = spawn(process.execPath, [join(root, 'scripts', 'bootstrap.js'), ...args], {
    stdio: 'pipe',
    ...options,
    env: { ...process.env, ...settings, ...env },
  });
  let [stdout, stderr] = ['', ''];
  const { promise: waiting, resolve: noteWaiting } = Promise.withResolvers<void>();
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    if (stdout.includes('waiting')) noteWaiting();
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return { child, waiting, ended };
}

function run(args: readonly string[], env: Record<string, string> = {}, options: SpawnOptions = {}) {
  return start(args, env, options).ended;
}

test('it installs once, and again when the lock file has changed', async () => {
  const first = await run(['scripts/say.ts']);
  assert.equal(first.code, 7, first.stderr);
  assert.match(first.stderr, /^installing the npm packages \(npm ci\)\n/);
  assert.equal((await run(['scripts/say.ts'])).stderr, '');
  writeLock('1.0.1');
  write('package.json', JSON.stringify({ name: 'tiny', version: '1.0.1', type: 'module' }));
  assert.match((await run(['scripts/say.ts'])).stderr, /^installing/);
  assert.equal((await run(['scripts/say.ts'])).stderr, '');
  rmSync(join(root, 'node_modules'), { recursive: true });
  assert.match((await run(['scripts/say.ts'])).stderr, /^installing/);
});

test('an install that fails is named, is no success the next time either, and starts nothing', async () => {
  write('package.json', JSON.stringify({ name: 'tiny', version: '1.0.0', dependencies: { absent: '1.0.0' } }));
  for (let tries = 0; tries < 2; tries++) {
    const { code, stdout, stderr } = await run(['scripts/say.ts']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /\nerror: npm ci failed, see above.*\n$/);
  }
});

test('the script gets its arguments, the root as folder, and the tools of node_modules first in PATH', async () => {
  const { code, stdout } = await run(['scripts/say.ts', '--a', 'b c', ''], {}, { cwd: tmpdir() });
  const said = JSON.parse(stdout);
  assert.deepEqual([code, said.args, said.folder], [7, ['--a', 'b c', ''], root]);
  assert.deepEqual(said.path.slice(0, 2), [join(root, 'node_modules', '.bin'), join(process.execPath, '..')]);
});

test('the Node of node_modules is preferred to the one that runs', async () => {
  const node = 'node_modules/node/bin/node';
  const lines = ['#!/bin/sh', `WRAPPED=yes exec '${process.execPath}' "$@"`]
    .map((line) => `echo ${quote(line)}`)
    .join('; ');
  const scripts = { postinstall: `mkdir -p node_modules/node/bin && { ${lines}; } >${node} && chmod +x ${node}` };
  write('package.json', JSON.stringify({ name: 'tiny', version: '1.0.0', type: 'module', scripts }));
  const { stdout, stderr } = await run(['scripts/say.ts'], { npm_config_ignore_scripts: 'true' });
  assert.equal(JSON.parse(stdout || '{}').wrapped, 'yes', stderr);
});

test('standard input and output are those of the script', async () => {
  const { child, ended } = start(['scripts/echo.ts']);
  child.stdin?.end('through and back');
  assert.deepEqual([(await ended).stdout, (await ended).code], ['through and back', 0]);
});

test('a signal reaches the script, and its exit is the exit', async () => {
  for (const [signal, exit] of [
    ['SIGTERM', [9, null]],
    ['SIGINT', [null, 'SIGINT']],
  ] as const) {
    const { child, waiting, ended } = start(['scripts/wait.ts']);
    await Promise.race([waiting, ended]);
    child.kill(signal);
    const { code, signal: died, stderr } = await ended;
    assert.deepEqual([code, died], exit, stderr);
  }
});

test('what is missing is named in one line each, and nothing is installed or run', async () => {
  const { code, stdout, stderr } = await run(['scripts/say.ts'], onlyWith('npm', 'sh'));
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^error: git is missing: .*\nerror: go is missing: install Go 1\.26 or newer from .*\n$/);
  assert.ok(!existsSync(join(root, 'node_modules')));
});

test('the checks before a commit and a question for help need neither Git nor Go', async () => {
  const only = onlyWith('npm', 'sh');
  assert.equal((await run(['scripts/ok.ts'], only)).code, 7);
  assert.equal((await run(['scripts/say.ts', '--help'], only)).code, 7);
});

test('a Go that is too old is named with what is needed', async () => {
  const only = onlyWith('npm', 'sh', 'git');
  write('test/cluster/binaries/go.mod', 'module tiny\n\ngo 1.99.0\n');
  writeProgram('go', 'echo "go version go1.19.8 linux/amd64"');
  const { code, stderr } = await run(['scripts/say.ts'], only);
  assert.equal(code, 2);
  assert.match(stderr, /^error: Go 1\.19 is too old and cannot fetch a newer one: install Go 1\.99 or newer .*\n$/);
});

test('an older Go that fetches the one that the module asks for is welcome', async () => {
  const only = onlyWith('npm', 'sh', 'git');
  write('test/cluster/binaries/go.mod', 'module tiny\n\ngo 1.99.0\n');
  writeProgram(
    'go',
    'if [ -f go.mod ]; then echo "go version go1.99.1 linux/amd64"; else echo "go version go1.21.0 x"; fi',
  );
  assert.equal((await run(['scripts/say.ts'], only)).code, 7);
});

if (process.getuid?.() === 0) {
  test('as root on Debian it installs what is missing, and only that', async () => {
    const only = onlyWith('npm', 'sh', 'go', 'cp', 'dirname');
    writeProgram('apt-get', 'echo "$@" >>"$0.log"; [ "$1" = update ] || cp "$0" "$(dirname "$0")/git"');
    const { code, stderr } = await run(['scripts/say.ts'], only);
    assert.equal(code, 7, stderr);
    const asked = readFileSync(join(root, 'programs', 'apt-get.log'), 'utf8');
    assert.match(asked, /^update\ninstall -y --no-install-recommends git( ca-certificates)?\n$/);
    assert.match(stderr, /^installing git( ca-certificates)? with apt-get\n/);
  });

  test('only the demo of data gets what a node needs', async () => {
    const only = onlyWith('npm', 'sh', 'go', 'git');
    write('scripts/demo.ts', SAY);
    writeProgram('apt-get', 'echo "$@" >>"$0.log"');
    assert.equal((await run(['scripts/demo.ts'], only)).code, 7);
    assert.ok(!existsSync(join(root, 'programs', 'apt-get.log')));
    assert.equal((await run(['scripts/demo.ts', '--data'], only)).code, 7);
    const asked = readFileSync(join(root, 'programs', 'apt-get.log'), 'utf8');
    assert.match(asked, /install .* containerd runc btrfs-progs busybox-static mmdebstrap/);
  });
}

test('wrong use is one line and exit code 2, --help is not', async () => {
  for (const [args, message] of [
    [[], /^error: name a script.*\n$/],
    [['scripts/absent.ts'], /^error: there is no scripts\/absent\.ts in .*\n$/],
  ] as const) {
    const { code, stderr } = await run(args);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  assert.match(stdout, /^Usage: node scripts\/bootstrap\.js SCRIPT\.ts/);
  assert.ok(!existsSync(join(root, 'node_modules')));
});

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
