import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** The port in front of an HTTP server: it can be shut and opened again, or take connections and say nothing. */
export interface GitListener extends AsyncDisposable {
  readonly port: number;
  /** Connections are refused from now on; those that were open are cut. */
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
  /** New connections are taken and nobody answers on them, not even with TLS. */
  mute(): void;
  /** Connections that were taken while it was mute stay so. */
  unmute(): void;
}

export async function listen(server: Server): Promise<GitListener> {
  const sockets = new Set<Socket>();
  let isMute = false;
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Cut by us or by the client: both are what a test asked for.
    socket.on('error', () => undefined);
    if (!isMute) server.emit('connection', socket);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as AddressInfo;
  const stop = async () => {
    if (!front.listening) return;
    const closed = once(front, 'close');
    front.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    stop,
    start: async () => {
      if (front.listening) return;
      front.listen(port, '127.0.0.1');
      await once(front, 'listening');
    },
    mute: () => {
      isMute = true;
    },
    unmute: () => {
      isMute = false;
    },
    [Symbol.asyncDispose]: stop,
  };
}
