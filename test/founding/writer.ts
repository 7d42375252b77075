import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { binary } from '../cluster/binaries.ts';
import type { TestNode } from '../node/test-node.ts';
import type { Database } from './databases.ts';

/** Somebody who writes while snapshots are cut, one transaction after the other, and knows which were acknowledged. */
export interface Writer extends AsyncDisposable {
  /** The last row that the server said it has. */
  acknowledged(): number;
  /** Resolves when `row` was acknowledged; rejects when the writer ended before. */
  until(row: number): Promise<void>;
}

/** Two tables that only agree with each other when whole transactions are there. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS tick (n INTEGER PRIMARY KEY, words VARCHAR(200));
  CREATE TABLE IF NOT EXISTS total (n INTEGER);
  DELETE FROM tick; DELETE FROM total; INSERT INTO total VALUES (0)`;

/** Ends with its standard input: what `kubectl exec` started would outlive it. */
const SCRIPT = `
  mark=/tmp/writing.$$
  : > $mark
  { n=0; while [ -e $mark ]; do n=$((n+1)); echo "TRANSACTION"; done | "$@" 2>&1; } &
  cat > /dev/null
  rm $mark
  wait`;

const TRANSACTION = `BEGIN; INSERT INTO tick VALUES ($n, REPEAT('tick ', 40)); UPDATE total SET n = $n; COMMIT; SELECT $n;`;

/** `client` takes SQL on standard input and answers at once; it writes from row 1 on until it is disposed or its pod is gone. */
export async function startWriter(
  world: TestNode,
  database: Database,
  place: { readonly namespace: string; readonly pod: string; readonly client: readonly string[] },
): Promise<Writer> {
  await database.sql(TABLES);
  const script = SCRIPT.replace('TRANSACTION', () => TRANSACTION);
  const kubectl = ['exec', '--stdin', '--namespace', place.namespace, place.pod, '--', 'sh', '-c', script, 'writer'];
  const env = { ...process.env, HOME: world.cluster.directory, KUBECONFIG: world.cluster.kubeconfig };
  const child = spawn(await binary('kubectl'), [...kubectl, ...place.client], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // Its pod may be gone already.
  child.stdin.on('error', () => undefined);
  let [last, complaint, isOver] = [0, '', false];
  let wake = Promise.withResolvers<void>();
  const rouse = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^\d+$/.test(line)) last = Number(line);
    else complaint = line;
    rouse();
  });
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve()).on('close', () => resolve());
  }).then(() => {
    isOver = true;
    rouse();
  });
  return {
    acknowledged: () => last,
    until: async (row) => {
      while (last < row) {
        if (isOver) throw new Error(`the writer ended after row ${last}: ${complaint}`);
        await wake.promise;
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** Resolves with how many rows are there; throws when a transaction is there in part. */
export async function countWhole(database: Database): Promise<number> {
  const answer = await database.sql('SELECT COUNT(*), MIN(n), MAX(n), (SELECT n FROM total) FROM tick');
  const [count, least, most, total] = answer.split(/[\t|]/).map(Number) as [number, number, number, number];
  if (least === 1 && most === count && total === count) return count;
  throw new Error(`${count} rows from ${least} to ${most}, and the total is ${total}`);
}
