/**
 * What the native HTTP/1.1 front end reports, and how TypeScript decides in it: the words of its events and what stands in them. The same
 * numbers stand in native/src/frontend/event.h and native/src/http1/client_request.h. Thread: worker.
 */
import { AttemptFact } from './attempt-profile.js';

/** Exchanges of front ends have the numbers from here to MAX_EXCHANGES - 1; those below are TypeScript's to choose. */
export const FIRST_FRONT_END_EXCHANGE = 1 << 16;

/** Layout of one event: FRONT_END_EVENT_STRIDE int32 words. The same numbers stand in native/src/frontend/event.h. */
export const FRONT_END_EVENT_STRIDE = 32;
export const FrontEndField = {
  /** One of FrontEndEventType. */
  type: 0,
  /** Of the exchange; OPENED, CLOSED: of the connection. */
  number: 1,
  /** Index of the listener in the plan. In every event. */
  listener: 2,
  /** Bits of FrontEndFlag. */
  flags: 3,
  /**
   * OPENED, REQUEST, ATTEMPT_FAILED, RESPONSE_ASKED: TypeScript writes ADMIT or REFUSE_CONNECTION (OPENED), a slot or one of Decision (the
   * others).
   */
  decision: 4,
  /**
   * REQUEST, and ATTEMPT_FAILED with NO_POOL: TypeScript writes the deadline from now for the whole response in ms; 0: none. It stays when
   * the request is sent again.
   */
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
  /** PROGRESS with FIRST_BYTE or ENDPOINT_DONE: the word of src/core/grpc-status.ts, as far as it is known. */
  grpcStatus: 18,
  /** REQUEST: the connection, as in its OPENED. */
  connection: 19,
  /** PROGRESS with FIRST_BYTE, RESPONSE_ASKED: as EventField.connectUs. */
  connectUs: 19,

  /**
   * PROGRESS with FIRST_BYTE, RESPONSE_ASKED: the response's status. PROGRESS with FINISHED and without: the status the client got; 0: none.
   */
  status: 20,
  /** PROGRESS with FIRST_BYTE, ATTEMPT_FAILED, RESPONSE_ASKED: µs since the attempt began; capped at 2^31-1. */
  elapsedUs: 21,
  /** PROGRESS with FINISHED, CLOSED: one of ClientEnd. ATTEMPT_FAILED: one of the EngineError numbers, or NO_POOL. */
  reason: 22,
  /** ATTEMPT_FAILED: the errno, or 0. */
  errno: 23,
  /**
   * REQUEST, ATTEMPT_FAILED, RESPONSE_ASKED: with a slot TypeScript writes the number of the attempt's profile (Engine.openProfile); it is
   * PLAIN_PROFILE before. One that was never opened breaks the exchange off.
   */
  profile: 24,
  /** PROGRESS with FINISHED: bytes of the response's head and body as the client got them, low (unsigned) and high. */
  toClientLow: 24,
  toClientHigh: 25,
  /** PROGRESS with FINISHED: bytes of the request's head and body. */
  fromClientLow: 26,
  fromClientHigh: 27,
  /**
   * PROGRESS with FIRST_BYTE: offset and length in the arena of Retry-After of a 429 or 503; length 0: none, or longer than 64 bytes.
   * RESPONSE_ASKED: of any status.
   */
  retryAfterOffset: 28,
  retryAfterLength: 29,
  /** PROGRESS with FIRST_BYTE, RESPONSE_ASKED, where PoolSettings.takesReports: of `endpoint-load-metrics`; length 0: none, or longer than 4 KiB. */
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
  /** CLOSED with TLS_FAILED: one of TlsFailure (tls.ts); also `errno`, and why a certificate is not believed at reportOffset. */
  tlsFailure: 17,
  /** CLOSED with TLS_FAILED: the client's alert (RFC 8446 section 6), or 0. */
  tlsAlert: 20,
  /** CLOSED with HTTP2_FLOOD: one of FloodKind. With it and HTTP2_ERROR `errno` is the error code of HTTP/2 (RFC 9113 section 7). */
  floodKind: 17,
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
  /**
   * The attempt failed. Wants a decision: a slot only with RETRYABLE; with HEAD_SEEN `breakOff` is all that is left. With ONGOING it wants
   * none: the exchange's other attempt goes on.
   */
  ATTEMPT_FAILED: 4,
  /** The client did something wrong behind the head: call `answer` where no head has gone out, else `breakOff`. */
  FAULT: 5,
  /** A connection that was admitted is over; its exchanges have FINISHED before. */
  CLOSED: 6,
  /**
   * The endpoint has answered with a status that the attempt's profile asks about, and nothing of it has gone to the client. Wants a
   * decision: a slot (the response is dropped, and the request sent there), PASS, LATER, or SETTLED after `answer` or `breakOff`. With
   * ONGOING it wants none: the response has been dropped, and the exchange's other attempt goes on.
   */
  RESPONSE_ASKED: 7,
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
  /** ATTEMPT_FAILED: AttemptFact.HELD. In RESPONSE_ASKED always. */
  RETRYABLE: 64,
  /** ATTEMPT_FAILED: the response's head has gone to the client. */
  HEAD_SEEN: 128,
  /** REQUEST: Via names this process: the request has passed here before. */
  LOOP: 256,
  /** PROGRESS with FIRST_BYTE: the connection was switched (101): what follows is a tunnel. */
  TUNNEL: 512,
  /** ATTEMPT_FAILED, RESPONSE_ASKED: AttemptFact.SENT, REUSED and ANSWERED; see attemptFactsOf. */
  SENT: 1024,
  /** PROGRESS with FIRST_BYTE as well. */
  REUSED: 2048,
  ANSWERED: 4096,
  /** ATTEMPT_FAILED, RESPONSE_ASKED: of the exchange's two attempts it is the second, which `hedge` has begun. */
  HEDGE: 8192,
  /** ATTEMPT_FAILED, RESPONSE_ASKED: the exchange's other attempt goes on; no decision is wanted. */
  ONGOING: 16384,
  /** PROGRESS with FIRST_BYTE: the head is of the attempt that `hedge` has begun. The other one, if it still ran, has been released. */
  HEDGE_WON: 32768,
  /** REQUEST: it came over HTTP/2. */
  HTTP_2: 65_536,
  /** REQUEST: it came over TLS, and its authority is neither the server name asked for nor named by the certificate shown. */
  MISDIRECTED: 131_072,
} as const;

