/** Bytes on real sockets: a client that sends what it is told, and an endpoint that answers what it is told. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What came back on a connection. */
export interface Received {
  /** Everything, as latin1. */
  readonly text: string;
  /** How the peer ended it: a clean end, a reset, or not at all within the time. */
  readonly end: 'closed' | 'reset' | 'open';
}

/**
 * Sends raw bytes on a fresh connection and collects what comes back until the peer closes, `isEnough` says so, or the time is over.
 */
export function exchangeBytes(
  port: number,
  bytes: string | Buffer,
  options: { timeoutMs?: number; isEnough?: (text: string) => boolean } = {},
): Promise<Received> {
  const { timeoutMs = 2_000, isEnough = () => false } = options;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    );
    let text = '';
    const finish = (end: Received['end']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, end });
    };
    const timer = setTimeout(() => finish('open'), timeoutMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (isEnough(text)) finish('open');
    });
    socket.on('end', () => finish('closed'));
    socket.on('error', () => finish('reset'));
  });
}

/** Whether `text` holds a whole response with a Content-Length, or a whole chunked one. */
export function isWholeResponse(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd));
  if (length !== null) return text.length >= headEnd + 4 + Number(length[1]);
  return /transfer-encoding: chunked/i.test(text.slice(0, headEnd)) && text.endsWith('0\r\n\r\n');
}

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

/** An endpoint that answers each request head (ended by an empty line) with fixed bytes and remembers what it got. */
export async function startCannedEndpoint(
  answer: string | ((head: string) => string),
): Promise<WireEndpoint & { readonly heads: string[] }> {
  const heads: string[] = [];
  const endpoint = await startEndpoint((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        heads.push(head);
        socket.write(Buffer.from(typeof answer === 'string' ? answer : answer(head), 'latin1'));
      }
    });
    socket.on('end', () => socket.end());
  });
  return { ...endpoint, heads };
}

/** Waits until `fact` holds. @throws Error with `what` when it does not in time */
export async function until(what: string, fact: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await fact())) {
    if (Date.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
