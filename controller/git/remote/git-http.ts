import type { GitHttpRequest, HttpClient } from 'isomorphic-git';
import { noGitServer, redirected } from './errors.ts';
import { type Answer, type Asked, exchange } from './exchange.ts';
import { followRedirect, isRedirect, MOST_HOPS } from './redirect.ts';
import { refusedByStatus } from './status-error.ts';
import type { Remote } from './transport.ts';

/** The two programs that Git runs behind HTTP (gitprotocol-http). */
export type Service = 'git-receive-pack' | 'git-upload-pack';

const LARGEST_REFUSAL = 64 * 1024;

/** What is sent with each request of one attempt. */
export interface Attempt {
  readonly authorization: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The HTTP that isomorphic-git's GitRemoteHTTP speaks through. What it would decide by itself is decided here: which
 * redirect is followed (its own clients follow each one, with the credentials), who gets the credentials, and what any
 * answer but 200 means. Throws KeeperErrors only, so its own, which may quote an answer, never come to pass.
 */
export function gitHttp(remote: Remote, service: Service, attempt: Attempt): HttpClient {
  return {
    request: async (request) => {
      const answer =
        request.method === 'POST'
          ? await post(remote, service, attempt, request)
          : await getRefs(remote, service, attempt, request);
      return {
        url: request.url,
        statusCode: 200,
        statusMessage: '',
        headers: { ...answer.headers },
        body: answer.body,
      };
    },
  };
}

async function getRefs(remote: Remote, service: Service, attempt: Attempt, request: GitHttpRequest): Promise<Answer> {
  const { transport, place } = remote;
  let url = new URL(request.url);
  for (let hops = 0; hops <= MOST_HOPS; hops++) {
    const headers = { accept: '*/*', 'cache-control': 'no-cache', ...request.headers, ...authorized(attempt) };
    const limit = transport.limits.advertisementBytes;
    const answer = await exchange(
      remote,
      { method: 'GET', url, headers, limit, expected: 'a list of refs' },
      attempt.signal,
    );
    if (!isRedirect(answer.status)) {
      await accept(remote, answer, `application/x-${service}-advertisement`);
      transport.setBase(place, `${url.origin}${url.pathname.slice(0, -'/info/refs'.length)}`);
      return answer;
    }
    await answer.body.return(undefined);
    url = followRedirect(remote, url, answer.headers['location']);
  }
  throw redirected(remote, url.href);
}

async function post(remote: Remote, service: Service, attempt: Attempt, request: GitHttpRequest): Promise<Answer> {
  const { limits } = remote.transport;
  const [limit, expected] =
    service === 'git-upload-pack' ? [limits.packBytes, 'a pack'] : [limits.reportBytes, 'a report'];
  const asked: Asked = {
    method: 'POST',
    url: new URL(request.url),
    headers: { ...request.headers, ...authorized(attempt) },
    ...(request.body === undefined ? {} : { body: request.body }),
    limit,
    expected,
  };
  const answer = await exchange(remote, asked, attempt.signal);
  if (isRedirect(answer.status)) {
    await answer.body.return(undefined);
    throw redirected(remote, answer.headers['location']);
  }
  await accept(remote, answer, `application/x-${service}-result`);
  return answer;
}

/** Throws unless it is 200 and of the type that belongs there; a sign-in page, too, comes with 200. */
async function accept(remote: Remote, answer: Answer, type: string): Promise<void> {
  const { status, headers, body } = answer;
  const actual = headers['content-type'];
  if (status === 200 && actual === type && (headers['content-encoding'] ?? 'identity') === 'identity') return;
  if (status === 200) {
    await body.return(undefined);
    throw noGitServer(remote, actual === type ? `${type} in ${headers['content-encoding']}` : actual);
  }
  const isText = actual === undefined || /^(?:text\/plain|application\/json)/.test(actual);
  const text = isText ? await readSome(body) : '';
  await body.return(undefined);
  throw refusedByStatus(remote, status, headers, text);
}

/** The beginning; why the rest of a refusal did not come says nothing that its status does not say. */
async function readSome(body: AsyncGenerator<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= LARGEST_REFUSAL) break;
    }
  } catch {
    // The status was there: it is what counts.
  }
  return Buffer.concat(parts).toString('utf8', 0, LARGEST_REFUSAL);
}

function authorized({ authorization }: Attempt): Record<string, string> {
  return authorization === undefined ? {} : { authorization };
}
