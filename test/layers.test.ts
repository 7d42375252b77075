import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LAYERS, PACKAGES, PURE, renderLayers } from '../scripts/layers.ts';

/** The linter holds the one-way imports; a fence can be blind, so every folder gets planted imports that it must refuse. */

const root = realpathSync(mkdtempSync(join(tmpdir(), 'kubekeeper-layers-')));
after(() => rmSync(root, { recursive: true }));
const planted = new Map<string, string>();

function plant(folder: string, specifier: string): string {
  const file = `controller/${folder}/planted-${planted.size}.ts`;
  mkdirSync(join(root, 'controller', folder), { recursive: true });
  writeFileSync(join(root, file), `import { planted } from '${specifier}';\n\nexport const planting = planted;\n`);
  planted.set(file, specifier);
  return file;
}

const refused: string[] = [];
const accepted: string[] = [];
for (const [folder, allowed] of Object.entries(LAYERS)) {
  for (const other of Object.keys(LAYERS)) {
    if (other === folder) continue;
    (allowed.includes(other) ? accepted : refused).push(plant(folder, `../${other}/planted.ts`));
  }
  refused.push(plant(folder, '../main.ts'));
  accepted.push(plant(folder, '../errors.ts'), plant(folder, './planted.ts'));
  for (const [name, owners] of Object.entries(PACKAGES)) {
    (owners.includes(folder) ? accepted : refused).push(plant(folder, name), plant(folder, `${name}/deep.js`));
  }
  (PURE.includes(folder) ? refused : accepted).push(plant(folder, 'node:fs'), plant(folder, 'node:fs/promises'));
}

for (const file of ['biome.json', 'biome.layers.json']) copyFileSync(file, join(root, file));
const { stdout } = spawnSync(
  join(process.cwd(), 'node_modules/.bin/biome'),
  ['lint', '--max-diagnostics=none', '--reporter=github'],
  {
    cwd: root,
    encoding: 'utf8',
  },
);
const complaints = new Set(
  stdout
    .split('\n')
    .filter((line) => line.includes('noRestrictedImports'))
    .map((line) => /file=([^,]+)/.exec(line)?.[1]?.slice(root.length + 1)),
);

test('the linter refuses every import against the layers', () => {
  assert.ok(refused.length > 100);
  for (const file of refused) assert.ok(complaints.has(file), `${file} importing ${planted.get(file)} was let through`);
});

test('the linter lets every import along the layers through', () => {
  assert.ok(accepted.length > 50);
  for (const file of accepted) assert.ok(!complaints.has(file), `${file} importing ${planted.get(file)} was refused`);
});

test('the rule of the linter is the one of the table', () => {
  assert.equal(readFileSync('biome.layers.json', 'utf8'), renderLayers());
});
