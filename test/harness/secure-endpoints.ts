/** Endpoints that speak HTTP over TLS, and tell in their answers what they have seen of the connection and the request. */
import { once } from 'node:events';
import { createServer as createHttp1, type IncomingMessage } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { MadeCertificate } from './certificate-maker.js';

/** How one is to be. */
export interface SecureEndpointWishes {
  /** both: by ALPN, HTTP/2 first. plain: no TLS at all. */
  readonly speaks: 'h1' | 'h2' | 'both' | 'plain';
  readonly certificate: MadeCertificate;
  /** Clients must show a certificate of this authority. */
  readonly clientAuthority?: MadeCertificate;
}

/** What an answer tells; JSON. */
export interface SeenByEndpoint {
  readonly endpoint: number;
  readonly version: string;
  readonly alpn: string | false;
  /** SNI; false: none. */
  readonly name: string | false;
  readonly isResumed: boolean;
  /** Common name of the client's certificate; absent: it has shown none. */
  readonly client?: string;
  readonly bytes: number;
}

/** Always `close` it. */
export interface SecureEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** Answers to `/large/N` with N bytes, else with what it has seen; `/last` closes the connection, `/trailers` has some. WebSockets are echoed. */
export async function startSecureEndpoint(wishes: SecureEndpointWishes): Promise<SecureEndpoint> {
  const { speaks, certificate, clientAuthority } = wishes;
  const options = {
    key: certificate.key,
    cert: certificate.cert,
    ...(clientAuthority === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: clientAuthority.cert }),
  };
  const server =
    speaks === 'plain'
      ? createHttp1()
      : speaks === 'h1'
        ? createHttps(options)
        : createSecureServer({ ...options, allowHTTP1: speaks === 'both' });
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  server.on('connection', keep).on('secureConnection', keep);
  const webSockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    webSockets.handleUpgrade(request, socket, head, (peer) =>
      peer.on('message', (message, isBinary) => peer.send(message, { binary: isBinary })),
    ),
  );
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    // Before the end: node:http2 takes the socket's facts away with the stream.
    const seen = factsOf(request, (server.address() as AddressInfo).port);
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => answer(request, response, JSON.stringify({ ...seen, bytes })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer({ url, httpVersion }: Http2ServerRequest, response: Http2ServerResponse, seen: string): void {
  const [, kind, size] = url.split('/').filter((part) => part !== '');
  if (kind === 'large') return void response.end(Buffer.alloc(Number(size), 'x'));
  if (kind === 'last' && httpVersion === '1.1') response.setHeader('connection', 'close');
  if (kind !== 'trailers') return void response.end(seen);
  response.writeHead(200, { trailer: 'x-sum' });
  response.write(seen);
  response.addTrailers({ 'x-sum': '7' });
  response.end();
}

function factsOf(request: Http2ServerRequest, endpoint: number): Omit<SeenByEndpoint, 'bytes'> {
  const socket = (request.stream?.session?.socket ?? request.socket) as TLSSocket;
  const client = socket.getPeerCertificate?.()?.subject?.CN;
  return {
    endpoint,
    version: request.httpVersion,
    alpn: socket.alpnProtocol ?? false,
    name: ((socket as { servername?: string | false }).servername ?? false) || false,
    isResumed: socket.isSessionReused?.() ?? false,
    ...(client === undefined ? {} : { client: String(client) }),
  };
}