/** The bits of AttemptFact of an ATTEMPT_FAILED or RESPONSE_ASKED. @param flags bits of FrontEndFlag */
export function attemptFactsOf(flags: number): number {
  // Each fact stands FACTS_SHIFT bits higher, but HELD, which has a place of its own.
  const held = (flags & FrontEndFlag.RETRYABLE) === 0 ? 0 : AttemptFact.HELD;
  return held | ((flags >> FACTS_SHIFT) & (AttemptFact.SENT | AttemptFact.REUSED | AttemptFact.ANSWERED));
}
const FACTS_SHIFT = 9;

/** Decisions for OPENED. REFUSE_CONNECTION closes with a reset. */
export const ADMIT_CONNECTION = 0;
export const REFUSE_CONNECTION = -1;

/** Decisions for REQUEST, ATTEMPT_FAILED and RESPONSE_ASKED besides a slot. */
export const Decision = {
  /** TypeScript has called `answer` or `breakOff` for it within the batch. */
  SETTLED: -1,
  /**
   * TypeScript will call `decide`, `pass`, `answer` or `breakOff` later: nothing else ends the wait but the client's leaving. What is held
   * of the request is kept until then, and no more of its body is read. A client that finishes sending meanwhile has left.
   */
  LATER: -2,
  /** RESPONSE_ASKED: passes the response on as if nothing had been asked. */
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
  /** 425: came as early data of TLS, and is not safe to repeat. */
  TOO_EARLY: 10,
  /** 502: extended CONNECT of HTTP/2, for which the endpoint did not switch: no fault of the request. */
  NO_TUNNEL: 11,
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
  /** CLOSED: the TLS handshake failed, was not complete in time, or would have been one too many. */
  TLS_FAILED: 8,
  TLS_TIMEOUT: 9,
  TLS_LIMIT: 10,
  /** CLOSED: the client broke the rules of HTTP/2, or did not acknowledge SETTINGS in time. */
  HTTP2_ERROR: 16,
  /** CLOSED: the client passed a limit of HTTP/2; `floodKind` says which. */
  HTTP2_FLOOD: 17,
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
