import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask } from './api-client.ts';
import type { ControlPlane } from './control-plane.ts';

const LONGEST_MS = 60_000;
const POLL_MS = 25;
const OWN_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Resolves when the API server says that it is ready; rejects at once, with its log, when a process has ended. */
export async function waitForReadiness(ask: Ask, plane: ControlPlane): Promise<void> {
  await poll(ask, plane, 'kube-apiserver', ['/readyz']);
}

/** Some objects come a moment after readiness; nobody should find a cluster without them, or see them as a change. */
export async function waitForDefaults(ask: Ask, plane: ControlPlane, hasControllerManager: boolean): Promise<void> {
  const namespaces = OWN_NAMESPACES.map((name) => `/api/v1/namespaces/${name}`);
  await poll(ask, plane, 'kube-apiserver', [...namespaces, '/api/v1/namespaces/default/services/kubernetes']);
  if (!hasControllerManager) return;
  const given = namespaces.flatMap((path) => [
    `${path}/serviceaccounts/default`,
    `${path}/configmaps/kube-root-ca.crt`,
  ]);
  await poll(ask, plane, 'kube-controller-manager', given);
}

async function poll(ask: Ask, plane: ControlPlane, name: string, paths: readonly string[]): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const answers = await Promise.all(paths.map((path) => ask('GET', path).catch(() => undefined)));
    if (answers.every((answer) => answer?.status === 200)) return;
    for (const process of ['etcd', name]) {
      if (!plane.isRunning(process)) throw new Error(`${process} ended: ${await plane.log(process)}`);
    }
    if (performance.now() > deadline) throw new Error(`${name} is not ready after a minute: ${await plane.log(name)}`);
    await sleep(POLL_MS);
  }
}
