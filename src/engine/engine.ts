/**
 * The TypeScript face of the native engine: typed calls in, batched events out. Thread: worker.
 *
 * The engine owns upstream connections, buffers and timers; it knows no board and takes no decision. One exchange is a
 * small integer that TypeScript chooses (0 .. maxExchanges-1); it is the engine's from `send` until it reports END or
 * FAILED, or until `release` returns.
 */
import type { AttemptProfile } from './attempt-profile.js';

/** Most exchanges one worker can have open; what `send` takes are numbers below. */
export const MAX_EXCHANGES = 1 << 17;

/** The second attempt of an exchange at the same time (`duplicate`) has its number and this: they lie behind those of all exchanges. */
export const HEDGE_OFFSET = 1 << 17;

/** Layout of one event: EVENT_STRIDE int32 words. The same numbers stand in native/src/upstream/event.h. */
export const EVENT_STRIDE = 12;
export const EventField = {
  /** One of EventType. */
  type: 0,
  exchange: 1,
  /** HEAD: the response's status. FAILED: one of the EngineError numbers. */
  status: 2,
  /** Bits of EventFlag. */
  flags: 3,
  /** Offset in the arena of the rewritten head: "200 OK\r\nname: value\r\nname: value", no CRLF at the end. */
  headOffset: 4,
  headLength: 5,
  /** Offset in the arena of body bytes (decoded of any chunking). Length 0: none in this event. */
  bodyOffset: 6,
  bodyLength: 7,
  /** HEAD with LENGTH_KNOWN: Content-Length, low and high 32 bits (low is unsigned). */
  lengthLow: 8,
  lengthHigh: 9,
  /** Microseconds since `send` (of this attempt, connect included); capped at 2^31-1. */
  elapsedUs: 10,
  /** FAILED: the errno, or 0; with EngineError.TLS what tls-failure.ts reads. */
  errno: 11,
  /** HEAD: µs that the connection of the attempt took, capped at 2^31-1; 0 with REUSED. */
  connectUs: 11,
} as const;

export const EventType = {
  /** Withdrawn because TypeScript released its exchange in the meantime: skip it. */
  NONE: 0,
  /** The response's head, with whatever of the body came along. Exactly once for each successful attempt. */
  HEAD: 1,
  /** More of the body; with LAST it may be empty. */
  BODY: 2,
  /** The attempt failed; nothing more will come. `resend` (if RETRYABLE) or `release` the exchange. */
  FAILED: 3,
  /** All request-body bytes that were buffered have been handed to the kernel: the client may be resumed. */
  DRAINED: 4,
} as const;

export const EventFlag = {
  /** The response is complete with this event; the engine has let go of the exchange. */
  LAST: 1,
  /** HEAD: no body by rule (HEAD request, 204, 304). A Content-Length the endpoint sent is kept in the head for HEAD and 304. */
  BODYLESS: 2,
  /** HEAD: the body has the length in lengthLow/High. Without it the length is unknown (chunked or until close). */
  LENGTH_KNOWN: 4,
  /** The attempt ran on a connection that had served before. */
  REUSED: 8,
  /** LAST: the response was complete before the request's body was sent: close the client connection after it. */
  REQUEST_UNFINISHED: 16,
  /**
   * FAILED: all of the request is held, and its time is not over: `resend` is possible; whether it is harmless the other flags tell.
   * Without it the engine has let go of the exchange. Never with EXCHANGE_TIMEOUT. With PLAIN_PROFILE only where sending it again is
   * harmless: nothing of it was sent, or its method is idempotent and the connect of its replay failed.
   */
  RETRYABLE: 32,
  /** FAILED: the response's head had been reported already, so the client's response must be broken off. */
  HEAD_SEEN: 64,
  /** FAILED: bytes of the request have been handed to a connection to an endpoint, in this attempt or one before it. */
  SENT: 128,
  /** FAILED: a byte of a response has come, in this attempt. */
  ANSWERED: 256,
  /**
   * HEAD: its status is one that the attempt's profile asks about, and the request is held whole. Nothing more comes before `pass`, or
   * `resend`, which drops the response; but FAILED with EXCHANGE_TIMEOUT when the exchange's time is over meanwhile. With LAST the
   * response is complete, and the engine keeps the exchange until one of them, or `release`.
   */
  ASKED: 512,
} as const;

