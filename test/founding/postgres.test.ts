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
const ROUNDS = 10;

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

async function deleteAndRestore(name: string): Promise<void> {
  await stage.deleteNamespace(SHOP);
  await stage.restore(SHOP, name);
  for (const server of servers) await server.isUp();
}

/** Writes to every replica until it is disposed. */
async function startWriters() {
  await using stack = new AsyncDisposableStack();
  const writers = await Promise.all(
    servers.map(async (server, replica) =>
      stack.use(await startWriter(stage.world, server, { namespace: SHOP, ...postgresWriter(replica) })),
    ),
  );
  for (const writer of writers) await writer.until(100);
  const held = stack.move();
  return {
    acknowledged: () => writers.map((writer) => writer.acknowledged()),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

test('a StatefulSet of two replicas comes back, each with its own rows and files, ten times in a row, five of them while both are written to', {
  skip,
}, async (context) => {
  for (let round = 1; round <= ROUNDS; round++) {
    const name = `round-${round}`;
    const saved = await change();
    if (round % 2 === 0) {
      await using writers = await startWriters();
      const before = writers.acknowledged();
      await stage.backup(SHOP, name);
      await deleteAndRestore(name);
      for (const [replica, server] of servers.entries()) {
        // Throws where half a transaction is there.
        const rows = await countWhole(server);
        const [least = 0, most = 0] = [before[replica], writers.acknowledged()[replica]];
        context.diagnostic(`${name}: replica ${replica}: ${least} rows before the backup, ${rows} restored of ${most}`);
        assert.ok(rows >= least && rows <= most + 1, `${name}: ${rows} rows, of ${least} to ${most}`);
      }
    } else {
      await stage.backup(SHOP, name);
      await deleteAndRestore(name);
    }
    assert.deepEqual(await look(), saved, name);
  }
});
