/** The HTTP shell of the admin API, on node:http: reads heads, and bodies of writes up to a limit, and answers JSON. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopback } from '../../config/address.js';
import { bindFailure, StartFailure } from '../start-failure.js';
import { BODY_LIMIT_BYTES, readBody } from './admin-body.js';
import { type AdminAnswer, type AdminSource, answerAdmin, failure, isWrite } from './answer.js';
import { isHostAllowed } from './host-guard.js';
import { writeRefusal } from './write-guard.js';

/** A request head that is larger, or a whole request that is slower, than this does not come from an operator's tool. */
const HEAD_LIMIT_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 5_000;
/** Operators and scrapers, not clients: more connections than this are closed at once. */
const MAX_CONNECTIONS = 64;

/** A listening admin API. */
export interface AdminApi {
  readonly host: string;
  /** The real port. */
  readonly port: number;
  /** Closes the listening socket and every connection. Idempotent. */
  close(): void;
}

/**
 * Starts the admin API. Thread: primary.
 *
 * @param port 0: a free one is chosen
 * @throws StartFailure SLUICE_CONFIG for an address that is not of the loopback interface; SLUICE_ADDRESS_* when it cannot be bound
 */
export async function startAdminApi(host: string, port: number, source: AdminSource): Promise<AdminApi> {
  if (!isLoopback(host)) {
    throw new StartFailure(
      'SLUICE_CONFIG',
      `the admin API has no authentication yet and listens on the loopback interface only: use 127.0.0.1, ::1 or localhost instead of ${host} for --admin, or off`,
    );
  }
  const listener = createServer({
    maxHeaderSize: HEAD_LIMIT_BYTES,
    headersTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
  });
  listener.maxConnections = MAX_CONNECTIONS;
  listener.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answerRequest(request, host, source, (answer) => write(response, answer));
  });
  await new Promise<void>((resolve, reject) => {
    // Stays there: once it listens, an error is one connection that could not be accepted, for want of descriptors.
    listener.on('error', (error) =>
      reject(bindFailure({ bind: { kind: 'tcp', host, port }, what: 'admin API', flag: '--admin' }, error)),
    );
    listener.listen({ host, port, exclusive: true }, resolve);
  });
  const { port: realPort } = listener.address() as AddressInfo; // a TCP listener that listens
  return {
    host,
    port: realPort,
    close: () => {
      listener.close();
      listener.closeAllConnections();
    },
  };
}

function answerRequest(
  request: IncomingMessage,
  boundHost: string,
  source: AdminSource,
  answer: (answer: AdminAnswer) => void,
): void {
  const { method = '', url: path = '' } = request;
  const { host, origin, 'content-type': contentType } = request.headers;
  if (!isHostAllowed(host, boundHost)) {
    request.resume();
    return answer(
      failure(403, 'host-not-allowed', 'the Host header names neither localhost nor the address of the admin API'),
    );
  }
  if (!isWrite(method)) {
    request.resume(); // a body is of no use here
    return answer(answerAdmin(source, { method, path }));
  }
  const refusal = writeRefusal({ host, origin, contentType });
  if (refusal !== null) {
    request.resume();
    return answer(refusal);
  }
  readBody(request, (body) => answer(body === null ? TOO_LARGE : answerAdmin(source, { method, path, body })));
}

/** The rest of the body is not waited for: the connection closes. */
const TOO_LARGE: AdminAnswer = {
  ...failure(413, 'body-too-large', `a change has at most ${BODY_LIMIT_BYTES} bytes`),
  headers: { connection: 'close' },
};

function write(response: ServerResponse, answer: AdminAnswer): void {
  const body = `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  });
  response.end(body); // node:http leaves the body of an answer to HEAD out
}
