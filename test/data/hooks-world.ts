import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '../../controller/cluster/connect.ts';
import { openPodExec } from '../../controller/cluster/exec.ts';
import { openRestoreTarget } from '../../controller/cluster/open-restore-target.ts';
import type { Quiescer } from '../../controller/core/data/quiesce.ts';
import type { KubeObject } from '../../controller/core/object.ts';
import { openQuiescer, type QuiesceParts } from '../../controller/data/quiesce.ts';
import { openHookJournal } from '../../controller/git/hook-journal.ts';
import { pod } from '../node/objects.ts';
import type { TestNode } from '../node/test-node.ts';

/** Quiescers as the product opens them, and pods with hooks for them. */

const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true };

export interface OpenedQuiescer extends Quiescer, AsyncDisposable {
  podsOf(namespace: string): Promise<readonly KubeObject[]>;
}

export type QuiescerOptions = Partial<Pick<QuiesceParts, 'hooks' | 'longestHoldMs'>> & {
  readonly kubeconfig: string;
  readonly dataDirectory: string;
  /** As an API server that knows no more than these. */
  readonly protocols?: readonly string[];
};

export async function openTestQuiescer(options: QuiescerOptions): Promise<OpenedQuiescer> {
  const { kubeconfig, dataDirectory, protocols, hooks = [], longestHoldMs } = options;
  const connection = await connect({ kubeconfig });
  const target = openRestoreTarget(connection);
  const exec = openPodExec({
    server: connection.server,
    context: connection.context,
    request: (path, request) => connection.request(path, request),
    stream: (path, request) => connection.stream(path, request),
    webSocket: (path, request) => connection.webSocket(path, { ...request, protocols: protocols ?? request.protocols }),
    [Symbol.asyncDispose]: async () => undefined,
  });
  const quiescer = openQuiescer({
    exec,
    hooks,
    journal: openHookJournal(dataDirectory),
    readPod: (namespace, name, signal) => target.get(PODS, { namespace, name }, signal),
    ...(longestHoldMs === undefined ? {} : { longestHoldMs }),
  });
  return {
    ...quiescer,
    podsOf: async (namespace) => {
      const pods = await target.list(PODS, { namespace });
      if (pods === 'forbidden') throw new Error('pods may not be listed');
      return pods;
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** `script` in a shell, as an annotation has it. */
export function shell(script: string): string {
  return JSON.stringify(['sh', '-c', script]);
}

export type Annotations = Readonly<Record<string, string>>;

/** Velero's, from 'pre.command' and the like. */
export function velero(words: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(words).map(([key, value]) => [key.replace('.', '.hook.backup.velero.io/'), value]),
  );
}

/** Runs one with a claim of the same name at /data. Resolves when it is ready. */
export async function runHooked(
  world: TestNode,
  namespace: string,
  name: string,
  annotations: Annotations = {},
  container: { readonly image?: string; readonly command?: readonly string[] } = {},
): Promise<void> {
  await world.createClaim(namespace, name);
  const { image = world.node.busybox, command } = container;
  const plain = pod(namespace, name, image, []) as { metadata: object; spec: { containers: object[] } };
  const main = {
    ...plain.spec.containers[0],
    ...(command === undefined ? {} : { command }),
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: name } }];
  await world.cluster.apply({
    ...plain,
    metadata: { ...plain.metadata, annotations },
    spec: { ...plain.spec, containers: [main], volumes },
  });
  await world.node.waitForPod(namespace, name);
}

/** A process of its own holds the claims and is killed; resolves then. */
export async function holdAndKill(
  options: QuiescerOptions,
  namespace: string,
  claims: readonly string[],
  whileHeld: () => Promise<void>,
): Promise<void> {
  const script = fileURLToPath(import.meta.resolve('./holding-child.ts'));
  const args = [script, JSON.stringify(options), namespace, ...claims];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    await Promise.race([once(child.stdout, 'data'), ended.then(() => Promise.reject(new Error('it does not hold')))]);
    await whileHeld();
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** The block of YAML in a page that holds this text. */
export async function exampleIn(page: string, text: string): Promise<string> {
  const blocks = (await readFile(page, 'utf8')).matchAll(/```yaml\n([\s\S]*?)```/g);
  for (const [, block = ''] of blocks) if (block.includes(text)) return block;
  throw new Error(`${page} has no example with ${text}`);
}
