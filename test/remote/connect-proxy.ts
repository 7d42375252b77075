import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A real HTTP proxy for tests (RFC 9110, 9.3.6): it knows CONNECT alone, and keeps all it could read. */
export interface ConnectProxy extends AsyncDisposable {
  readonly url: string;
  /** What was asked for, `host:port`, oldest first. */
  readonly tunnels: readonly string[];
  /** Resolves with the next thing that is asked for. */
  asked(): Promise<unknown>;
  /** Every byte that came from clients, the tunnels' too. */
  seen(): string;
  /** From now on, instead of a tunnel: a status, silence, or a cut. */
  behave(how: 'tunnel' | 'hang' | 'cut' | number): void;
}

export async function startConnectProxy(): Promise<ConnectProxy> {
  const tunnels: string[] = [];
  const seen: Buffer[] = [];
  const sockets = new Set<Socket>();
  let behaviour: 'tunnel' | 'hang' | 'cut' | number = 'tunnel';
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  };
  const server = createServer((request, response) => {
    seen.push(Buffer.from(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`));
    response.writeHead(405).end();
  });
  server.on('connection', keep);
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const target = request.url ?? '';
    tunnels.push(target);
    seen.push(Buffer.from(`${target} ${JSON.stringify(request.headers)}`), head);
    if (behaviour === 'hang') return;
    if (behaviour === 'cut') client.destroy();
    else if (behaviour !== 'tunnel') client.end(`HTTP/1.1 ${behaviour} No\r\ncontent-length: 0\r\n\r\n`);
    else {
      const [host = '', port = ''] = target.split(':');
      const upstream = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        client.on('data', (chunk: Buffer) => seen.push(chunk));
        client.pipe(upstream).pipe(client);
      });
      keep(upstream);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    asked: () => once(server, 'connect'),
    seen: () => Buffer.concat(seen).toString('latin1'),
    behave: (how) => {
      behaviour = how;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
