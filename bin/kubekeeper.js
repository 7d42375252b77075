#!/usr/bin/env node
// Plain JavaScript for any Node: finds a Node that runs the TypeScript as it is, then becomes kubekeeper.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// A published package carries JavaScript, since Node strips no types below node_modules.
const published = join(root, 'dist', 'main.js');
const entry = existsSync(published) ? published : join(root, 'controller', 'main.ts');

// An archiver lives for months beside what it watches, so memory goes before a little speed: a small nursery, a heap that grows in
// small steps, one malloc arena. docs/decisions/ has the figures; KUBEKEEPER_LEAN=0 keeps Node's own choices.
const LEAN = ['--max-semi-space-size=4', '--heap-growing-percent=60'];

// Compiled code is kept from run to run (half of the start's time), in a folder that only this user can write: who could write it would
// run code with our rights. Where the folder cannot be made, nothing is kept.
const cache =
  process.env['NODE_COMPILE_CACHE'] || makeFolder(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'));
const LEAN_VARIABLES = {
  MALLOC_ARENA_MAX: '1',
  KUBEKEEPER_LEAN: '1',
  ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
};

// What holds many objects, or runs for long. The others are over before it would matter.
const LEAN_VERBS = new Set(['archive', 'plan', 'restore', 'apply-merged']);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNew = major > 24 || (major === 24 && minor >= 12);
const wantsLean = LEAN_VERBS.has(process.argv[2]) && process.env['KUBEKEEPER_LEAN'] === undefined;

if (!isNew) {
  runWith(bundledNode());
} else if (wantsLean && typeof process.execve === 'function') {
  becomeLean();
} else {
  if (cache !== undefined) module.enableCompileCache(cache);
  await import(pathToFileURL(entry).href);
}

/** Step by step: Node's own making of a whole path never ends where none can be made, as below /proc (seen on 24.21). */
function makeFolder(caches) {
  let folder = caches;
  for (const part of ['', 'kubekeeper', 'compiled']) {
    folder = join(folder, part);
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      if (error.code !== 'EEXIST') return undefined;
    }
  }
  return folder;
}

/** The same process, started anew with the lean flags: V8 and malloc read theirs only at their own start. */
function becomeLean() {
  const args = [process.execPath, ...process.execArgv, ...LEAN, entry, ...process.argv.slice(2)];
  process.removeAllListeners('warning');
  process.execve(process.execPath, args, { ...process.env, ...LEAN_VARIABLES });
}

function bundledNode() {
  try {
    const manifest = module.createRequire(join(root, 'package.json')).resolve('node/package.json');
    const node = join(dirname(manifest), 'bin', 'node');
    if (existsSync(node)) return node;
  } catch {
    // Not installed: said below.
  }
  process.stderr.write(
    `error: kubekeeper needs Node 24.12 or newer and this is ${process.versions.node}; run "npm ci" in ${root}, which brings one\n`,
  );
  process.exit(2);
}

function runWith(node) {
  const env = { ...process.env, ...LEAN_VARIABLES };
  const child = spawn(node, [...LEAN, entry, ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
