/** The HTTP shell of the admin API, on node:http: who may ask, heads and bodies up to a limit, and the writing of answers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopback } from '../../config/address.js';
import type { Timers } from '../../core/timers.js';
import { bindFailure, StartFailure } from '../start-failure.js';
import { AdminConversation, type ConversationOptions } from './admin-conversation.js';
import { LiveStreams } from './live-streams.js';

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
  /** Ends every stream, closes the listening socket and every connection. Idempotent. */
  close(): void;
}

/** What the admin API is started with. */
export interface AdminApiOptions extends Omit<ConversationOptions, 'streams'> {
  /** 0: a free one is chosen. */
  readonly port: number;
  readonly timers: Timers;
}

/**
 * Starts the admin API. Thread: primary.
 *
 * @throws StartFailure SLUICE_CONFIG for an address that others can reach without a token; SLUICE_ADDRESS_* when it cannot be bound
 */
export async function startAdminApi(options: AdminApiOptions): Promise<AdminApi> {
  const { host, port, source, timers, nowMs } = options;
  if (!isLoopback(host) && options.access().token === null) {
    throw new StartFailure(
      'SLUICE_CONFIG',
      `the admin API would answer everybody who reaches ${host}: give it a token (admin.token), or use 127.0.0.1, ::1 or localhost for --admin, or off`,
    );
  }
  const streams = new LiveStreams({ source, timers, nowMs, processId: `${process.pid}-${Date.now().toString(36)}` });
  const conversation = new AdminConversation({ ...options, streams });
  const listener = createServer({
    maxHeaderSize: HEAD_LIMIT_BYTES,
    headersTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
  });
  listener.maxConnections = MAX_CONNECTIONS;
  listener.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void conversation.answer(request, response);
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
      streams.close();
      listener.close();
      listener.closeAllConnections();
    },
  };
}
