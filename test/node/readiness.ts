import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../cluster/control-plane.ts';
import type { Cluster } from '../cluster/start-cluster.ts';
import { DRIVER, PLAIN_DRIVER } from './storage-objects.ts';

const LONGEST_MS = 90_000;
const POLL_MS = 50;

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

interface NodeObject {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface DriversOfNode {
  readonly spec: { readonly drivers: readonly { readonly name: string }[] | null };
}

/** Resolves when each served version of each definition answers. */
export async function waitForDefinitions(cluster: Cluster, definitions: readonly object[]): Promise<void> {
  for (const { spec } of definitions as readonly Definition[]) {
    for (const { name } of spec.versions.filter(({ served }) => served)) {
      await until(`${spec.names.plural} ${name}`, () =>
        exists(cluster, `/apis/${spec.group}/${name}/${spec.names.plural}`),
      );
    }
  }
}

/** Resolves when the node takes pods and the kubelet knows both drivers; rejects at once when a process ended. */
export async function waitForNode(cluster: Cluster, plane: ControlPlane, name: string): Promise<void> {
  await until(
    `node ${name}`,
    async () => {
      for (const process of Object.keys(plane.pids)) {
        if (process === 'supervisor' || plane.isRunning(process)) continue;
        throw new Error(`${process} ended: ${await plane.log(process)}`);
      }
      const node = await read<NodeObject>(cluster, `/api/v1/nodes/${name}`);
      const isReady =
        node?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
      if (!isReady || (node?.spec.taints ?? []).length > 0) return false;
      const drivers = await read<DriversOfNode>(cluster, `/apis/storage.k8s.io/v1/csinodes/${name}`);
      const names = drivers?.spec.drivers?.map((driver) => driver.name) ?? [];
      return names.includes(DRIVER) && names.includes(PLAIN_DRIVER);
    },
    () => plane.log('kubelet'),
  );
}

async function exists(cluster: Cluster, path: string): Promise<boolean> {
  return (await cluster.request('GET', path)).status === 200;
}

async function read<Object_>(cluster: Cluster, path: string): Promise<Object_ | undefined> {
  const answer = await cluster.request('GET', path);
  return answer.status === 200 ? (JSON.parse(answer.text) as Object_) : undefined;
}

async function until(what: string, isSo: () => Promise<boolean>, log = async () => ''): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} is not ready after 90 s: ${await log()}`);
    await sleep(POLL_MS);
  }
}
