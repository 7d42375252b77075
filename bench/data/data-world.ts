import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../../test/cluster/binaries.ts';
import { missingForNode } from '../../test/node/requirements.ts';
import { startTestNode, type TestNode } from '../../test/node/test-node.ts';
import type { BenchContext } from '../bench.ts';
import { runMeasured } from '../measure/run-measured.ts';

/** A node whose driver makes snapshots, and what both sides of a comparison do there. */

/** The namespace that is archived. */
export const SOURCE = 'bench';
export const SNAPSHOT_API = '/apis/snapshot.storage.k8s.io/v1';

/** Throws with what the machine lacks. */
export async function openDataWorld(): Promise<TestNode> {
  const missing = await missingForNode();
  if (missing !== false) throw new Error(`the bench of data runs pods on this machine and ${missing}`);
  return startTestNode();
}

/** All of them by one kubectl. */
export async function createByKubectl(
  { cluster }: TestNode,
  objects: readonly object[],
  { directory, signal }: BenchContext,
): Promise<void> {
  const path = join(directory, 'objects.json');
  await writeFile(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const environment = { KUBECONFIG: cluster.kubeconfig, KUBECACHEDIR: join(cluster.directory, 'kubectl') };
  const command = [await binary('kubectl'), 'create', '--validate=false', '-f', path];
  await runMeasured(command, { signal, environment });
}

/** As much of an object as the bench reads. */
export interface Listed {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly snapshotHandle?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export async function listObjects({ cluster }: TestNode, path: string): Promise<readonly Listed[]> {
  const { status, text } = await cluster.request('GET', path);
  if (status !== 200) throw new Error(`cannot list ${path}: ${text}`);
  return (JSON.parse(text) as { items: readonly Listed[] }).items;
}

const POLL_MS = 20;
const LONGEST_MS = 120_000;

/** Looks often; resolves with the time, by `performance.now()`, when it was so. */
export async function timeWhen(what: string, isSo: () => Promise<boolean>, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not there after ${LONGEST_MS / 1000} s`);
    await sleep(POLL_MS, undefined, { signal });
  }
  return performance.now();
}
