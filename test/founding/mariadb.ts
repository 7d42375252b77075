import type { TestNode } from '../node/test-node.ts';
import { createAll, type Database, openDatabase, readObjects, readText } from './databases.ts';

/** MariaDB with the database `menagerie` in it: a Deployment, its claim `mariadb`, its settings and its password. */

const CLIENT = ['mariadb', '--user=keeper', '--batch', '--skip-column-names', 'menagerie'];

/** For `startWriter`: the client answers each line at once. */
export const MARIADB_WRITER = {
  pod: 'deploy/mariadb',
  client: [...CLIENT.slice(0, 1), '--unbuffered', ...CLIENT.slice(1)],
};

/** Resolves when it answers; it has no table yet. What it resolves with also speaks to the one that is restored. */
export async function startMariaDb(world: TestNode, namespace: string): Promise<Database> {
  await createAll(world, namespace, await readObjects('menagerie.yaml', namespace));
  const server = { client: CLIENT, checksumOf: (table: string) => `CHECKSUM TABLE ${table}` };
  const database = openDatabase(world, { namespace, pod: 'deploy/mariadb' }, server);
  await database.isUp();
  return database;
}

/** Table `pet`, as the demo fills it. */
export async function loadPets(database: Database): Promise<void> {
  await database.sql(await readText('pets.sql'));
}
