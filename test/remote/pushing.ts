import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { Credential } from '../../controller/core/ports.ts';
import { type Advertisement, discover } from '../../controller/git/remote/discover.ts';
import { type Pushed, push, type RefUpdate } from '../../controller/git/remote/push.ts';
import { openTransport, type Remote } from '../../controller/git/remote/transport.ts';
import { openRepository, type Repository, type RepositoryOptions } from '../../controller/git/repository.ts';
import { AUTHOR, clock, Place } from '../git/bare-repository.ts';
import { CLEAN_ENVIRONMENT } from './git-backend.ts';
import {
  type GitServer,
  type GitServerOptions,
  type RepositoryOptions as ServedOptions,
  startGitServer,
} from './git-server.ts';

export const NEVER: AbortSignal = new AbortController().signal;

/** A repository of ours, a real Git server, and pushes between them that the real Git judges. */
export class Pushing implements AsyncDisposable {
  readonly place: Place;
  readonly server: GitServer;
  repository: Repository;
  readonly now: () => Date = clock();
  readonly #transport = openTransport();

  private constructor(place: Place, server: GitServer, repository: Repository) {
    this.place = place;
    this.server = server;
    this.repository = repository;
  }

  /** With an empty remote `shop` at it. */
  static async start(
    options: {
      readonly server?: GitServerOptions;
      readonly served?: ServedOptions;
      readonly repository?: RepositoryOptions;
    } = {},
  ): Promise<Pushing> {
    const place = new Place();
    const server = await startGitServer(options.server);
    server.createRepository('shop', options.served);
    return new Pushing(place, server, await openRepository(place.directory, options.repository));
  }

  remote(name = 'shop', credential?: () => Credential): Remote {
    const credentials = credential === undefined ? {} : { credentials: { get: async () => credential() } };
    return { place: this.server.place(name), transport: this.#transport, ...credentials };
  }

  /** Stages these files and commits them; undefined deletes. */
  async commit(files: Readonly<Record<string, string | undefined>>, mergeParents?: readonly string[]): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      if (text === undefined) this.repository.stageDeletion(path);
      else this.repository.stage(path, text);
    }
    const merge = mergeParents === undefined ? {} : { mergeParents };
    const message = `Change ${Object.keys(files).join(', ')}`;
    const result = await this.repository.commit({ message, author: AUTHOR, time: this.now(), ...merge });
    assert.ok(result !== undefined, 'nothing was to be committed');
    return result.id;
  }

  discover(remote: Remote = this.remote()): Promise<Advertisement> {
    return discover(remote, 'git-receive-pack', NEVER);
  }

  /** Moves these refs to where ours are now; undefined deletes. */
  async push(
    refs: Readonly<Record<string, string | undefined>>,
    options: { readonly remote?: Remote; readonly advertised?: Advertisement; readonly signal?: AbortSignal } = {},
  ): Promise<Pushed> {
    const remote = options.remote ?? this.remote();
    const advertised = options.advertised ?? (await this.discover(remote));
    const updates = Object.entries(refs).map(([ref, to]): RefUpdate => ({ ref, from: advertised.refs.get(ref), to }));
    return await push(this.repository, remote, updates, { advertised, signal: options.signal ?? NEVER });
  }

  async pushMain(options: { readonly remote?: Remote; readonly advertised?: Advertisement } = {}): Promise<Pushed> {
    return await this.push({ 'refs/heads/main': this.repository.head }, options);
  }

  /** Asks for these updates, whatever the remote advertises now. */
  async pushExactly(updates: readonly RefUpdate[]): Promise<Pushed> {
    const advertised = await this.discover();
    return await push(this.repository, this.remote(), updates, { advertised, signal: NEVER });
  }

  /** Refs by name, as the real Git sees them. */
  refs(name = 'shop'): Record<string, string> {
    const lines = this.server.git(name, 'for-each-ref', '--format=%(refname) %(objectname)').trim().split('\n');
    return Object.fromEntries(lines.filter((line) => line !== '').map((line) => line.split(' ') as [string, string]));
  }

  /** Ids of all that these refs of the remote, or ids of ours, lead to. */
  objects(where: 'remote' | 'ours', tips: readonly string[], name = 'shop'): Set<string> {
    if (tips.length === 0) return new Set();
    const args = ['rev-list', '--objects', '--no-object-names', ...tips, '--'];
    const text = where === 'remote' ? this.server.git(name, ...args) : this.place.git(...args);
    return new Set(text.trim().split('\n'));
  }

  /** The remote is sound, and holds below its refs exactly what ours hold below the same ids. */
  judge(name = 'shop'): void {
    const said = this.server.git(name, 'fsck', '--strict', '--full', '--no-dangling').split('\n');
    assert.deepEqual(
      said.filter((line) => line !== '' && !line.startsWith('notice: ')),
      [],
    );
    const ids = Object.values(this.refs(name));
    assert.deepEqual([...this.objects('remote', ids, name)].sort(), [...this.objects('ours', ids)].sort());
  }

  /** The real Git in our repository, with this on its standard input; answers what it prints, trimmed. */
  gitWith(input: string, ...args: string[]): string {
    const identity = ['-c', 'user.name=someone', '-c', 'user.email=someone@example.com'];
    const options = { input, encoding: 'utf8', env: CLEAN_ENVIRONMENT } as const;
    return execFileSync('git', ['-C', this.place.directory, ...identity, ...args], options).trim();
  }

  /** Requests that sent something, or tried to. */
  get posts(): number {
    return this.server.requests.filter(({ path }) => path.endsWith('/git-receive-pack')).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository[Symbol.asyncDispose]();
    await this.#transport[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.place[Symbol.dispose]();
  }
}
