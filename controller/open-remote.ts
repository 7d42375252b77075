import { readFile } from 'node:fs/promises';
import { openRemotes } from './archive/remote.ts';
import type { RemotePort } from './archive/remote-port.ts';
import type { RemoteConfig } from './config.ts';
import type { Cluster, CredentialSource, PullRequests } from './core/ports.ts';
import { KeeperError } from './errors.ts';
import { openCredentials } from './forge/credentials.ts';
import { openForge } from './forge/open-forge.ts';
import { proxyFor } from './git/remote/proxy.ts';
import { openTransport } from './git/remote/transport.ts';

/** Opens what --remote and its kin name: connections, credentials, forge. Nothing is contacted before it is needed. */

export interface OpenRemote extends AsyncDisposable {
  readonly port: RemotePort;
  /** What stands for {cluster}. */
  readonly cluster: string;
  readonly credentials: CredentialSource | undefined;
  /** Undefined where a plain Git server is the remote. Asks what the server is, so it throws REMOTE_* when that cannot be reached. */
  pullRequests(): Promise<PullRequests | undefined>;
}

const SECRETS = { group: '', version: 'v1', plural: 'secrets', namespaced: true };

/** Throws KeeperError: a CA that cannot be read, credentials that are none, a cluster without a name. */
export async function openRemote(
  config: RemoteConfig,
  world: { readonly cluster: Cluster; readonly clusterId: string },
): Promise<OpenRemote> {
  const cluster = nameCluster(config, world.clusterId);
  const { origin } = config.template;
  const { owner } = config.template.place({ cluster, repository: 'x' });
  const given = config.caFile === undefined ? undefined : await readAuthorities(config.caFile);
  const from = keyPlace(config, world.cluster);
  await using opening = new AsyncDisposableStack();
  const credentials = from && opening.use(openCredentials({ from, origin, owner, proxyFor: proxy, ...ca(given) }));
  const authority = async () => ca(given ?? (await credentials?.authority()));
  const transport = opening.use(new Lazy(async () => openTransport(await authority())));
  // A file that is none is a mistake to be told at once; what a Secret holds may yet come.
  if (given !== undefined || credentials === undefined) await transport.get();
  const forge = opening.use(
    new Lazy(async () =>
      openForge({ kind: config.forge, origin, credentials, proxyFor: proxy, ...(await authority()) }),
    ),
  );
  const port = openRemotes({
    template: config.template,
    cluster,
    openTransport: () => transport.get(),
    credentials,
    openForge: () => forge.get(),
  });
  const open = opening.move();
  const pullRequests = async () => (await forge.get())?.pullRequests;
  return { port, cluster, credentials, pullRequests, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Made when it is first needed, and again after it could not be made. */
class Lazy<Thing extends AsyncDisposable | undefined> implements AsyncDisposable {
  readonly #make: () => Promise<Thing>;
  #made: Promise<Thing> | undefined;

  constructor(make: () => Promise<Thing>) {
    this.#make = make;
  }

  get(): Promise<Thing> {
    if (this.#made !== undefined) return this.#made;
    const made = this.#make();
    this.#made = made;
    made.catch(() => {
      this.#made = undefined;
    });
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const thing = await this.#made?.catch(() => undefined);
    await thing?.[Symbol.asyncDispose]();
  }
}

/** Pushes and forges read the same variables. */
function proxy(url: URL): URL | undefined {
  return proxyFor(url, process.env);
}

function ca(text: string | undefined): { readonly ca?: string } {
  return text === undefined ? {} : { ca: text };
}

/** Two clusters that push to one place would meet there, so a URL that names the cluster needs a name for it. */
function nameCluster(config: RemoteConfig, clusterId: string): string {
  if (config.clusterName !== undefined) return config.clusterName;
  if (clusterId !== '') return clusterId.slice(0, 8);
  const placeOf = (cluster: string) => config.template.place({ cluster, repository: 'x' }).url;
  if (placeOf('a') === placeOf('b')) return 'cluster';
  throw new KeeperError(
    'Cannot start: the namespace kube-system may not be read, so nothing stands for {cluster} in --remote; nothing was changed, give --cluster-name',
    { kind: 'invalid-input', code: 'USAGE_INVALID' },
  );
}

function keyPlace(config: RemoteConfig, cluster: Cluster) {
  if (config.credentials !== undefined) return { path: config.credentials };
  const { secret } = config;
  if (secret === undefined) return undefined;
  return { secret: `${secret.namespace}/${secret.name}`, read: () => readSecret(cluster, secret) };
}

async function readSecret(
  cluster: Cluster,
  place: { readonly namespace: string; readonly name: string },
): Promise<Readonly<Record<string, string>> | undefined> {
  const secret = await getSecret(cluster, place);
  if (secret === undefined) return undefined;
  const data = Object.entries((secret['data'] ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString('utf8')]));
}

async function getSecret(cluster: Cluster, place: { readonly namespace: string; readonly name: string }) {
  try {
    return await cluster.get(SECRETS, place);
  } catch (cause) {
    if (!(cause instanceof KeeperError) || cause.kind === 'transient') throw cause;
    throw new KeeperError(
      `Cannot read the Secret ${place.namespace}/${place.name} of --remote-secret (${cause.code}); everything is safe here, give the right to get it by name`,
      { kind: 'stalled', code: 'REMOTE_CREDENTIALS_INVALID', cause },
    );
  }
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KeeperError(`Cannot read "${file}" of --remote-ca; nothing was changed`, {
      kind: 'invalid-input',
      code: 'REMOTE_INVALID',
      cause,
    });
  }
}
