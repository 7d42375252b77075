import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { git } from '../flows/keeper.ts';
import { missingForNode } from '../node/requirements.ts';
import { type Database, hashFiles, writeFiles } from './databases.ts';
import { loadPets, MARIADB_WRITER, startMariaDb } from './mariadb.ts';
import { openStage, type Stage } from './stage.ts';
import { countWhole, startWriter } from './writer.ts';

/** The founding demonstration: rows and files of a MariaDB come back with its namespace, as they were at a commit. */

const skip = await missingForNode('mmdebstrap');

const SHOP = 'shop';
const ROUNDS = 10;

let stage: Stage;
let shop: Database;
before(async () => {
  if (skip !== false) return;
  stage = await openStage(SHOP);
  shop = await startMariaDb(stage.world, SHOP);
  await loadPets(shop);
});
after(() => stage?.[Symbol.asyncDispose]());

/** What a person looks at: the table's sum and the files' hashes. */
async function look(): Promise<{ readonly rows: string; readonly files: string }> {
  return { rows: await shop.checksum('pet'), files: await hashFiles(shop) };
}

/** Changes rows and files; resolves with what there is then. */
async function change(name: string): ReturnType<typeof look> {
  await shop.sql(`INSERT INTO pet VALUES ('${name}', 'Mira', 'newt', '2026-11-22')`);
  await writeFiles(shop);
  return look();
}

async function deleteAndRestore(name: string): Promise<void> {
  await stage.deleteNamespace(SHOP);
  await stage.restore(SHOP, name);
  await shop.isUp();
}

test('a namespace that was deleted comes back with its rows and files, ten times in a row, five of them while somebody writes', {
  skip,
}, async (context) => {
  for (let round = 1; round <= ROUNDS; round++) {
    const name = `round-${round}`;
    const saved = await change(name);
    if (round % 2 === 0) {
      await using writer = await startWriter(stage.world, shop, { namespace: SHOP, ...MARIADB_WRITER });
      await writer.until(100);
      const acknowledged = writer.acknowledged();
      await stage.backup(SHOP, name);
      await writer.until(acknowledged + 1);
      await deleteAndRestore(name);
      const rows = await countWhole(shop);
      context.diagnostic(
        `${name}: ${acknowledged} rows before the backup, ${rows} restored of ${writer.acknowledged()}`,
      );
      assert.ok(
        rows >= acknowledged,
        `${acknowledged} rows were acknowledged before the backup, and ${rows} came back`,
      );
      assert.ok(rows <= writer.acknowledged() + 1, `${rows} rows came back of ${writer.acknowledged()}`);
      const checked = await shop.sql('CHECK TABLE pet, tick, total EXTENDED');
      assert.deepEqual(
        checked.split('\n').map((line) => line.split('\t').at(-1)),
        ['OK', 'OK', 'OK'],
      );
    } else {
      await stage.backup(SHOP, name);
      await deleteAndRestore(name);
    }
    assert.deepEqual(await look(), saved, name);
  }
});

test('time travel: the rows of the second of three commits, then those of the third', { skip }, async () => {
  const steps = ['first', 'second', 'third'];
  const saved: Awaited<ReturnType<typeof look>>[] = [];
  for (const step of steps) {
    saved.push(await change(step));
    await stage.backup(SHOP, step);
  }
  for (const [step, index] of [
    ['second', 1],
    ['third', 2],
    ['first', 0],
  ] as const) {
    await stage.restore(SHOP, step, '--existing-data', 'replace');
    await shop.isUp();
    assert.deepEqual(await look(), saved[index], step);
  }
  await deleteAndRestore('third');
  assert.deepEqual(await look(), saved[2]);
});

test('the data comes back when a person has deleted its VolumeSnapshots, their contents and the namespace', {
  skip,
}, async () => {
  const saved = await change('deleted');
  await stage.backup(SHOP, 'deleted');
  const { kubectl } = stage.world.cluster;
  await kubectl(['delete', 'volumesnapshots', '--all', '--namespace', SHOP, '--timeout=60s']);
  await kubectl(['delete', 'volumesnapshotcontents', '--all', '--timeout=60s']);
  await deleteAndRestore('deleted');
  assert.deepEqual(await look(), saved);
});

test('restores leave nothing of their own, and the driver has one volume for the claim', { skip }, async () => {
  const { cluster, node } = stage.world;
  const contents = await cluster.kubectl(['get', 'volumesnapshotcontents', '-o', 'name']);
  assert.doesNotMatch(contents, /kubekeeper-restore/);
  const volumes = (await node.volumes()).filter(({ claim }) => claim.startsWith(`${SHOP}/`));
  assert.equal(volumes.length, 1, JSON.stringify(volumes));
});

test('the driver has exactly the snapshots that the notes name', { skip }, async () => {
  const list = await git(stage.dataDirectory, SHOP, 'notes', '--ref=data', 'list');
  const named: string[] = [];
  for (const line of list.trim().split('\n')) {
    const text = await git(stage.dataDirectory, SHOP, 'cat-file', 'blob', line.slice(0, line.indexOf(' ')));
    const { claims = {} } = JSON.parse(text) as { claims?: Record<string, { state: string; handle: string }> };
    for (const { state, handle } of Object.values(claims)) {
      assert.equal(state, 'ready', text);
      named.push(handle);
    }
  }
  const stored = (await stage.world.node.snapshots()).map(({ handle }) => handle);
  assert.deepEqual(stored.sort(), named.sort());
});
