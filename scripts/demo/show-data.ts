import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { startCluster } from '../../test/cluster/start-cluster.ts';
import { importDatabases } from '../../test/founding/databases.ts';
import { startNode } from '../../test/node/start-node.ts';
import { Archiver } from './archiver.ts';
import { unlessAborted } from './interruption.ts';
import { printCommit } from './make-change.ts';
import { judge, loadDatabase, lookAtData, spoilData } from './menagerie.ts';
import { printCommand, printHeading, printRaw, printResult, quoteCommand } from './screen.ts';
import { openShell } from './shell.ts';
import { stayUp } from './stay-up.ts';

const FIRST_COMMIT_MS = 60_000;

const SUGGESTIONS = [
  "kubectl -n shop exec deployment/mariadb -- mariadb --user=keeper menagerie --execute='SELECT * FROM pet'",
  'kubectl -n shop get volumesnapshots',
];

/** Rows in, namespace deleted, rows back. Resolves with the exit code: 0 only if rows and files are the same. */
export async function showData(folder: string, keep: boolean, signal: AbortSignal): Promise<number> {
  printHeading('1/6 Start Kubernetes with a node (containerd, kubelet, a CSI driver that makes snapshots)');
  await using cluster = await unlessAborted(startCluster(), signal);
  await using node = await unlessAborted(startNode(cluster), signal);
  await unlessAborted(importDatabases(node), signal);
  printResult(`ready after ${((cluster.readyMs + node.readyMs) / 1000).toFixed(1)} s at ${cluster.server}`);
  const shell = await openShell(cluster, signal);

  printHeading('2/6 A MariaDB with a few pets, and two files on its volume');
  await loadDatabase(shell);
  const saved = await lookAtData(shell);

  printHeading('3/6 Archive it, and back it up with its data');
  const place = await writePlace(folder);
  await using archiver = startArchiver(folder, place);
  await awaitFirstCommit(archiver, signal);
  const where = ['--data-dir', place.directory];
  printRaw(await shell.kubekeeper('backup', 'shop', '--tag', 'good/monday', ...where));

  printHeading('4/6 Somebody spoils the table, and then deletes the namespace');
  await spoilData(shell);
  await shell.kubectl(['delete', 'namespace', 'shop']);

  printHeading('5/6 Bring it back');
  const to = ['--to', 'good/monday', '--identity', place.identity, '--yes'];
  printRaw(await shell.kubekeeper('restore', 'shop', ...to, ...where));
  await shell.kubectl(['rollout', 'status', 'deployment/mariadb', '-n', 'shop', '--timeout=120s']);

  printHeading('6/6 Look again');
  const code = judge(saved, await lookAtData(shell));
  printHeading('Try');
  printResult(quoteCommand(['git', '-C', join(place.directory, 'shop.git'), 'log', '--notes=data', 'good/monday']));
  if (keep) await stayUp(cluster, archiver, signal, SUGGESTIONS);
  return code;
}

interface Place {
  readonly directory: string;
  readonly config: string;
  readonly identity: string;
}

/** What a person has before the first archive: a key for the secrets, and a file that says what is wanted. */
async function writePlace(folder: string): Promise<Place> {
  const place = {
    directory: join(folder, 'repositories'),
    config: join(folder, 'shop.yaml'),
    identity: join(folder, 'identity.txt'),
  };
  const key = await generateX25519Identity();
  const recipient = await identityToRecipient(key);
  printCommand(quoteCommand(['age-keygen', '-o', place.identity]));
  await writeFile(place.identity, `# public key: ${recipient}\n${key}\n`, { mode: 0o600 });
  await writeFile(
    place.config,
    `includedNamespaces: [shop]
secrets:
  policy: encrypt
  ageRecipients: [${recipient}]
data:
  retention: { keepHourly: 24, keepDaily: 7 }
`,
  );
  printCommand(quoteCommand(['cat', place.config]));
  printResult((await readFile(place.config, 'utf8')).trimEnd());
  return place;
}

function startArchiver(folder: string, { directory, config }: Place): Archiver {
  const options = ['--config', config, '--data-dir', directory];
  printCommand(`${quoteCommand(['kubekeeper', 'archive', ...options])} &`);
  return new Archiver(['archive', ...options], join(folder, 'archive.log'));
}

async function awaitFirstCommit(archiver: Archiver, signal: AbortSignal): Promise<void> {
  const options = { position: 0, timeoutMs: FIRST_COMMIT_MS, signal };
  printCommit((await archiver.waitFor('the first commit', ({ event }) => event === 'committed', options)).line);
}
