import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRemotes } from '../../controller/archive/remote.ts';
import type { RemotePort } from '../../controller/archive/remote-port.ts';
import { renderArchiveFile } from '../../controller/core/archive-file.ts';
import { renderJson } from '../../controller/core/json.ts';
import { parseManifestPath } from '../../controller/core/manifest.ts';
import type { PullRequests } from '../../controller/core/ports.ts';
import { parseRemoteTemplate } from '../../controller/core/remote.ts';
import { type Action, EVERYTHING, type Plan, type Selection, type Step } from '../../controller/core/restore/plan.ts';
import { planHash } from '../../controller/core/restore/plan-hash.ts';
import { type OpenForge, openForge } from '../../controller/forge/open-forge.ts';
import { diffTrees } from '../../controller/git/compare-trees.ts';
import { openProposalRecords } from '../../controller/git/proposal-records.ts';
import { openTransport } from '../../controller/git/remote/transport.ts';
import { openRepository, type Repository } from '../../controller/git/repository.ts';
import { applyMerged, type MergedOutcome, type MergedParts } from '../../controller/restore/merged.ts';
import { type Proposed, propose } from '../../controller/restore/propose.ts';
import { openRestorePoint } from '../../controller/restore/restore-point.ts';
import { ScriptedCredentials } from '../forge/forge-contract.ts';
import { openPerson } from '../forge/git-person.ts';
import type { Gitea } from '../forge/gitea.ts';
import { GiteaPulls } from '../forge/gitea-pulls.ts';
import type { GitClient } from '../remote/git-client.ts';

/** An archive of one namespace with its repository at a real Gitea, where `ann` is us and `bob` reviews and merges. */

const AUTHOR = { name: 'kubekeeper', email: 'kubekeeper@kubekeeper.dev' };
const MAIN = 'refs/heads/main';
const signal = new AbortController().signal;

type Files = Readonly<Record<string, string | undefined>>;

export class ProposeWorld implements AsyncDisposable {
  readonly data: string;
  /** Of the namespace. */
  readonly name: string;
  /** How often something was applied. */
  applied = 0;
  resumed = 0;
  secured = 0;
  /** What the live state has by now that changes each plan. */
  drift = '';
  readonly token: string;
  readonly pulls: PullRequests;
  readonly people: GiteaPulls;
  readonly remote: RemotePort;
  /** Somebody else's clone. */
  readonly person: GitClient;
  readonly #repository: Repository;
  readonly #held: AsyncDisposableStack;

  private constructor(made: {
    gitea: Gitea;
    token: string;
    forge: OpenForge;
    remote: RemotePort;
    name: string;
    data: string;
    repository: Repository;
    person: GitClient;
    held: AsyncDisposableStack;
  }) {
    const { gitea, token, forge, remote, repository, person, held } = made;
    [this.data, this.name] = [made.data, made.name];
    this.token = token;
    this.pulls = forge.pullRequests;
    this.remote = remote;
    this.people = new GiteaPulls(gitea, remote.place(this.name));
    this.person = person;
    this.#repository = repository;
    this.#held = held;
  }

  static async start(gitea: Gitea, token: string): Promise<ProposeWorld> {
    await using stack = new AsyncDisposableStack();
    const data = mkdtempSync(join(tmpdir(), 'kubekeeper-propose-'));
    stack.defer(() => rmSync(data, { recursive: true, force: true }));
    const name = `shop-${randomBytes(4).toString('hex')}`;
    const { origin, authority } = gitea;
    const credentials = new ScriptedCredentials(token);
    const forge = await openForge({ kind: 'gitea', origin, credentials, ca: authority, proxyFor: () => undefined });
    if (forge === undefined) throw new Error('no forge');
    stack.use(forge);
    const transport = stack.use(openTransport({ variables: {}, ca: authority }));
    const remote = openRemotes({
      template: parseRemoteTemplate(`${origin}/ops/{cluster}-{namespace}.git`),
      cluster: 'prod',
      openTransport: async () => transport,
      credentials,
      openForge: async () => forge,
    });
    await forge.create(remote.place(name), {});
    const repository = stack.use(await openRepository(join(data, `${name}.git`)));
    const person = stack.use(await openPerson(authority, { kind: 'token', token }));
    await person.git('remote', 'add', 'origin', remote.place(name).url);
    const held = stack.move();
    return new ProposeWorld({ gitea, token, forge, remote, name, data, repository, person, held });
  }

  get directory(): string {
    return this.#repository.directory;
  }

