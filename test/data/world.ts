import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSpec } from '../../controller/api/cluster-archive.ts';
import { type Connection, connect } from '../../controller/cluster/connect.ts';
import { openRestoreTarget } from '../../controller/cluster/open-restore-target.ts';
import { type DataPolicy, dataPolicyOf } from '../../controller/core/data/policy.ts';
import type { Quiescer } from '../../controller/core/data/quiesce.ts';
import { type DataNote, parseNote } from '../../controller/core/data/record.ts';
import type { CommitData, VolumeData } from '../../controller/core/data/volume-data.ts';
import type { Outcome } from '../../controller/core/outcome.ts';
import type { Clock } from '../../controller/core/ports.ts';
import type { SnapshotTarget } from '../../controller/data/engine.ts';
import { openVolumeData } from '../../controller/data/volume-data.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import type { StoredSnapshot } from '../node/stored.ts';
import { startTestNode, type TestNode } from '../node/test-node.ts';

/** One namespace on a real node, its real repository, and the volume data beside its commits. No command line. */

const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@example.com' };
const ARCHIVE_ID = '0123456789abcdef';

export interface DataWorld extends AsyncDisposable {
  readonly node: TestNode;
  readonly target: SnapshotTarget;
  /** A namespace of its own with claims that a pod holds. */
  space(name: string, claims: readonly string[], options?: SpaceOptions): Promise<DataSpace>;
}

interface SpaceOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly storageClass?: string;
}

