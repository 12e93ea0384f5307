/** One end of a TLS connection in a test: a client that knows how the other side ended, and endpoints over TLS. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { SocketPeer } from './socket-peer.js';

/** Connects, and waits until the handshake is done. @throws Error of the handshake */
export async function openTls(options: ConnectionOptions): Promise<SocketPeer & { readonly socket: TLSSocket }> {
  const socket = connect({ host: '127.0.0.1', allowHalfOpen: true, ...options } as ConnectionOptions);
  await once(socket, 'secureConnect');
  return new SocketPeer(socket) as SocketPeer & { readonly socket: TLSSocket };
}

/** Always `close` it. */
export interface TlsPeers {
  readonly port: number;
  /** Connections whose handshake is done. */
  readonly peers: readonly (SocketPeer & { readonly socket: TLSSocket })[];
  /** Codes of handshakes that failed. */
  readonly failures: readonly (string | undefined)[];
  close(): Promise<void>;
}

/** @param handle gets each connection when its handshake is done */
export async function startTlsPeers(
  options: TlsOptions,
  handle: (peer: SocketPeer) => void = () => {},
): Promise<TlsPeers> {
  const peers: (SocketPeer & { readonly socket: TLSSocket })[] = [];
  const failures: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, ...options } as TlsOptions, (socket) => {
    const peer = new SocketPeer(socket) as SocketPeer & { readonly socket: TLSSocket };
    peers.push(peer);
    handle(peer);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => failures.push(error.code));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    peers,
    failures,
    close: async () => {
      for (const peer of peers) peer.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
