import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { binary, findControllerManager } from './binaries.ts';

const run = promisify(execFile);
const SOURCE = (file: string) => pathToFileURL(join(import.meta.dirname, file)).href;
/** What Go itself keeps, its standard library above all: not what is tested here, and half a minute to compile. */
const GOCACHE = (await run('go', ['env', 'GOCACHE'])).stdout.trim();

/** A Go module of one small program, and an empty cache; builds run in processes of their own, as they do for users. */
async function openWorkshop(program: string) {
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-build-'));
  const [module, cache] = [join(directory, 'module'), join(directory, 'cache')];
  await mkdir(module);
  await writeFile(join(module, 'go.mod'), 'module example.com/small\n\ngo 1.21\n');
  await writeFile(join(module, 'go.sum'), '');
  await writeFile(join(module, 'main.go'), program);
  const command = JSON.stringify({ module, package: '.', linkerFlags: '-s -w' });
  const code = `
    const { buildBinary } = await import('${SOURCE('build-binary.ts')}');
    try { console.log(await buildBinary('small', ${command})); } catch (error) { console.log(error.message); }`;
  return {
    cache,
    build: (env: Record<string, string> = {}) =>
      run(process.execPath, ['--input-type=module', '-e', code], {
        env: { ...process.env, XDG_CACHE_HOME: cache, GOCACHE, ...env },
      }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

const PRINTS = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Print("it runs") }\n';

test('two processes that need the same program build it once, and later ones find it', async () => {
  await using workshop = await openWorkshop(PRINTS);
  const both = await Promise.all([workshop.build(), workshop.build()]);
  const [path = '', other = ''] = both.map(({ stdout }) => stdout.trim());
  assert.equal(path, other);
  assert.equal((await run(path)).stdout, 'it runs');
  const told = both.map(({ stderr }) => stderr).join('');
  assert.equal(told.match(/building small from Go modules/g)?.length, 1, told);
  assert.match(told, /built small in \d+ s/);
  assert.deepEqual(await workshop.build(), { stdout: `${path}\n`, stderr: '' });
  assert.deepEqual(await readdir(join(path, '..')), ['small']);
});

test('what a killed builder left does not stop the next one', async () => {
  await using workshop = await openWorkshop(PRINTS);
  const path = (await workshop.build()).stdout.trim();
  await rm(path);
  await writeFile(`${path}.lock`, '');
  await writeFile(join(path, '..', '.small.1'), 'half of it');
  await utimes(`${path}.lock`, 0, 0);
  assert.equal((await workshop.build()).stdout.trim(), path);
  assert.deepEqual(await readdir(join(path, '..')), ['small']);
});

test('a program that does not compile is told in the words of Go, and nothing of it is kept', async () => {
  await using workshop = await openWorkshop('package main\n\nfunc main() { missing() }\n');
  const { stdout } = await workshop.build();
  assert.match(stdout, /^go could not build small:\n[\s\S]*undefined: missing/);
  const [key = ''] = await readdir(join(workshop.cache, 'kubekeeper'));
  assert.deepEqual(await readdir(join(workshop.cache, 'kubekeeper', key)), []);
});

test('without Go the error says where to get it', async () => {
  await using workshop = await openWorkshop(PRINTS);
  const { stdout } = await workshop.build({ PATH: '/nonexistent' });
  assert.match(stdout, /^go is not installed: install Go 1\.\d+ or newer from https:/);
});

test('KUBEBUILDER_ASSETS that names a folder without an API server is refused by name', async () => {
  await using assets = await pretendAssets();
  assert.equal(await binary('etcd'), join(assets.path, 'etcd'));
  await assert.rejects(binary('kube-apiserver'), {
    message: /^KUBEBUILDER_ASSETS names .*, which holds no kube-apiserver/,
  });
});

test('KUBEBUILDER_ASSETS without a controller manager, and no Go: a cluster does without it', async () => {
  await using _assets = await pretendAssets();
  assert.equal(await findControllerManager(), undefined);
});

/** A folder with an etcd, and a machine without Go or a cache, until it is disposed of. */
async function pretendAssets() {
  const before = { ...process.env };
  const path = await mkdtemp(join(tmpdir(), 'kubekeeper-assets-'));
  await symlink(process.execPath, join(path, 'etcd'));
  Object.assign(process.env, { KUBEBUILDER_ASSETS: path, XDG_CACHE_HOME: join(path, 'cache'), PATH: '/nonexistent' });
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      delete process.env['KUBEBUILDER_ASSETS'];
      delete process.env['XDG_CACHE_HOME'];
      Object.assign(process.env, before);
      await rm(path, { recursive: true });
    },
  };
}
