/**
 * The TypeScript face of the native HTTP/1.1 front end: clients' connections, their requests, and the answers they get. Thread: worker.
 *
 * The front end owns client connections, parsers, buffers and timers, and sends requests through the worker's `Engine`; it knows no
 * board and takes no decision. One exchange is a small integer that the front end chooses, from FIRST_FRONT_END_EXCHANGE on; it is the
 * front end's from REQUEST until FINISHED, and may come again after that. Events come in batches, one call for each; where an event
 * asks for a decision, TypeScript writes it into the event, and the front end acts on it when onBatch has returned. Responses go from
 * endpoint to client without TypeScript.
 */
import type { Engine } from './engine.js';
import type { ListeningAddress, ListeningOptions, OnShortage } from './session-engine.js';

/** Exchanges of front ends have the numbers from here to MAX_EXCHANGES - 1; those below are TypeScript's to choose. */
export const FIRST_FRONT_END_EXCHANGE = 1 << 16;

/** Layout of one event: FRONT_END_EVENT_STRIDE int32 words. The same numbers stand in native/src/frontend/event.h. */
export const FRONT_END_EVENT_STRIDE = 32;
export const FrontEndField = {
  /** One of FrontEndEventType. */
  type: 0,
  /** REQUEST, PROGRESS, ATTEMPT_FAILED, FAULT: the exchange. OPENED, CLOSED: the connection. */
  number: 1,
  /** Index of the listener in the plan. In every event. */
  listener: 2,
  /** Bits of FrontEndFlag. */
  flags: 3,
  /** OPENED, REQUEST, ATTEMPT_FAILED: TypeScript writes ADMIT or REFUSE_CONNECTION (OPENED), a slot or one of Decision (the others). */
  decision: 4,
  /** REQUEST, ATTEMPT_FAILED: TypeScript writes the deadline from now for the whole response in ms; 0: none. */
  exchangeTimeoutMs: 5,

  /** REQUEST: one of Method. */
  method: 6,
  /** REQUEST: index of the route in the listener's table, NO_ROUTE, or UNKNOWN_HOST. */
  route: 7,
  /** REQUEST: offset and length in the arena of path and query as the client sent them ("/" for an absolute form without one, "*"). */
  targetOffset: 8,
  targetLength: 9,
  /** REQUEST: of the Host (that of an absolute form wins). Length 0 with a fault, or HTTP/1.0 without one. */
  hostOffset: 10,
  hostLength: 11,
  /** REQUEST: bytes of the path, the front part of the target up to the query. */
  pathLength: 12,
  /** REQUEST: NO_BODY, CHUNKED_BODY, or KNOWN_BODY with the length in bodyLow (unsigned) and bodyHigh. */
  bodyKind: 13,
  bodyLow: 14,
  bodyHigh: 15,
  /** REQUEST: Max-Forwards, or -1. */
  maxForwards: 16,
  /** REQUEST, FAULT: one of RequestFault. */
  fault: 17,
  /** REQUEST with UNKNOWN_HOST: TypeScript writes the index of the host table that this Host uses, to be remembered; -1: nothing is. */
  hostTable: 18,
  /** REQUEST: the connection, as in its OPENED. */
  connection: 19,

  /** PROGRESS with FIRST_BYTE: the response's status. PROGRESS with FINISHED and without: the status the client got; 0: none. */
  status: 20,
  /** PROGRESS with FIRST_BYTE, ATTEMPT_FAILED: µs since the attempt began; capped at 2^31-1. */
  elapsedUs: 21,
  /** PROGRESS with FINISHED, CLOSED: one of ClientEnd. ATTEMPT_FAILED: one of the EngineError numbers, or NO_POOL. */
  reason: 22,
  /** ATTEMPT_FAILED: the errno, or 0. */
  errno: 23,
  /** PROGRESS with FINISHED: bytes of the response's head and body as the client got them, low (unsigned) and high. */
  toClientLow: 24,
  toClientHigh: 25,
  /** PROGRESS with FINISHED: bytes of the request's head and body. */
  fromClientLow: 26,
  fromClientHigh: 27,
  /** PROGRESS with FIRST_BYTE: offset and length in the arena of Retry-After of a 429 or 503; length 0: none, or longer than 64 bytes. */
  retryAfterOffset: 28,
  retryAfterLength: 29,
  /** PROGRESS with FIRST_BYTE, where PoolSettings.takesReports: of `endpoint-load-metrics`; length 0: none, or longer than 4 KiB. */
  reportOffset: 30,
  reportLength: 31,

  /** OPENED, and CLOSED without one: the peer's address as in SessionField.peer0 (all 0 for a UNIX socket), and its port. */
  peer0: 6,
  peer1: 7,
  peer2: 8,
  peer3: 9,
  peerPort: 10,
  /** OPENED with PROXIED: the client's address as the PROXY header claims it, in the same form. */
  claimed0: 11,
  claimed1: 12,
  claimed2: 13,
  claimed3: 14,
  claimedPort: 15,
  /** OPENED: TypeScript writes bits of Trust. */
  trust: 16,
} as const;

