/** An endpoint on a real socket whose every connection the test handles, and waiting for facts. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A TCP endpoint whose every connection is handled by the test. Always `close` it. */
export interface WireEndpoint {
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: Socket[];
  close(): Promise<void>;
}

/** @param handle gets each connection; its errors are swallowed here, since tests break connections on purpose */
export async function startEndpoint(handle: (socket: Socket) => void, port = 0): Promise<WireEndpoint> {
  const connections: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket);
    socket.on('error', () => {});
    handle(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    close: async () => {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Waits until `fact` holds. @throws Error with `what` when it does not in time */
export async function until(what: string, fact: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await fact())) {
    if (Date.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