export async function startDataWorld(options: { readonly groupSnapshots?: boolean } = {}): Promise<DataWorld> {
  await using stack = new AsyncDisposableStack();
  const node = stack.use(await startTestNode(options));
  const connection: Connection = stack.use(await connect({ kubeconfig: node.cluster.kubeconfig }));
  const directory = await mkdtemp(join(tmpdir(), 'kubekeeper-data-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const target = openRestoreTarget(connection);
  const held = stack.move();
  return {
    node,
    target,
    space: async (name, claims, { labels, storageClass } = {}) => {
      await node.createNamespace(name);
      const more = { ...(labels && { labels }), ...(storageClass === undefined ? {} : { storageClass }) };
      await Promise.all(claims.map((claim) => node.createClaim(name, claim, more)));
      await Promise.all(claims.map((claim) => node.waitFor(name, `pvc/${claim}`, '.status.phase', 'Bound')));
      return new DataSpace(name, node, target, join(directory, `${name}.git`));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** A clock that somebody moves on. */
class MovedClock implements Clock {
  ahead = 0;
  wall = () => Date.now() + this.ahead;
  monotonic = () => performance.now() + this.ahead;
}

interface OpenOptions {
  readonly policy?: DataSpec;
  readonly target?: SnapshotTarget;
  readonly quiescer?: Quiescer;
}

export class DataSpace {
  readonly name: string;
  readonly clock = new MovedClock();
  readonly node: TestNode;
  readonly #target: SnapshotTarget;
  readonly #directory: string;

  constructor(name: string, node: TestNode, target: SnapshotTarget, directory: string) {
    this.name = name;
    this.node = node;
    this.#target = target;
    this.#directory = directory;
  }

  /** A process that archives this namespace. */
  async open({ policy = {}, target = this.#target, quiescer }: OpenOptions = {}): Promise<DataProcess> {
    const repository = await openRepository(this.#directory);
    return new DataProcess(this, repository, dataPolicyOf({ data: policy }) as DataPolicy, target, quiescer);
  }

  /** As a damaged repository is: the next process begins a new one. */
  putAside(): Promise<void> {
    return rename(this.#directory, `${this.#directory}.aside`);
  }

  /** What the driver really has of this namespace. */
  async stored(): Promise<readonly StoredSnapshot[]> {
    return (await this.node.node.snapshots()).filter(({ claim }) => claim.startsWith(`${this.name}/`));
  }

  async handles(): Promise<readonly string[]> {
    return (await this.stored()).map(({ handle }) => handle).sort();
  }

  /** Names of what lives in the namespace. */
  async living(plural: string): Promise<readonly string[]> {
    const names = await this.node.cluster.kubectl([
      'get',
      plural,
      '-n',
      this.name,
      '-o',
      'jsonpath={.items[*].metadata.name}',
    ]);
    return names
      .split(' ')
      .filter((name) => name !== '')
      .sort();
  }
}

export class DataProcess implements AsyncDisposable {
  readonly outcomes: Outcome[] = [];
  readonly failures: unknown[] = [];
  readonly due: string[] = [];
  readonly repository: Repository;
  readonly volumes: VolumeData;
  readonly #space: DataSpace;
  readonly #stop = new AbortController();
  #isKilled = false;
  #files = 0;

  constructor(
    space: DataSpace,
    repository: Repository,
    policy: DataPolicy,
    target: SnapshotTarget,
    quiescer: Quiescer | undefined,
  ) {
    this.#space = space;
    this.repository = repository;
    let runs = 0;
    const start = Date.now().toString(36).slice(-5);
    this.volumes = openVolumeData(
      {
        ...{ target, policy, archiveId: ARCHIVE_ID, clock: space.clock, quiescer, author: AUTHOR },
        newRunId: () => `${start}${(++runs).toString(36).padStart(3, '0')}`,
      },
      {
        within: async (name, work) => (name === space.name && !this.#isKilled ? await work(repository) : undefined),
        due: (name) => this.due.push(name),
        report: (outcome) => this.outcomes.push(outcome),
        fail: (error) => this.failures.push(error),
        guard: async () => undefined,
        signal: this.#stop.signal,
      },
    );
  }

  /** A commit as the archive makes it; answers its id. */
  async commit({ isForced = false } = {}): Promise<{ readonly id: string; readonly data: CommitData }> {
    const data = await this.volumes.beforeCommit(this.#space.name, { isForced });
    const id = await this.commitOnly(data);
    await data.committed(id);
    return { id, data };
  }

  /** The commit alone, as if the process ended right after it. */
  async commitOnly({ trailers }: Pick<CommitData, 'trailers'>): Promise<string> {
    this.repository.stage('configmaps/app.json', `${Date.now()} ${++this.#files}`);
    const lines = trailers.map(([key, value]) => `${key}: ${value}\n`).join('');
    const time = new Date(this.#space.clock.wall());
    const made = await this.repository.commit({ message: `a change\n\n${lines}`, author: AUTHOR, time });
    return (made as { id: string }).id;
  }

  note(commit: string): DataNote | undefined {
    const text = this.repository.readNote(commit);
    return text === undefined ? undefined : parseNote(text, commit);
  }

  /** Claims of a commit's note by state: 'data ready'. */
  states(commit: string): readonly string[] {
    return Object.entries(this.note(commit)?.claims ?? {}).map(([claim, { state }]) => `${claim} ${state}`);
  }

  tag(name: string, commit: string): Promise<string> {
    return this.repository.tag(name, { target: commit, message: name, tagger: AUTHOR, time: new Date() });
  }

  /** Until everything that was asked for is decided, and what follows from it is done. */
  async settle(seconds = 60): Promise<void> {
    await this.volumes.settle(AbortSignal.timeout(seconds * 1000));
    if (this.failures.length > 0) throw this.failures[0];
  }

  told<Type extends Outcome['type']>(type: Type): readonly Extract<Outcome, { type: Type }>[] {
    return this.outcomes.filter((outcome): outcome is Extract<Outcome, { type: Type }> => outcome.type === type);
  }

  /** As `kill -9` does it, as far as one process can: nothing more is written, to the cluster neither. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#stop.abort(new Error('killed'));
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.volumes[Symbol.asyncDispose]();
    await this.repository[Symbol.asyncDispose]();
  }
}

export async function untilTrue(what: string, holds: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** For a target of which some methods are others. */
export function methodsOf(target: SnapshotTarget): SnapshotTarget {
  return {
    discover: (options) => target.discover(options),
    get: (...asked) => target.get(...asked),
    list: (...asked) => target.list(...asked),
    create: (...asked) => target.create(...asked),
    patch: (...asked) => target.patch(...asked),
    remove: (...asked) => target.remove(...asked),
  };
}
