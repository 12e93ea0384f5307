/** Both ends of a WebSocket in a test: a client and an endpoint that remember what has come, over `ws`, and frames as raw bytes. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { until } from './wire.js';

/** A message as it came. */
export interface SeenMessage {
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

/** One end, with all that has come. Always `close` it. */
export class WebSocketPeer {
  readonly messages: SeenMessage[] = [];
  readonly pings: string[] = [];
  readonly pongs: string[] = [];
  receivedBytes = 0;
  /** undefined while it is open. */
  ending: { readonly code: number; readonly reason: string } | undefined;

  /** @param isKept false: messages are counted, and not kept */
  constructor(
    readonly socket: WebSocket,
    isKept = true,
  ) {
    socket.on('message', (data: Buffer, isBinary) => {
      this.receivedBytes += data.length;
      if (isKept) this.messages.push({ bytes: data, isBinary });
    });
    socket.on('ping', (payload) => this.pings.push(payload.toString()));
    socket.on('pong', (payload) => this.pongs.push(payload.toString()));
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.ending = { code, reason: reason.toString() };
    });
  }

  /** Connects as a client, and waits for the 101. @throws Error with the status when there is none */
  static async open(
    port: number,
    options: ClientOptions & {
      path?: string;
      protocols?: string[];
      isKept?: boolean;
      scheme?: 'ws' | 'wss';
      servername?: string;
    } = {},
  ): Promise<WebSocketPeer> {
    const { path = '/', protocols = [], isKept, scheme = 'ws', ...rest } = options;
    const socket = new WebSocket(`${scheme}://127.0.0.1:${port}${path}`, protocols, {
      perMessageDeflate: false,
      ...rest,
    });
    const peer = new WebSocketPeer(socket, isKept);
    await once(socket, 'open');
    return peer;
  }

  /** Messages that were text, in order. */
  get texts(): string[] {
    return this.messages.filter(({ isBinary }) => !isBinary).map(({ bytes }) => bytes.toString());
  }

  /** Waits until so many messages have come. */
  async gets(count: number): Promise<readonly SeenMessage[]> {
    await until(`${count} messages`, () => this.messages.length >= count);
    return this.messages;
  }

  /** Waits for the end. */
  async ended(timeoutMs = 5_000): Promise<{ readonly code: number; readonly reason: string }> {
    await until('the end of the WebSocket', () => this.ending !== undefined, timeoutMs);
    return this.ending as { code: number; reason: string };
  }

  /** Resets the TCP connection. */
  reset(): void {
    socketOf(this.socket).resetAndDestroy();
  }

  /** Idempotent. */
  close(): void {
    this.socket.terminate();
  }
}

/** The TCP socket below. */
export function socketOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket;
}

/** An endpoint that takes WebSockets. Always `close` it. */
export interface WebSocketEndpoint {
  readonly port: number;
  readonly peers: readonly WebSocketPeer[];
  readonly requests: readonly IncomingMessage[];
  /** The next WebSocket, counted from those that were taken before. */
  next(): Promise<WebSocketPeer>;
  close(): Promise<void>;
}

/** How it behaves; everything has its default. */
export interface WebSocketEndpointOptions {
  /** Sends every message back. */
  readonly echoes?: boolean;
  readonly isKept?: boolean;
  readonly chooseProtocol?: (offered: Set<string>) => string | false;
  /** Lines added to the 101. */
  readonly fields?: readonly string[];
  readonly listen?: { readonly path: string };
  /** Longest message, in bytes. */
  readonly maxPayload?: number;
}

export async function startWebSocketEndpoint(options: WebSocketEndpointOptions = {}): Promise<WebSocketEndpoint> {
  const { echoes = false, isKept, chooseProtocol, fields = [], listen, maxPayload = 0 } = options;
  const server: Server = createServer((_request, response) => response.end('plain'));
  const webSockets = new WebSocketServer({
    server,
    maxPayload,
    perMessageDeflate: true,
    ...(chooseProtocol === undefined ? {} : { handleProtocols: chooseProtocol }),
  });
  const peers: WebSocketPeer[] = [];
  const requests: IncomingMessage[] = [];
  let taken = 0;
  webSockets.on('headers', (lines) => lines.push(...fields));
  webSockets.on('connection', (socket, request) => {
    peers.push(new WebSocketPeer(socket, isKept));
    requests.push(request);
    if (echoes) socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
  });
  if (listen === undefined) server.listen(0, '127.0.0.1');
  else server.listen(listen.path);
  await once(server, 'listening');
  return {
    port: listen === undefined ? (server.address() as AddressInfo).port : 0,
    peers,
    requests,
    next: async () => {
      await until('a WebSocket at the endpoint', () => peers.length > taken);
      return peers[taken++] as WebSocketPeer;
    },
    close: async () => {
      for (const peer of peers) peer.close();
      webSockets.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** A key that RFC 6455 gives as an example, and what is to be answered to it. */
export const EXAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const EXAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** A client's request for a WebSocket, ready to be sent. */
export function upgradeRequest(path = '/', lines: readonly string[] = []): string {
  const fields = [
    'Host: a.test',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${EXAMPLE_KEY}`,
    ...lines,
  ];
  return `GET ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`;
}

/** Opcodes of frames (RFC 6455 5.2). */
export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** One frame of a client, masked. @param payload at most 65535 bytes */
export function clientFrame(opcode: number, payload: string | Buffer = '', isFinal = true): Buffer {
  const bytes = Buffer.from(payload as string);
  const mask = Buffer.from([1, 2, 3, 4]);
  const head = bytes.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = 0x80 | Math.min(bytes.length, 126);
  if (bytes.length >= 126) head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, mask, bytes.map((byte, at) => byte ^ (mask[at % 4] as number))]);
}
