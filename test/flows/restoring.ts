import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { KubeObject } from '../../controller/core/object.ts';
import type { Plan, Step } from '../../controller/core/restore/plan.ts';
import type { Cluster } from '../cluster/start-cluster.ts';
import { archiveOnce, type Ended, git, keeper, temporaryDirectory } from './keeper.ts';

const ENTRY = join(import.meta.dirname, '../../bin/kubekeeper.js');

/** A data directory with an identity, and the verbs on it as a person types them. */

/** What `restore -o json` prints. */
export interface RestoreDocument {
  readonly plan: string;
  readonly equal: boolean;
  readonly safetyTag?: string;
  readonly stoppedBy?: string;
  readonly steps: readonly {
    readonly action: string;
    readonly ref: Step['ref'];
    readonly result: string;
    readonly reason?: string;
  }[];
  readonly left: readonly { readonly action: string; readonly ref: Step['ref']; readonly reason: string }[];
  readonly incomplete: readonly { readonly object: string; readonly reason: string }[];
  readonly different: readonly { readonly object: string; readonly fields: readonly { readonly long: string }[] }[];
}

export interface Restored extends Ended {
  /** Undefined when nothing was printed. */
  readonly document: RestoreDocument | undefined;
}

/** A restore that runs. */
export interface Running {
  readonly ended: Promise<Restored>;
  /** What it has written to standard error so far. */
  told(): string;
  /** The waves that its journal names so far. */
  waves(): Promise<readonly string[]>;
  /** Its journal so far; '' before there is one. */
  journal(): Promise<string>;
  /** As `kill -9` does; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface Place extends AsyncDisposable {
  readonly path: string;
  readonly data: string;
  readonly identityFile: string;
  /** All that was printed, for canaries. */
  output(): string;
  /** Secrets encrypted; throws unless everything was archived. */
  archive(...args: readonly string[]): Promise<void>;
  plan(namespace: string, ...args: readonly string[]): Promise<Plan>;
  /** With `--yes`, whatever comes of it. */
  restore(namespace: string, ...args: readonly string[]): Promise<Restored>;
  /** The same, beside what else happens. */
  begin(namespace: string, ...args: readonly string[]): Running;
  run(verb: string, namespace: string, ...args: readonly string[]): Promise<Ended>;
  /** Path -> blob of a commit. */
  tree(repository: string, commit?: string): Promise<ReadonlyMap<string, string>>;
}

export async function openPlace(kubeconfig: string): Promise<Place> {
  const directory = await temporaryDirectory();
  const identity = await generateX25519Identity();
  const identityFile = join(directory.path, 'identity.txt');
  await writeFile(identityFile, `${identity}\n`, { mode: 0o600 });
  const encrypt = ['--secrets', 'encrypt', '--age-recipient', await identityToRecipient(identity)];
  const data = join(directory.path, 'data');
  const printed: string[] = [];
  const begun: Running[] = [];
  const run = async (verb: string, namespace: string, ...args: readonly string[]) => {
    const into = args.includes('--data-dir') ? [] : ['--data-dir', data];
    const over = args.includes('--kubeconfig') ? [] : ['--kubeconfig', kubeconfig];
    const ended = await keeper([verb, namespace, ...over, ...into, '--identity', identityFile, ...args]);
    printed.push(ended.stdout, ended.stderr);
    return ended;
  };
  return {
    path: directory.path,
    data,
    identityFile,
    run,
    output: () => printed.join('\n'),
    archive: async (...args) => {
      const { code, stdout, stderr } = await archiveOnce(kubeconfig, data, ...encrypt, ...args);
      printed.push(stdout, stderr);
      assert.ok(code === 0 || code === 3, stderr);
    },
    plan: async (namespace, ...args) => {
      const { code, stdout, stderr } = await run('plan', namespace, '-o', 'json', ...args);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as Plan;
    },
    restore: async (namespace, ...args) => {
      const ended = await run('restore', namespace, '--yes', '-o', 'json', ...args);
      return { ...ended, document: ended.stdout === '' ? undefined : (JSON.parse(ended.stdout) as RestoreDocument) };
    },
    begin: (namespace, ...args) => {
      const over = args.includes('--kubeconfig') ? [] : ['--kubeconfig', kubeconfig];
      const options = [...over, '--data-dir', data, '--identity', identityFile, '--yes', '-o', 'json', ...args];
      const one = begin(['restore', namespace, ...options], data, (text) => printed.push(text));
      begun.push(one);
      return one;
    },
    tree: (repository, commit = 'main') => treeOf(data, repository, commit),
    [Symbol.asyncDispose]: async () => {
      // Of a test that failed before it came to the end.
      await Promise.all(begun.map((one) => one.kill()));
      await directory[Symbol.asyncDispose]();
    },
  };
}

function begin(args: readonly string[], data: string, print: (text: string) => void): Running {
  const known = existsSync(join(data, 'restores')) ? readdirSync(join(data, 'restores')) : [];
  const child = spawn(process.execPath, [ENTRY, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      printed[name] += chunk;
      print(String(chunk));
    });
  const ended = new Promise<Restored>((resolve) => {
    child.on('close', (code) => {
      const document = printed.stdout === '' ? undefined : (JSON.parse(printed.stdout) as RestoreDocument);
      resolve({ code: code ?? 137, ...printed, document });
    });
  });
  const journal = async () => {
    const folders = existsSync(join(data, 'restores')) ? readdirSync(join(data, 'restores')) : [];
    const own = folders.find((folder) => !known.includes(folder));
    return own === undefined
      ? ''
      : await readFile(join(data, 'restores', own, 'journal.jsonl'), 'utf8').catch(() => '');
  };
  return {
    ended,
    told: () => printed.stderr,
    journal,
    waves: async () =>
      [...(await journal()).matchAll(/^\{"type":"wave","wave":"([^"]+)"/gm)].map(([, wave]) => String(wave)),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function treeOf(data: string, repository: string, commit = 'main'): Promise<ReadonlyMap<string, string>> {
  const lines = (await git(data, repository, 'ls-tree', '-r', commit)).split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.split('\t')[1] ?? '', line.split(/\s/)[2] ?? '']));
}

export function object<Rest extends object = object>(
  apiVersion: string,
  kind: string,
  namespace: string,
  name: string,
  rest?: Rest,
) {
  return { apiVersion, kind, metadata: { name, namespace }, ...(rest as Rest) };
}

/** As `kubectl apply` does; one after the other. */
export async function applyAll(cluster: Cluster, objects: readonly object[]): Promise<void> {
  for (const one of objects) await cluster.apply(one);
}

/** Undefined when it does not live. */
export async function live(cluster: Cluster, path: string): Promise<KubeObject | undefined> {
  const { status, text } = await cluster.request('GET', path);
  if (status === 404) return undefined;
  assert.equal(status, 200, `${path}: ${text}`);
  return JSON.parse(text) as KubeObject;
}

/** 'create configmaps/app', in the order of the plan. */
export function brief({ steps }: { readonly steps: readonly Pick<Step, 'action' | 'ref'>[] }): readonly string[] {
  return steps.map(({ action, ref }) => `${action} ${ref.resource}/${ref.name}`);
}

export function pod(app: string, image = 'web:1', rest: object = {}): object {
  return { metadata: { labels: { app } }, spec: { containers: [{ name: 'main', image }], ...rest } };
}

export function deployment(namespace: string, name: string, image = 'web:1', spec: object = {}) {
  const selector = { matchLabels: { app: name } };
  return object('apps/v1', 'Deployment', namespace, name, {
    spec: { replicas: 1, selector, template: pod(name, image), ...spec },
  });
}
