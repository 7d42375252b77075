import type { Cluster } from '../cluster/start-cluster.ts';

/** Steady changes of one namespace: each makes an object of its own and counts one up. */
export class Churn {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #everyMs: number;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #count = 0;
  /** What the API server has accepted so far. */
  readonly made: string[] = [];

  constructor(cluster: Cluster, namespace: string, everyMs: number) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#isRunning = true;
    this.#running = this.#run();
  }

  /** Resolves when no request is under way any more. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const name = `change-${String(++this.#count).padStart(5, '0')}`;
      try {
        await this.#put(name, 'made');
        this.made.push(name);
        await this.#put('counter', String(this.#count));
      } catch {
        // The API server may be away; what it did not accept does not count.
      }
      await new Promise((resolve) => setTimeout(resolve, this.#everyMs));
    }
  }

  async #put(name: string, value: string): Promise<void> {
    const path = `/api/v1/namespaces/${this.#namespace}/configmaps/${name}`;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
    const query = 'fieldManager=test&force=true';
    const answer = await this.#cluster.request('PATCH', `${path}?${query}`, body, 'application/apply-patch+yaml');
    if (answer.status >= 300) throw new Error(answer.text);
  }
}
