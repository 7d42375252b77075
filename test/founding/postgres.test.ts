import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { missingForNode } from '../node/requirements.ts';
import { type Database, hashFiles, writeFiles } from './databases.ts';
import { postgresWriter, startPostgres } from './postgres.ts';
import { openStage, type Stage } from './stage.ts';
import { countWhole, startWriter } from './writer.ts';

/** The founding demonstration with a StatefulSet: each replica gets its own data back. */

const skip = await missingForNode('mmdebstrap');

const SHOP = 'shop';

let stage: Stage;
let servers: readonly Database[];
before(async () => {
  if (skip !== false) return;
  stage = await openStage(SHOP);
  servers = await startPostgres(stage.world, SHOP);
  for (const server of servers) await server.sql('CREATE TABLE pet (name text PRIMARY KEY, cage uuid)');
});
after(() => stage?.[Symbol.asyncDispose]());

/** Of each replica. */
async function look(): Promise<readonly string[]> {
  return Promise.all(servers.map(async (server) => `${await server.checksum('pet')}\n${await hashFiles(server)}`));
}

/** Other rows and files in each replica; resolves with what there is then. */
async function change(): ReturnType<typeof look> {
  for (const server of servers) {
    await server.sql('INSERT INTO pet SELECT gen_random_uuid()::text, gen_random_uuid() FROM generate_series(1, 500)');
    await writeFiles(server);
  }
  const seen = await look();
  assert.notEqual(seen[0], seen[1]);
  return seen;
}

async function restored(name: string): Promise<void> {
  await stage.restore(SHOP, name);
  for (const server of servers) await server.isUp();
}

test('a StatefulSet of two replicas comes back, each with its own rows and files', { skip }, async () => {
  const saved = await change();
  await stage.backup(SHOP, 'calm');
  await stage.deleteNamespace(SHOP);
  await restored('calm');
  assert.deepEqual(await look(), saved);
});

test('while both are written to, whole transactions come back, none of those that were there before the backup is missing', {
  skip,
}, async () => {
  const saved = await change();
  const before: number[] = [];
  {
    await using stack = new AsyncDisposableStack();
    const writers = await Promise.all(
      servers.map((server, replica) =>
        startWriter(stage.world, server, { namespace: SHOP, ...postgresWriter(replica) }),
      ),
    );
    for (const writer of writers) stack.use(writer);
    for (const writer of writers) await writer.until(100);
    before.push(...writers.map((writer) => writer.acknowledged()));
    await stage.backup(SHOP, 'busy');
    await stage.deleteNamespace(SHOP);
  }
  await restored('busy');
  assert.deepEqual(await look(), saved);
  for (const [replica, server] of servers.entries()) {
    const rows = await countWhole(server);
    assert.ok(
      rows >= (before[replica] ?? 0),
      `replica ${replica}: ${before[replica]} rows before the backup, ${rows} now`,
    );
  }
});
