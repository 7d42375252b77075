import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import type { HookSpec } from '../../controller/api/hooks.ts';
import type { Database } from '../founding/databases.ts';
import { importDatabases } from '../founding/databases.ts';
import { startMariaDb } from '../founding/mariadb.ts';
import { missingForNode } from '../node/requirements.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { exampleIn, holdAndKill, type OpenedQuiescer, openTestQuiescer } from './hooks-world.ts';

/** The example of docs/hooks.md, on a real MariaDB. */

const skip = await missingForNode('mmdebstrap');

let world: TestNode;
let directory: string;
let database: Database;
let hooks: readonly HookSpec[];
before(async () => {
  if (skip !== false) return;
  directory = await mkdtemp(join(tmpdir(), 'kubekeeper-hooks-'));
  hooks = [{ name: 'mariadb', ...parse(await exampleIn('docs/hooks.md', 'FLUSH TABLES')) }];
  world = await startTestNode();
  await importDatabases(world.node);
  database = await startMariaDb(world, 'shop');
  await database.sql('CREATE TABLE pet (name VARCHAR(20))');
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

const open = () => openTestQuiescer({ kubeconfig: world.cluster.kubeconfig, dataDirectory: directory, hooks });

async function hold(quiescer: OpenedQuiescer) {
  const pods = await quiescer.podsOf('shop');
  const held = await quiescer.hold('shop', { pods, claims: ['mariadb'] }, new AbortController().signal);
  assert.ok(held !== undefined);
  return held;
}

/** Whether a row gets in within a second. */
async function canWrite(): Promise<boolean> {
  const statement = "SET STATEMENT max_statement_time=1 FOR INSERT INTO pet VALUES ('Fluffy')";
  return database.sql(statement).then(
    () => true,
    (error: Error) => {
      assert.match(error.message, /max_statement_time exceeded/);
      return false;
    },
  );
}

test('the lock of a session that is held keeps every writer out until the release', { skip }, async () => {
  assert.equal(await canWrite(), true);
  await using quiescer = await open();
  const held = await hold(quiescer);
  assert.equal(await canWrite(), false);
  assert.equal(await canWrite(), false);
  assert.deepEqual(await held.release(), { quiesced: true, problems: [] });
  assert.equal(await canWrite(), true);
});

test('a session that the server ends in between holds no lock any more, so the claims are not quiesced', {
  skip,
}, async () => {
  await using quiescer = await open();
  const held = await hold(quiescer);
  await database.shell('mariadb --user=root --execute="KILL USER root@localhost" || true');
  assert.equal(await canWrite(), true);
  const { quiesced, problems } = await held.release();
  assert.equal(quiesced, false);
  assert.match(problems.join('\n'), /^pod mariadb-\S*: held hook mariadb ended with exit code 1$/);
});

test('writers go on within seconds when the controller is killed while it holds the lock', { skip }, async (t) => {
  const options = { kubeconfig: world.cluster.kubeconfig, dataDirectory: directory, hooks };
  await holdAndKill(options, 'shop', ['mariadb'], async () => assert.equal(await canWrite(), false));
  const killed = performance.now();
  while (!(await canWrite())) assert.ok(performance.now() - killed < 20_000, 'frozen for 20 s');
  const took = performance.now() - killed;
  t.diagnostic(`a row got in ${Math.round(took)} ms after the kill`);
  assert.ok(took < 5000, `it took ${took} ms`);
});
