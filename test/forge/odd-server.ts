import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

/** A server that answers as its test wants it to. */
export interface OddServer extends AsyncDisposable {
  readonly origin: string;
  /** `METHOD PATH` of all that arrived. */
  readonly requests: readonly string[];
  /** Every `Authorization` header that arrived. */
  readonly shown: readonly string[];
}

export type OddAnswer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export async function startOddServer(answer: OddAnswer, tls?: SecureContextOptions): Promise<OddServer> {
  const [requests, shown]: [string[], string[]] = [[], []];
  const listener: RequestListener = async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (request.headers.authorization !== undefined) shown.push(request.headers.authorization);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answer(request, response, Buffer.concat(chunks).toString());
  };
  const server = tls === undefined ? createPlainServer(listener) : createServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    shown,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function say(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}