/** Why an attempt failed. The same numbers stand in native/src/upstream/event.h. */
export const EngineError = {
  CONNECT_REFUSED: 1,
  CONNECT_TIMEOUT: 2,
  /** Closed or reset before the response's head was complete. */
  RESET: 3,
  BAD_RESPONSE: 4,
  RESPONSE_HEAD_TOO_LARGE: 5,
  /** Closed or reset after the head, before the body was complete; or malformed chunking. */
  TRUNCATED: 6,
  FIRST_BYTE_TIMEOUT: 7,
  IDLE_TIMEOUT: 8,
  EXCHANGE_TIMEOUT: 9,
  /** The pool's maximum of connections was in use until the connect timeout. */
  POOL_TIMEOUT: 10,
  /** EMFILE or ENFILE at socket(). */
  FILE_LIMIT: 11,
  /** No head of a response within the attempt's own time. */
  ATTEMPT_TIMEOUT: 12,
  /** TLS did not come about; in the place of the errno stands why: see tls-failure.ts. Nothing was sent. */
  TLS: 13,
  /** HTTP/2: the endpoint has not acted on the stream (REFUSED_STREAM, or GOAWAY below it), and the replay was refused, too. */
  STREAM_REFUSED: 14,
} as const;

export const SendFlag = {
  /** May be sent once more on a fresh connection if a reused one dies without a byte of answer. */
  IDEMPOTENT: 1,
  /** The response to this request has no body whatever its head says. */
  HEAD_METHOD: 2,
  /** Do not reuse a connection for this attempt. */
  FRESH: 4,
} as const;

/** Body length given to `send`: no body, or a body of unknown length (sent chunked). */
export const NO_BODY = -1;
export const CHUNKED_BODY = -2;

/** What `send`, `resend` and `duplicate` answer. Anything but OK: nothing was begun. */
export const SendResult = {
  OK: 0,
  /** The head holds a control character where none may be, or is not lines of `name: value`. */
  BAD_HEAD: 1,
  /** Larger than the engine's scratch space for one head (64 KiB). */
  HEAD_TOO_LARGE: 2,
  /** No such pool is open. */
  NO_POOL: 3,
  /** `duplicate`: the request's body has not been handed over to its end, or is not held any more. */
  NOT_WHOLE: 4,
} as const;

/** What an endpoint is spoken to; AUTO: what it chooses by ALPN, without TLS HTTP/1.1. The same numbers stand in native/src/upstream/connection_pool.h. */
export const EndpointProtocol = { HTTP1: 0, HTTP2: 1, AUTO: 2 } as const;

/** `tlsContext` of a pool without TLS. */
export const NO_TLS = -1;

/** Settings of one endpoint's connection pool in this worker. All times in ms, all > 0 unless said otherwise. */
export interface PoolSettings {
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  /** Longest silence between two reads of a response, or two writes of a request body that make progress. */
  readonly idleTimeoutMs: number;
  /** An idle connection is closed after this, or earlier if the endpoint announced `Keep-Alive: timeout`. */
  readonly keepAliveIdleMs: number;
  readonly maxIdle: number;
  /** 0: unlimited. Above it attempts wait in order, at most the connect timeout. */
  readonly maxConnections: number;
  readonly responseHeadBytes: number;
  readonly responseHeaders: number;
  /** The front end tells of the field `endpoint-load-metrics` and keeps it from clients; undefined: no. */
  readonly takesReports?: boolean;
  /** Number of a TlsClient; NO_TLS or undefined: plain. Connections made before it changed serve what they carry, and no more. */
  readonly tlsContext?: number;
  /** One of EndpointProtocol; undefined: HTTP1. */
  readonly protocol?: number;
  /** What is asked for and verified with TLS; the authority of HTTP/2 where a request says none. */
  readonly serverName?: string;
  /** Of HTTP/2; undefined: 100 streams, windows of RFC 9113, no pings. */
  readonly http2?: {
    readonly streams: number;
    readonly streamWindowBytes: number;
    readonly connectionWindowBytes: number;
    /** 0: off. */
    readonly pingMs: number;
  };
}

/** Counters of one engine; for tests, status and metrics. */
export interface EngineStats {
  /** Upstream sockets open now: connecting, busy and idle. */
  readonly connections: number;
  readonly idleConnections: number;
  /** Exchanges the engine holds now. */
  readonly exchanges: number;
  /** Since start. */
  readonly connects: number;
  readonly reuses: number;
  /** Requests sent once more because a reused connection had died. */
  readonly replays: number;
  readonly bytesToEndpoints: number;
  readonly bytesFromEndpoints: number;
}