export const FrontEndEventType = {
  /** Withdrawn: skip it. */
  NONE: 0,
  /** A connection has been accepted (and its PROXY header read). Wants ADMIT or REFUSE_CONNECTION. Nothing of it is read before. */
  OPENED: 1,
  /** A request's head is there. Wants a decision. With a fault the request may not be looked at any further: answer it. */
  REQUEST: 2,
  /** Something of an exchange is done: bits FIRST_BYTE, ENDPOINT_DONE, FINISHED of FrontEndFlag, in this order. */
  PROGRESS: 3,
  /** The attempt failed. Wants a decision: a slot only with RETRYABLE; with HEAD_SEEN `breakOff` is all that is left. */
  ATTEMPT_FAILED: 4,
  /** The client did something wrong behind the head: call `answer` where no head has gone out, else `breakOff`. */
  FAULT: 5,
  /** A connection that was admitted is over; its exchanges have FINISHED before. */
  CLOSED: 6,
} as const;

export const FrontEndFlag = {
  /** PROGRESS: the endpoint's response has begun; status and elapsedUs say how. */
  FIRST_BYTE: 1,
  /** PROGRESS: the endpoint is done with the exchange. */
  ENDPOINT_DONE: 2,
  /** PROGRESS: the exchange is over, and its number is free. */
  FINISHED: 4,
  /** OPENED: a PROXY header named the client. */
  PROXIED: 8,
  /** REQUEST: the client wants to switch protocols, or sent CONNECT. */
  UPGRADE: 16,
  /** REQUEST: HTTP/1.0. */
  HTTP_1_0: 32,
  /** ATTEMPT_FAILED: as EventFlag.RETRYABLE and HEAD_SEEN. */
  RETRYABLE: 64,
  HEAD_SEEN: 128,
  /** REQUEST: Via names this process: the request has passed here before. */
  LOOP: 256,
  /** PROGRESS with FIRST_BYTE: the connection was switched (101): what follows is a tunnel. */
  TUNNEL: 512,
} as const;

/** Decisions for OPENED. REFUSE_CONNECTION closes with a reset. */
export const ADMIT_CONNECTION = 0;
export const REFUSE_CONNECTION = -1;

/** Decisions for REQUEST and ATTEMPT_FAILED besides a slot. */
export const Decision = {
  /** TypeScript has called `answer` or `breakOff` for it within the batch. */
  SETTLED: -1,
  /** TypeScript will call `decide`, `answer` or `breakOff` later; the head is kept until then. */
  LATER: -2,
  /** A response that was asked about goes to the client. */
  PASS: -3,
} as const;

/** Values of `route` besides an index. */
export const NO_ROUTE = -1;
export const UNKNOWN_HOST = -2;

/** `bodyKind` of a REQUEST. */
export const BodyKind = { NONE: 0, KNOWN: 1, CHUNKED: 2 } as const;

/** Methods that the front end knows by number. METHOD_NAMES[n] is the name; 0 is any other: `describe` tells. */
export const METHOD_NAMES = [
  '',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
] as const;
export const Method = {
  OTHER: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  CONNECT: 6,
  OPTIONS: 7,
  TRACE: 8,
  PATCH: 9,
} as const;

