import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/start-cluster.ts';

/** Pods that run. */
export interface Pods {
  /** Resolves with standard output; rejects with what the command said. In the first container unless `container` is named. */
  exec(namespace: string, pod: string, command: readonly string[], options?: ExecOptions): Promise<string>;
  /** Resolves when it is ready; rejects after a minute, or at once when it failed, with its state and events. */
  waitForPod(namespace: string, pod: string, longestMs?: number): Promise<void>;
}

export interface ExecOptions {
  readonly stdin?: string;
  readonly container?: string;
}

interface PodObject {
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const LONGEST_MS = 60_000;
const POLL_MS = 100;

export function createPods(cluster: Cluster): Pods {
  return {
    exec: (namespace, pod, command, { stdin, container } = {}) => {
      const where = ['--namespace', namespace, ...(container === undefined ? [] : ['--container', container])];
      const flags = stdin === undefined ? [] : ['--stdin'];
      const args = ['exec', pod, ...where, ...flags, '--', ...command];
      return cluster.kubectl(args, stdin === undefined ? {} : { input: stdin });
    },
    waitForPod: async (namespace, pod, longestMs = LONGEST_MS) => {
      const deadline = performance.now() + longestMs;
      for (;;) {
        const answer = await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
        const { status } = answer.status === 200 ? (JSON.parse(answer.text) as PodObject) : { status: undefined };
        if (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true) return;
        if (status?.phase === 'Failed' || performance.now() > deadline) {
          throw new Error(`pod ${namespace}/${pod} is not ready:\n${await describe(cluster, namespace, pod)}`);
        }
        await sleep(POLL_MS);
      }
    },
  };
}

async function describe(cluster: Cluster, namespace: string, pod: string): Promise<string> {
  return cluster.kubectl(['describe', 'pod', pod, '--namespace', namespace]).catch(String);
}
