/** An endpoint of L4 sessions whose connections the test takes one by one, each as a SocketPeer. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { SocketPeer } from './socket-peer.js';
import { until } from './wire.js';

/** Always `close` it. */
export interface SessionEndpoint {
  /** 0 for a UNIX socket. */
  readonly port: number;
  /** What it has accepted so far. */
  readonly peers: readonly SocketPeer[];
  /** Accepted connections that have not been closed on both sides. */
  readonly openPeers: number;
  /** Waits for the connection of this number, from 0. */
  peer(index: number): Promise<SocketPeer>;
  close(): Promise<void>;
}

/** @param handle gets each connection at once, before any of its bytes */
export async function startSessionEndpoint(
  handle: (peer: SocketPeer) => void = () => {},
  options: ListenOptions & { isKept?: boolean } = {},
): Promise<SessionEndpoint> {
  const { isKept = true, ...where } = options;
  const peers: SocketPeer[] = [];
  let openPeers = 0;
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
    const peer = new SocketPeer(socket, isKept);
    openPeers++;
    socket.on('close', () => openPeers--);
    peers.push(peer);
    handle(peer);
  });
  server.listen(where.path === undefined ? { host: '127.0.0.1', port: 0, ...where } : where);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address as AddressInfo).port : 0,
    peers,
    get openPeers() {
      return openPeers;
    },
    peer: async (index) => {
      await until(`connection ${index} at the endpoint`, () => peers.length > index);
      return peers[index] as SocketPeer;
    },
    close: async () => {
      for (const peer of peers) peer.close();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends back what comes, and ends when the client has. */
export function echo(peer: SocketPeer): void {
  peer.socket.pipe(peer.socket);
}

/** Says who it is, then echoes: a protocol in which the endpoint speaks first. */
export function greetAs(name: string): (peer: SocketPeer) => void {
  return (peer) => {
    peer.send(`${name}\n`);
    echo(peer);
  };
}
