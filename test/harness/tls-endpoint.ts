/** Endpoints and clients that speak TLS from end to end through a proxy that does not take part. */
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { makeCertificate } from './certificate-maker.js';

/** Always `close` it. */
export interface TlsEndpoint {
  readonly port: number;
  readonly name: string;
  /** Of its certificate: only whoever holds its key can show it. */
  readonly fingerprint256: string;
  close(): Promise<void>;
}

/** Says its name to whoever has shaken hands, then sends back what comes. */
export async function startTlsEndpoint(name: string, alpn: string[] = []): Promise<TlsEndpoint> {
  const { key, cert, fingerprint256 } = makeCertificate({ name });
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key, cert, ...(alpn.length > 0 ? { ALPNProtocols: alpn } : {}) }, (socket) => {
    socket.write(`${name}\n`);
    socket.on('error', () => {}).pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket) => {
    sockets.add(socket as TLSSocket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    name,
    fingerprint256,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What a TLS client has seen at the other end. */
export interface TlsGreeting {
  readonly name: string;
  readonly fingerprint256: string;
  readonly alpn: string | false | null;
}

/**
 * Shakes hands, sends a long message and waits for its echo.
 * @throws Error, code ECONNRESET where the connection was reset
 */
export async function greetOverTls(options: ConnectionOptions): Promise<TlsGreeting> {
  const socket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    let text = '';
    const message = 'x'.repeat(100_000);
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(10_000, () => reject(new Error('no answer over TLS in 10 s')));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed before the echo')));
      socket.on('secureConnect', () => socket.write(message));
      socket.setEncoding('latin1').on('data', (chunk) => {
        text += chunk;
        if (text.endsWith(`\n${message}`)) resolve();
      });
    });
    const { fingerprint256 } = socket.getPeerCertificate();
    return { name: text.slice(0, text.indexOf('\n')), fingerprint256, alpn: socket.alpnProtocol };
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

/** The ClientHello that such a client begins with, as it lies on the wire. */
export async function clientHelloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createTcpServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  let hello = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hello = Buffer.concat([hello, chunk]);
    if (hello.length >= 5 && hello.length === 5 + hello.readUInt16BE(3)) break;
  }
  client.destroy();
  server.close();
  return hello;
}