  /** Archives config maps (undefined: gone) and pushes; answers the commit. */
  async archive(files: Files): Promise<string> {
    const id = await this.rearchive(files);
    const place = this.remote.place(this.name);
    const advertised = await this.remote.state(place, signal);
    const update = { ref: MAIN, from: advertised.refs.get(MAIN), to: id };
    await this.remote.push(this.#repository, place, [update], { advertised, signal });
    await this.people.untilSeen('main', id);
    return id;
  }

  /** The same without a push. */
  async rearchive(files: Files): Promise<string> {
    this.#repository.stage(
      '.kubekeeper/archive.json',
      renderArchiveFile({
        clusterId: 'cluster',
        namespace: { name: this.name, uid: 'uid' },
        resources: new Map([['configmaps', 'v1']]),
        rules: '1',
        secrets: 'fingerprint',
      }),
    );
    for (const [name, text] of Object.entries(files)) {
      const path = `configmaps/${name}.json`;
      if (text === undefined) this.#repository.stageDeletion(path);
      else this.#repository.stage(path, renderJson(this.configMap(name, text)));
    }
    const options = { message: 'archived\n\nArchived-From: cluster cluster\n', author: AUTHOR, time: new Date() };
    const committed = await this.#repository.commit(options);
    if (committed === undefined) throw new Error('nothing to commit');
    return committed.id;
  }

  configMap(name: string, text: string) {
    const data = { text, kept: text.split(' ')[0] ?? '' };
    return { apiVersion: 'v1', data, kind: 'ConfigMap', metadata: { name, namespace: this.name } };
  }

  /** What a real plan would say when the newest commit is live. */
  async planTo(commit: string, selection: Partial<Selection> = {}): Promise<Plan> {
    const chosen = { ...EVERYTHING, ...selection };
    const changes = await diffTrees(this.#repository, this.#repository.head ?? '', commit);
    const steps = changes.flatMap(({ path, before, after }): Step[] => {
      const ref = parseManifestPath(path);
      if (ref?.name === undefined || (after === undefined && !chosen.prune)) return [];
      const action: Action = before === undefined ? 'create' : after === undefined ? 'delete' : 'update';
      return [
        {
          action,
          ref: { resource: ref.resource, namespace: this.name, name: ref.name },
          path: after === undefined ? undefined : path,
          wave: 'configuration',
          reason: 'it differs @everybody',
          fields: [],
          notes: [],
          managedBy: undefined,
          liveVersion: '1',
          digest: `${after}${this.drift}`,
        },
      ];
    });
    const target = { clusterId: 'cluster', namespace: this.name, asUser: undefined };
    const body = { version: 1 as const, repository: this.name, commit, target, selection: chosen, steps, equal: 0 };
    return { ...body, hash: planHash(body) };
  }

  async propose(plan: Plan, pulls = this.pulls): Promise<Proposed | undefined> {
    await using point = await openRestorePoint(this.directory, plan.commit);
    const parts = { remote: this.remote, pulls, point, scratch: join(this.data, '.scratch') };
    const proposed = await propose(parts, plan, { to: 'good/1', time: new Date(), signal });
    if (proposed !== undefined) await this.people.untilSeen(proposed.branch, proposed.commit);
    return proposed;
  }

  /** One run of apply-merged, in which the live state becomes that of the restore point. */
  async applyMerged(
    changed: Partial<MergedParts> = {},
    needsApproval = false,
    names: readonly string[] = [this.name],
  ): Promise<MergedOutcome[]> {
    await using records = await openProposalRecords(this.data);
    const parts: MergedParts = {
      remote: this.remote,
      pulls: this.pulls,
      records,
      placeOf: async (name) => this.remote.place(name),
      directoryOf: () => this.directory,
      planAgain: async (_, point, selection) => ({
        [Symbol.asyncDispose]: async () => undefined,
        plan: await this.planTo(point.commit, selection),
        secure: () => {
          this.secured++;
          return this.planTo(point.commit, selection);
        },
        apply: async () => {
          this.applied++;
          return { words: 'restored 2 objects, equal', markdown: '' };
        },
      }),
      resume: async () => {
        this.resumed++;
        return { words: 'restored 1 object, equal', markdown: '' };
      },
      ...changed,
    };
    return await Array.fromAsync(applyMerged(parts, names, { needsApproval, now: () => new Date(), signal }));
  }

  /** The real Git in the data directory. */
  git(...args: string[]): string {
    return execFileSync('git', ['-C', this.directory, ...args], { encoding: 'utf8' }).trim();
  }

  /** What lies in the data directory. */
  left(): readonly string[] {
    return readdirSync(this.data).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held[Symbol.asyncDispose]();
  }
}
