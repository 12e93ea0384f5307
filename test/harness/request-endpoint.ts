/** An endpoint that reads whole requests from raw sockets, remembers them, and answers with the bytes it is told. */
import type { Socket } from 'node:net';
import { MessageReader, type WireMessage } from './http-message.js';
import { startEndpoint, type WireEndpoint } from './wire.js';

/** A request as the endpoint got it. */
export interface SeenRequest extends WireMessage {
  readonly method: string;
  readonly target: string;
  /** Where it came from; for answers that are not written at once. */
  readonly socket: Socket;
  /** Number of its connection, from 0. */
  readonly connection: number;
}

/** Bytes to write at once, or nothing: the test writes to the socket itself. */
export type Answer = (request: SeenRequest) => string | Buffer | undefined;

export interface RequestEndpoint extends WireEndpoint {
  readonly requests: SeenRequest[];
  /** The last one. */
  readonly last: SeenRequest;
  /** Changes how it answers, and forgets what it has seen. */
  answerWith(answer: Answer | string): void;
}

/** A response with a Content-Length. */
export function ok(body = 'ok', lines: readonly string[] = []): string {
  return `HTTP/1.1 200 OK\r\n${[`Content-Length: ${body.length}`, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

export async function startRequestEndpoint(first: Answer | string = ok(), port = 0): Promise<RequestEndpoint> {
  let answer = first;
  const requests: SeenRequest[] = [];
  let connections = 0;
  const endpoint = await startEndpoint((socket) => {
    const connection = connections++;
    const reader = new MessageReader();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next()) {
        const [method = '', target = ''] = message.startLine.split(' ');
        const request: SeenRequest = { ...message, method, target, socket, connection };
        requests.push(request);
        const bytes = typeof answer === 'string' ? answer : answer(request);
        if (bytes !== undefined) socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      }
    });
    socket.on('end', () => socket.end());
  }, port);
  return {
    ...endpoint,
    requests,
    get last() {
      const last = requests.at(-1);
      if (last === undefined) throw new Error('the endpoint has not seen a request');
      return last;
    },
    answerWith: (next) => {
      answer = next;
      requests.length = 0;
    },
  };
}
