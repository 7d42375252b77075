import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemTimer } from '../../controller/archive/publish-timer.ts';
import { Publisher, type PublisherParts } from '../../controller/archive/publisher.ts';
import type { RemotePort } from '../../controller/archive/remote-port.ts';
import type { Outcome } from '../../controller/core/outcome.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { systemClock } from '../../controller/system-clock.ts';
import { ScriptedRemotes } from './scripted-remotes.ts';
import { ScriptedTime } from './scripted-time.ts';

export const CLUSTER_ID = '6f2c5a9e-0000-4000-8000-000000000001';
const KEEPER = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };

/** Real repositories that are published by the real Publisher; the remotes and the time are the test's. */
export class PublishWorld implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kubekeeper-publish-'));
  readonly outcomes: Outcome[] = [];
  readonly failures: unknown[] = [];
  readonly repositories = new Map<string, Repository>();
  readonly publisher: Publisher;
  readonly #waiting = new Set<() => void>();
  #commits = 0;

  constructor(port: RemotePort, parts: Partial<PublisherParts> = {}) {
    this.publisher = new Publisher({
      port,
      clock: systemClock,
      timer: systemTimer,
      random: Math.random,
      clusterId: CLUSTER_ID,
      cluster: 'prod',
      report: (outcome) => this.report(outcome),
      repository: (name) => this.repositories.get(name),
      fail: (error) => this.failures.push(error),
      ...parts,
    });
  }

  report(outcome: Outcome): void {
    this.outcomes.push(outcome);
    if (outcome.type === 'committed') this.publisher.mark(outcome.repository);
    for (const look of this.#waiting) look();
  }

  async open(name: string): Promise<Repository> {
    const options = { autoConsolidate: true };
    const repository = await openRepository(join(this.directory, `${name}.git`), options);
    this.repositories.set(name, repository);
    return repository;
  }

  /** As the archive does; answers the id. */
  async commit(name: string, content = `${this.#commits}`): Promise<string> {
    const repository = this.repositories.get(name) ?? (await this.open(name));
    repository.stage('configmaps/app.json', `{"change":"${content}","nr":${++this.#commits}}\n`);
    const message = `configmaps/app: change ${content}\n\nArchived-From: cluster ${CLUSTER_ID}\n`;
    const result = await repository.commit({ message, author: KEEPER, time: new Date() });
    if (result === undefined) throw new Error('nothing to commit');
    this.publisher.mark(name);
    return result.id;
  }

  of<Type extends Outcome['type']>(type: Type, repository?: string): Extract<Outcome, { type: Type }>[] {
    return this.outcomes.filter(
      (one): one is Extract<Outcome, { type: Type }> =>
        one.type === type && (repository === undefined || ('repository' in one && one.repository === repository)),
    );
  }

  /** The first outcome from `from` on that fits, now or within the time. */
  until(
    what: string,
    fits: (outcome: Outcome) => boolean,
    options: { from?: number; ms?: number } = {},
  ): Promise<Outcome> {
    const { from = 0, ms = 30_000 } = options;
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.outcomes.slice(from).find(fits);
        if (found === undefined && this.failures.length === 0) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        if (found === undefined) reject(this.failures[0]);
        else resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`waited ${ms} ms for ${what}: ${JSON.stringify(this.outcomes.slice(-20), null, 1)}`));
      }, ms);
      this.#waiting.add(look);
      look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher[Symbol.asyncDispose]();
    for (const repository of this.repositories.values()) await repository[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The same on scripted remotes and scripted time; `random` is constant so that waits are known. */
export function scriptedWorld(options: Partial<PublisherParts> = {}) {
  const time = new ScriptedTime();
  const remotes = new ScriptedRemotes();
  const world = new PublishWorld(remotes, { clock: time, timer: time, random: () => 0.999, ...options });
  time.settle = async () => {
    // Tries that hang wait for time to pass; all others end by themselves.
    do await new Promise((resolve) => setImmediate(resolve));
    while (world.publisher.running > remotes.hanging);
  };
  return { time, remotes, world };
}