/** What is wrong with a request. */
export const RequestFault = {
  NONE: 0,
  /** 400: syntax. */
  BAD_REQUEST: 1,
  /** 400: Content-Length, Transfer-Encoding, or chunks. */
  BAD_FRAMING: 2,
  /** 400: none, several or a malformed Host. */
  BAD_HOST: 3,
  /** 431: head or number of fields above the limit. */
  HEAD_TOO_LARGE: 4,
  /** 414: request line above the limit. */
  TARGET_TOO_LONG: 5,
  /** 505: neither HTTP/1.0 nor 1.1. */
  BAD_VERSION: 6,
  /** 408: the head was not complete in time. */
  HEAD_TIMEOUT: 7,
  /** 408: the body was silent, or too slow. */
  BODY_TIMEOUT: 8,
  /** 413. */
  BODY_TOO_LARGE: 9,
} as const;

/** How a client's side ended. */
export const ClientEnd = {
  /** FINISHED: the kernel has all of the answer. CLOSED: in order. */
  DELIVERED: 0,
  /** The client reset the connection, or left before its answer was complete. */
  GONE: 1,
  /** The client took nothing for the write-stall timeout. */
  STALLED: 2,
  /** `breakOff`. */
  BROKEN_OFF: 3,
  /** Nothing moved in a tunnel for its idle timeout. */
  TUNNEL_IDLE: 4,
  /** CLOSED: keep-alive time or number of requests is over, or no request came. */
  IDLE: 5,
  /** CLOSED, without OPENED before it: malformed or missing PROXY header; not there in time. */
  BAD_PROXY_HEADER: 6,
  PREFACE_TIMEOUT: 7,
} as const;

/**
 * `reason` of ATTEMPT_FAILED beside the EngineError numbers: the slot has no connection pool in this worker (yet). Nothing was begun, so
 * a slot may always be written.
 */
export const NO_POOL = 100;

/** Bits that TypeScript writes into `trust` of OPENED. */
export const Trust = {
  /** The PROXY header's addresses count. */
  PROXY_HEADER: 1,
  /** X-Forwarded-*, Forwarded and X-Request-Id of this connection's requests are believed. */
  FORWARDED: 2,
} as const;

/** What the front end knows of a listener. Times in ms. */
export interface FrontEndListenerSettings {
  /** 'http' or 'https': the value of X-Forwarded-Proto. */
  readonly scheme: string;
  readonly headBytes: number;
  /** Longest request line; at most headBytes. */
  readonly targetBytes: number;
  readonly headers: number;
  /** 0: unlimited. */
  readonly bodyBytes: number;
  /** From the first byte of a head (of a connection: from accept) to its end. */
  readonly requestHeadTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  /** Bytes a second that a request body has to come with, on average, after the first 5 s; 0: any. */
  readonly minBodyRate: number;
  readonly keepAliveTimeoutMs: number;
  /** Requests of one connection; 0: unlimited. */
  readonly requestsPerConnection: number;
  /** A client that takes nothing of what lies ready for so long is cut off. */
  readonly writeStallTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
  /** PROXY header must be complete after this, counted from accept. */
  readonly prefaceTimeoutMs: number;
  readonly readsProxyHeader: boolean;
  /**
   * Tables of path prefixes and routes, one for each set of routes that a Host can have: of a table the first prefix that matches by
   * whole segments counts (router.ts, routeFor). Which table a Host uses is TypeScript's decision (hostTable).
   */
  readonly hostTables: readonly { readonly paths: readonly string[]; readonly routes: readonly number[] }[];
}

/** Counters of one front end; for tests, status and metrics. */
export interface FrontEndStats {
  /** Client connections open now. */
  readonly connections: number;
  /** Of those, the ones without a request. */
  readonly idleConnections: number;
  /** Waiting in the mailbox. */
  readonly queued: number;
  readonly exchanges: number;
  readonly tunnels: number;
  /** Bytes held in user memory for clients now. */
  readonly heldBytes: number;
  /** Since start. */
  readonly accepted: number;
  readonly requests: number;
  /** Connections closed (reset) as soon as they came, for want of room. */
  readonly dropped: number;
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
}

/** The native object behind the face: what native/src/binding exports as class `FrontEnd`. Thread: worker. */
export interface FrontEnd {
  /** Makes a listener known before its first connection. @param listener index in the plan */
  openListener(listener: number, settings: FrontEndListenerSettings): void;
  /** As SessionEngine.listen. */
  listen(listener: number, from: { readonly descriptor: number } | ListeningAddress, options: ListeningOptions): void;
  /** Stops accepting for good. Idempotent. */
  stopListening(): void;
  /** Number of this worker's mailbox for L7, for Acceptor.addWorker in the primary. */
  readonly mailbox: number;

