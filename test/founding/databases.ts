import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { databaseRoot } from '../node/debian.ts';
import type { Node } from '../node/start-node.ts';
import type { TestNode } from '../node/test-node.ts';

/** Databases in pods: what the founding demonstrations and `npm run demo -- --data` have in common. */

/** In every pod of a database; made by `importDatabases`. */
export const DATABASE_IMAGE = 'databases.demo.kubekeeper.dev/debian:1';

const FOLDER = join(import.meta.dirname, '../../demo/data');

/** A database that answers SQL in one pod, whichever pod that is by now. */
export interface Database {
  /** Resolves with the answer's rows as the client prints them without decoration. */
  sql(text: string): Promise<string>;
  /** Of what a table holds. */
  checksum(table: string): Promise<string>;
  /** Runs a script of the shell beside the server. */
  shell(script: string): Promise<string>;
  /** Resolves when it answers; rejects after two minutes with the last complaint. */
  isUp(): Promise<void>;
}

export async function importDatabases(node: Node): Promise<void> {
  await node.image(DATABASE_IMAGE, { root: await databaseRoot() });
}

/** The objects of a file in demo/data, in a namespace. */
export async function readObjects(file: string, namespace: string): Promise<readonly object[]> {
  const documents = parseAllDocuments(await readFile(join(FOLDER, file), 'utf8'));
  return documents.map((document) => {
    const object = document.toJS() as { metadata: object };
    return { ...object, metadata: { ...object.metadata, namespace } };
  });
}

export function readText(file: string): Promise<string> {
  return readFile(join(FOLDER, file), 'utf8');
}

/** Makes the namespace and what `objects` are in it. */
export async function createAll(world: TestNode, namespace: string, objects: readonly object[]): Promise<void> {
  await world.createNamespace(namespace);
  for (const object of objects) await world.cluster.apply(object);
}

const LONGEST_MS = 120_000;
const POLL_MS = 200;

/** `pod` in the words of `kubectl exec`; `client` takes SQL on standard input, `checksumOf` is the SQL that sums a table up. */
export function openDatabase(
  world: TestNode,
  place: { readonly namespace: string; readonly pod: string },
  server: { readonly client: readonly string[]; readonly checksumOf: (table: string) => string },
): Database {
  const { namespace, pod } = place;
  const run = async (command: readonly string[], stdin?: string) =>
    (await world.node.exec(namespace, pod, command, stdin === undefined ? {} : { stdin })).trim();
  const sql = (text: string) => run(server.client, `${text};\n`);
  return {
    sql,
    checksum: (table) => sql(server.checksumOf(table)),
    shell: (script) => run(['sh', '-c', script]),
    isUp: async () => {
      const deadline = performance.now() + LONGEST_MS;
      for (;;) {
        const answer = await sql('SELECT 1').catch((error: Error) => error);
        if (answer === '1') return;
        if (performance.now() > deadline) throw new Error(`${namespace}/${pod} does not answer: ${answer}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}

const FILES = { '1000.txt': 1000, '2000.txt': 2000 };

/** Random files beside the database's own; resolves with what `hashFiles` will say of them. */
export async function writeFiles(database: Database): Promise<string> {
  const writes = Object.entries(FILES).map(
    ([name, lines]) => `head -c ${lines * 100} /dev/urandom | od -An -v -tx1 -w50 > /data/files/${name}`,
  );
  await database.shell(`mkdir -p /data/files && ${writes.join(' && ')} && sync`);
  return hashFiles(database);
}

/** SHA-256 of each file, by name. */
export function hashFiles(database: Database): Promise<string> {
  return database.shell('cd /data/files && sha256sum *');
}
