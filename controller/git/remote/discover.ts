import type { HttpClient } from 'isomorphic-git';
import { KeeperError } from '../../errors.ts';
import { isObjectId, type ObjectId } from '../object-id.ts';
import { readWholeAdvertisement } from './advertisement.ts';
import { damagedAnswer, foreignFormat } from './errors.ts';
import { gitHttp, type Service } from './git-http.ts';
import { withCredentials } from './renewal.ts';
import type { Remote } from './transport.ts';

/** What a remote has, and what its server can do. */
export interface Advertisement {
  /** Every ref by full name; HEAD and the targets of tags are left out. Empty for an empty repository. */
  readonly refs: ReadonlyMap<string, ObjectId>;
  /** As sent: `atomic`, `agent=git/2.39.5`. */
  readonly capabilities: ReadonlySet<string>;
}

/**
 * Asks a service for the refs of a repository (GET info/refs, gitprotocol-http "Discovering References"). The list is
 * whole or it is an error. Throws KeeperError REMOTE_* with what happened; aborting throws the signal's reason.
 */
export async function discover(remote: Remote, service: Service, signal: AbortSignal): Promise<Advertisement> {
  try {
    return await ask(remote, service, signal);
  } catch (error) {
    if (service === 'git-upload-pack' || !isForbidden(error)) throw error;
    throw (await findMissing(remote, signal)) ?? error;
  }
}

/** Gitea and Forgejo forbid to push to what does not exist; who asks to read is told that it is not there. */
async function findMissing(remote: Remote, signal: AbortSignal): Promise<KeeperError | undefined> {
  try {
    await ask(remote, 'git-upload-pack', signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KeeperError && error.code === 'REMOTE_NOT_FOUND') return error;
    // Whatever else it is, that we may not push is what counts.
  }
  return undefined;
}

function isForbidden(error: unknown): boolean {
  return error instanceof KeeperError && error.code === 'REMOTE_CREDENTIALS_REFUSED' && error.details['status'] === 403;
}

async function ask(remote: Remote, service: Service, signal: AbortSignal): Promise<Advertisement> {
  // Loaded when first needed: it is large, and without a remote nobody needs it.
  const { GitRemoteHTTP } = await import('isomorphic-git/managers');
  const found = await withCredentials(remote, signal, async (attempt) => {
    const client = gitHttp(remote, service, attempt);
    const http: HttpClient = {
      request: async (request) => {
        const answer = await client.request(request);
        const parts = await readWholeAdvertisement(remote, service, answer.body ?? nothing());
        return { ...answer, body: iterate(parts) };
      },
    };
    const asked = { http, service, url: remote.place.url, headers: {}, protocolVersion: 1 } as const;
    return (await GitRemoteHTTP.discover(asked).catch((error: unknown) =>
      refuseUnreadable(remote, signal, error),
    )) as Found;
  });
  checkFormat(remote, found.capabilities);
  return { refs: checkRefs(remote, found.refs), capabilities: found.capabilities };
}

/** isomorphic-git's own errors quote what was sent, so none of them goes on. */
function refuseUnreadable(remote: Remote, signal: AbortSignal, error: unknown): never {
  if (error instanceof KeeperError || signal.aborted) throw error;
  throw damagedAnswer(remote, new RangeError('it is no list of refs'));
}

/** Servers from before the capability know SHA-1 only (gitprotocol-capabilities, "object-format"). */
function checkFormat(remote: Remote, capabilities: ReadonlySet<string>): void {
  for (const capability of capabilities) {
    const format = /^object-format=(.*)$/.exec(capability)?.[1] ?? 'sha1';
    if (format !== 'sha1') throw foreignFormat(remote, format);
  }
}

interface Found {
  readonly refs: ReadonlyMap<string, string>;
  readonly capabilities: ReadonlySet<string>;
}

/** Also left out: lines that name no ref (`.have`, `shallow`). */
function checkRefs(remote: Remote, found: ReadonlyMap<string, string>): ReadonlyMap<string, ObjectId> {
  const refs = new Map<string, ObjectId>();
  for (const [name, id] of found) {
    if (!name.startsWith('refs/') || name.endsWith('^{}')) continue;
    if (!isObjectId(id)) throw damagedAnswer(remote, new RangeError('a ref has no SHA-1 object id'));
    refs.set(name, id);
  }
  return refs;
}

async function* iterate(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An answer without a body.
}