  /** Every response from now on closes its connection; idle connections are closed. Idempotent. */
  drain(): void;

  /** A decision that was put off (LATER): begins the attempt. @returns false when the exchange has ended meanwhile */
  decide(exchange: number, slot: number, exchangeTimeoutMs: number): boolean;
  /**
   * Answers an exchange instead of an endpoint, whose attempt ends if there is one. What of the request has not been read is read and
   * dropped for a short while, or the connection closes.
   *
   * @param head status line without version, and fields: "503 Service Unavailable\r\nname: value", without framing, Date, Connection
   * @param body its length is announced; not sent for HEAD
   * @param mustClose the connection may not be used again
   */
  answer(exchange: number, head: string, body: string, mustClose: boolean): void;
  /** Breaks the response off so that the client cannot take it for complete; the attempt ends. FINISHED follows (BROKEN_OFF). */
  breakOff(exchange: number): void;

  /**
   * The value of a request's field, several joined by ", "; null: it has none. Framing, Host, Connection and what it names are not
   * told. Within the batch that brought its REQUEST, and while its decision is put off.
   */
  header(exchange: number, name: string): string | null;
  /** Changes the request before it is sent: replaces all fields of that name; null removes them. When `header` may be called. */
  setHeader(exchange: number, name: string, value: string | null): void;
  /**
   * Adds a field to the head that the client gets in the end, of an endpoint or of the proxy's own, also of a 101, but no other 1xx. It
   * stands beside the endpoint's fields of that name; one that was added before under that name, in any case, gives it its place. It
   * stays over all attempts and is forgotten with the exchange. Nothing happens once the head has gone.
   *
   * @param name  a token, none of framing and connection, nor Date
   * @param value printable ASCII, blanks, tabs; null: takes the added field away
   * @throws TypeError for other names and values, and where all added lines would be more than 16 KiB
   */
  addResponseField(exchange: number, name: string, value: string | null): void;
  /**
   * Makes a key of requests known.
   *
   * @param kind  one of KeyKind (request-key.ts)
   * @param name  of the header, cookie or query parameter, a character for each byte; else ''
   * @param isCrc CRC-32 instead of xxHash64
   * @returns its number, for as long as the front end lives
   */
  openKey(kind: number, name: string, isCrc: boolean): number;
  /**
   * Hashes a key of a request, where it lies, into FrontEndOptions.keyWords: xxHash64, low and high word, or CRC-32 and 0. When `header`
   * may be called. HOT.
   *
   * @param key number of openKey
   * @returns bits of KeyAnswer
   */
  hashKey(exchange: number, key: number): number;
  /** What hashKey hashes, a character for each byte; null: the request has no such key. */
  keyText(exchange: number, key: number): string | null;
  /** For logs: "METHOD\nTARGET\nHOST\nREQUEST-ID", a character for each byte; a long target (640) or Host (256) is cut. From REQUEST until the batch with FINISHED is over. */
  describe(exchange: number): string;

  stats(): FrontEndStats;
  /** Closes every connection, listener and handle; no events any more. Idempotent. To be called before the engine's close. */
  close(): void;
}

export interface FrontEndOptions {
  /** Two words, for hashKey; it may not be called without. */
  readonly keyWords?: Int32Array;
  /** Through which requests are sent; of the same thread. */
  readonly engine: Engine;
  /** FRONT_END_EVENT_STRIDE * n words, at least 16 events; the front end fills it from the start for each batch. */
  readonly events: Int32Array;
  /** Where requests are read to; at least 512 KiB. Valid only inside onBatch. */
  readonly arena: Uint8Array;
  readonly onBatch: (count: number) => void;
  /** For listeners of this worker's own. */
  readonly onShortage: OnShortage;
  /** As SessionEngineOptions.maxSessions. */
  readonly maxConnections?: number;
  /** This process's name in Via: a token. */
  readonly viaName: string;
  /** 24 hex digits: begin the ids of requests, with 8 digits of a counter behind them. */
  readonly requestIdPrefix: string;
}

/** What the .node file exports for the front end; part of Addon. */
export interface FrontEndAddon {
  readonly FrontEnd: new (options: FrontEndOptions) => FrontEnd;
  /** Share of its time that this thread's loop has been busy since the last call, 0 to 1; of a thread without an engine 0. */
  loopBusyShare(): number;
}
