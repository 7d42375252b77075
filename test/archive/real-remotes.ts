import { Adoption } from '../../controller/archive/publish-adopt.ts';
import { systemTimer } from '../../controller/archive/publish-timer.ts';
import type { PublisherParts } from '../../controller/archive/publisher.ts';
import { openRemotes } from '../../controller/archive/remote.ts';
import type { RemotePort } from '../../controller/archive/remote-port.ts';
import type { CredentialSource, Forge } from '../../controller/core/ports.ts';
import { parseRemoteTemplate } from '../../controller/core/remote.ts';
import { type Limits, openTransport } from '../../controller/git/remote/transport.ts';
import type { Repository } from '../../controller/git/repository.ts';
import { systemClock } from '../../controller/system-clock.ts';
import { GitClient } from '../remote/git-client.ts';
import { type GitServer, type GitServerOptions, startGitServer } from '../remote/git-server.ts';
import { CLUSTER_ID, PublishWorld } from './publish-world.ts';

/** The real port, to `ops/prod-NAME` of a real Git server. */
export function realPort(
  server: GitServer,
  options: { readonly limits?: Partial<Limits>; readonly credentials?: CredentialSource; readonly forge?: Forge } = {},
): RemotePort & AsyncDisposable {
  const { limits, credentials, forge } = options;
  const ca = server.authority === '' ? {} : { ca: server.authority };
  const transport = openTransport({ variables: {}, ...ca, ...(limits === undefined ? {} : { limits }) });
  const port = openRemotes({
    template: parseRemoteTemplate(`${server.url}/ops/{cluster}-{namespace}.git`),
    cluster: 'prod',
    openTransport: async () => transport,
    credentials,
    openForge: async () => forge,
  });
  return { ...port, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() };
}

/** What a try waits for in these tests: long enough for a busy machine. */
export const SHORT: Partial<Limits> = { connectMs: 1000, headersMs: 1500, silenceMs: 1500 };

/** Waits as the system does, only so many times faster, so that back-offs of minutes pass in a test. */
export function hurried(times: number): Pick<PublisherParts, 'clock' | 'timer'> {
  return {
    clock: { wall: systemClock.wall, monotonic: () => systemClock.monotonic() * times },
    timer: { start: (ms, fire) => systemTimer.start(ms / times, fire) },
  };
}

/** A Git server with `ops/prod-shop`, our side of it, and somebody else with the real Git. */
export class RealWorld implements AsyncDisposable {
  readonly server: GitServer;
  readonly port: RemotePort & AsyncDisposable;
  readonly world: PublishWorld;

  private constructor(server: GitServer, port: RemotePort & AsyncDisposable, parts: Partial<PublisherParts>) {
    this.server = server;
    this.port = port;
    this.world = new PublishWorld(port, parts);
  }

  static async start(
    options: {
      readonly server?: GitServerOptions;
      readonly limits?: Partial<Limits>;
      readonly credentials?: CredentialSource;
      readonly forge?: (server: GitServer) => Forge;
      readonly parts?: Partial<PublisherParts>;
      readonly repositories?: readonly string[];
    } = {},
  ): Promise<RealWorld> {
    const server = await startGitServer(options.server);
    for (const name of options.repositories ?? ['shop']) server.createRepository(`ops/prod-${name}`);
    const forge = options.forge?.(server);
    const port = realPort(server, { ...options, ...(forge === undefined ? {} : { forge }) } as object);
    // A minute passes in a second.
    return new RealWorld(server, port, { ...hurried(60), ...options.parts });
  }

  /** Another process of ours on the same remotes, with a disk of its own unless told otherwise. */
  another(parts: Partial<PublisherParts> = {}): PublishWorld {
    return new PublishWorld(this.port, { ...hurried(60), ...parts });
  }

  adoption(world: PublishWorld): Adoption {
    const parts = { port: this.port, random: Math.random, clusterId: CLUSTER_ID, cluster: 'prod', ...hurried(1) };
    return new Adoption({ ...parts, report: (outcome) => world.report(outcome) }, new AbortController().signal);
  }

  /** The real Git in the remote repository. */
  git(name: string, ...args: string[]): string {
    return this.server.git(`ops/prod-${name}`, ...args).trim();
  }

  ref(name: string, ref: string): string | undefined {
    const text = this.git(name, 'for-each-ref', '--format=%(objectname)', ref);
    return text === '' ? undefined : text;
  }

  /** A clone of somebody else. */
  async clone(name: string): Promise<GitClient> {
    const client = new GitClient();
    const { user } = urlOf(this.server, name);
    await client.git('clone', '--quiet', user, '.');
    return client;
  }

  repository(name = 'shop'): Repository {
    const repository = this.world.repositories.get(name);
    if (repository === undefined) throw new Error(`no repository ${name}`);
    return repository;
  }

  fsck(name: string): void {
    const said = this.git(name, 'fsck', '--strict', '--full', '--no-dangling');
    const bad = said.split('\n').filter((line) => line !== '' && !line.startsWith('notice: '));
    if (bad.length > 0) throw new Error(bad.join('\n'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await this.port[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

function urlOf(server: GitServer, name: string) {
  return { user: `${server.url}/ops/prod-${name}.git` };
}
