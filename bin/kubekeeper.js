#!/usr/bin/env node
// Plain JavaScript for any Node: finds a Node that runs the TypeScript as it is, then becomes kubekeeper.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// A published package carries JavaScript, since Node strips no types below node_modules.
const entry = existsSync(join(root, 'dist', 'main.js'))
  ? join(root, 'dist', 'main.js')
  : join(root, 'controller', 'main.ts');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  await import(entry);
} else {
  runWith(bundledNode());
}

function bundledNode() {
  try {
    const node = join(dirname(createRequire(join(root, 'package.json')).resolve('node/package.json')), 'bin', 'node');
    if (existsSync(node)) return node;
  } catch {
    // Not installed: said below.
  }
  process.stderr.write(
    `kubekeeper needs Node 24.12 or newer and this is ${process.versions.node}; run "npm ci" in ${root}, which brings one\n`,
  );
  process.exit(2);
}

function runWith(node) {
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
