import type { CredentialSource, Forge } from '../core/ports.ts';
import type { RemotePlace, RemoteTemplate } from '../core/remote.ts';
import { discover } from '../git/remote/discover.ts';
import { fetch } from '../git/remote/fetch.ts';
import { push } from '../git/remote/push.ts';
import type { Remote, Transport } from '../git/remote/transport.ts';
import type { RemotePort } from './remote-port.ts';

export interface RemoteParts {
  readonly template: RemoteTemplate;
  /** What stands for {cluster}. */
  readonly cluster: string;
  /** Its authorities may lie with the credentials, so it is opened when it is first needed; throws what these throw. */
  readonly openTransport: () => Promise<Transport>;
  readonly credentials?: CredentialSource | undefined;
  /** Asks what the server is; throws REMOTE_* when it cannot be reached. */
  readonly openForge: () => Promise<Forge | undefined>;
}

/** The remotes as they are: smart HTTP, and the forge's API beside it. */
export function openRemotes(parts: RemoteParts): RemotePort {
  const reach = async (place: RemotePlace, signal: AbortSignal): Promise<Remote> => ({
    place,
    transport: await orAborted(parts.openTransport(), signal),
    ...(parts.credentials === undefined ? {} : { credentials: parts.credentials }),
  });
  return {
    place: (repository) => parts.template.place({ cluster: parts.cluster, repository }),
    state: async (place, signal) => await discover(await reach(place, signal), 'git-receive-pack', signal),
    push: async (repository, place, updates, options) =>
      await push(repository, await reach(place, options.signal), updates, options),
    fetch: async (repository, place, wants, signal) =>
      await fetch(repository, await reach(place, signal), wants, signal),
    openForge: (signal) => orAborted(parts.openForge(), signal),
  };
}

/** What is opened for all of them is not cut because one gave up. */
function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