/** The native object behind the face: what native/src/binding exports as class `Engine`. */
export interface Engine {
  /**
   * Opens the connection pool of an endpoint slot; the slot must not have one open.
   * @param addresses one or more of 'a.b.c.d:port', '[v6]:port', 'unix:/path'; a connect tries them in turn
   */
  openPool(slot: number, addresses: readonly string[], settings: PoolSettings): void;
  /** Other settings of a pool that is open, for whatever begins or goes on there from now on; its connections stay. */
  setPool(slot: number, settings: PoolSettings): void;
  /** Replaces the addresses for new connections; idle ones to addresses that are gone are closed. */
  setAddresses(slot: number, addresses: readonly string[]): void;
  /** Closes idle connections; exchanges in flight finish on theirs, which are closed after them. Another one may be opened at once. Idempotent. */
  closePool(slot: number): void;

  /**
   * Makes settings of attempts known. Once more with the same number: they hold for attempts under way, too.
   * @param profile 1 .. 65535; PLAIN_PROFILE is always there
   */
  openProfile(profile: number, settings: AttemptProfile): void;

  /**
   * Begins an attempt.
   *
   * @param head request line and header lines, each ended by CRLF, without framing (Content-Length, Transfer-Encoding),
   *   without Connection and without the empty line: the engine writes those
   * @param bodyBytes NO_BODY, CHUNKED_BODY or the exact length that `write` will deliver
   * @param exchangeTimeoutMs deadline from now for the whole response; 0: none
   * @param profile one that is open; absent: PLAIN_PROFILE
   * @returns one of SendResult
   */
  send(
    exchange: number,
    slot: number,
    head: string,
    flags: number,
    bodyBytes: number,
    exchangeTimeoutMs: number,
    profile?: number,
  ): number;
  /**
   * Hands over request-body bytes; they are copied or sent before it returns. What the kernel does not take of a chunk is held
   * whole, however long it is: the caller bounds its chunks. A body that isLast ends before its announced length fails the exchange
   * with RESET (after the head: TRUNCATED); one that is held for `resend` fails when it is sent again.
   * @returns bytes of this exchange now held in user memory; above BODY_HIGH_WATER stop the client until DRAINED
   */
  write(exchange: number, chunk: ArrayBuffer | Uint8Array, isLast: boolean): number;
  /** Stops reading the response (the client is slow). At most what is already in the current batch still comes. */
  pause(exchange: number): void;
  resume(exchange: number): void;
  /**
   * After FAILED with RETRYABLE, or HEAD with ASKED: begins again on another endpoint with what is held; what has been sent before goes
   * over a fresh connection. When its deadline has passed meanwhile, or its body was cut short, nothing is sent and FAILED comes with the
   * next batch.
   * @returns one of SendResult; NO_POOL: nothing has changed
   */
  resend(exchange: number, slot: number, profile?: number): number;
  /**
   * Begins a second attempt, as an exchange of its own, with what is held of a first one: complete, and no response of it passed on.
   * Both go on, each for itself: whoever wants one of them only releases the other.
   * @param to number of the second one: the first one's and HEDGE_OFFSET
   * @param exchangeTimeoutMs as for `send`
   * @returns one of SendResult
   */
  duplicate(from: number, to: number, slot: number, exchangeTimeoutMs: number, profile?: number): number;
  /** After HEAD with ASKED: the rest of the response comes, and its request is held no more. Else nothing happens. */
  pass(exchange: number): void;
  /** Gives the exchange up at once: its connection is closed, events of it in the current batch become NONE. Idempotent. */
  release(exchange: number): void;

  stats(): EngineStats;
  /** Closes every connection, pool and handle; exchanges end without events. Idempotent. */
  close(): void;
}

/**
 * Above this many held request-body bytes the client is paused. A mark, no bound: the chunk that passes it is held whole, and
 * uWebSockets.js hands over up to 512 KiB at once.
 */
export const BODY_HIGH_WATER = 64 * 1024;

export interface EngineOptions {
  /** EVENT_STRIDE * n words; the engine fills it from the start for each batch. */
  readonly events: Int32Array;
  /** Where heads and bodies of a batch lie; at least 512 KiB. Valid only inside onBatch. */
  readonly arena: Uint8Array;
  /** Called with the number of events; whatever it throws is an uncaught exception of this worker. */
  readonly onBatch: (count: number) => void;
}
