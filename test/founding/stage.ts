import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Archiver, type Ended, keeper, startArchiver, temporaryDirectory } from '../flows/keeper.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';
import { importDatabases } from './databases.ts';

/** A node with databases on it, an archiver that runs beside them, and the commands that a person types. */
export interface Stage extends AsyncDisposable {
  readonly world: TestNode;
  readonly archiver: Archiver;
  readonly dataDirectory: string;
  /** Until every claim's snapshot is ready; `name` becomes tag `good/NAME`. */
  backup(namespace: string, name: string): Promise<void>;
  /** To a backup, without a question. */
  restore(namespace: string, name: string, ...args: readonly string[]): Promise<void>;
  /** Resolves when it is gone. */
  deleteNamespace(namespace: string): Promise<void>;
}

export async function openStage(namespace: string): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryDirectory()).path;
  const world = stack.use(await startTestNode());
  await importDatabases(world.node);
  const identity = join(folder, 'identity.txt');
  const key = await generateX25519Identity();
  await writeFile(identity, `${key}\n`, { mode: 0o600 });
  const config = join(folder, 'archive.yaml');
  await writeFile(config, configText(namespace, await identityToRecipient(key)));
  const dataDirectory = join(folder, 'data');
  await mkdir(dataDirectory);
  const { kubeconfig } = world.cluster;
  const archiver = stack.use(startArchiver(kubeconfig, dataDirectory, '--config', config));
  const where = ['--kubeconfig', kubeconfig, '--data-dir', dataDirectory];
  const held = stack.move();
  return {
    world,
    archiver,
    dataDirectory,
    backup: async (name, tag) => {
      requireDone(await keeper(['backup', name, '--tag', `good/${tag}`, '--config', config, ...where]));
    },
    restore: async (name, tag, ...args) => {
      const to = ['--to', `good/${tag}`, '--yes', '--identity', identity];
      requireDone(await keeper(['restore', name, ...to, ...where, ...args]));
    },
    deleteNamespace: async (name) => {
      await world.cluster.kubectl(['delete', 'namespace', name, '--timeout=120s']);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function configText(namespace: string, recipient: string): string {
  return `includedNamespaces: [${namespace}]
secrets:
  policy: encrypt
  ageRecipients: [${recipient}]
data: {}
`;
}

function requireDone({ code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, `ended with ${code}:\n${stdout}\n${stderr}`);
}
