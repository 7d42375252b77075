import { gitHttp, type Service } from './git-http.ts';
import { withCredentials } from './renewal.ts';
import type { Remote } from './transport.ts';

/**
 * Calls a service of a repository (POST, gitprotocol-http "Smart Service"): sends the body as it comes and answers the
 * bytes of the result as they come. `body` is called again when a renewed credential makes a second attempt. The answer
 * must be read to its end or left; it throws KeeperError REMOTE_UNREACHABLE when it is cut. What the body throws passes
 * through. Call `discover` before: it finds out where the repository is.
 */
export async function callService(
  remote: Remote,
  service: Service,
  body: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { GitRemoteHTTP } = await import('isomorphic-git/managers');
  return await withCredentials(remote, signal, async (attempt) => {
    const answer = await GitRemoteHTTP.connect({
      http: gitHttp(remote, service, attempt),
      service,
      url: remote.transport.baseOf(remote.place),
      auth: {},
      body: body(),
      headers: {},
    });
    return answer.body ?? nothing();
  });
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An answer without a body.
}
