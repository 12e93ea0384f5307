/** Every failure a user can meet, by its stable code: who is at fault, whether another try may help, and the HTTP status. */

/** Who caused a failure: decides what is counted against whom. */
export type Fault = 'client' | 'endpoint' | 'proxy' | 'operator';

/**
 * May the work be tried again elsewhere? `always`: nothing of the request reached an endpoint. `idempotent`: it may have
 * been carried out. `never`: another try cannot help.
 */
export type RetryRule = 'always' | 'idempotent' | 'never';

/** One row of the catalogue. `status` is what an HTTP client sees; 0 where no client is answered. */
export interface ErrorKind {
  readonly fault: Fault;
  readonly status: number;
  readonly retry: RetryRule;
  /** One sentence for people: what happened. Never holds an address or a detail; those go to the log. */
  readonly text: string;
}

const kinds = {
  // --- the client's request (semantics.md 11) ---
  SLUICE_BAD_REQUEST: { fault: 'client', status: 400, retry: 'never', text: 'the request is malformed' },
  SLUICE_BAD_FRAMING: {
    fault: 'client',
    status: 400,
    retry: 'never',
    text: 'the request body has no single, well-formed length',
  },
  SLUICE_BAD_HOST: {
    fault: 'client',
    status: 400,
    retry: 'never',
    text: 'the request needs exactly one well-formed Host',
  },
  SLUICE_HEAD_TOO_LARGE: {
    fault: 'client',
    status: 431,
    retry: 'never',
    text: 'the request head is larger than this listener takes',
  },
  SLUICE_TARGET_TOO_LONG: {
    fault: 'client',
    status: 414,
    retry: 'never',
    text: 'the request line is longer than this listener takes',
  },
  SLUICE_BAD_VERSION: {
    fault: 'client',
    status: 505,
    retry: 'never',
    text: 'the request is neither HTTP/1.0 nor HTTP/1.1',
  },
  SLUICE_HEAD_TIMEOUT: {
    fault: 'client',
    status: 408,
    retry: 'never',
    text: 'the request head did not come in full and in time',
  },
  SLUICE_BODY_TIMEOUT: {
    fault: 'client',
    status: 408,
    retry: 'never',
    text: 'the request body stopped coming, or came too slowly',
  },
  SLUICE_BODY_TOO_LARGE: {
    fault: 'client',
    status: 413,
    retry: 'never',
    text: 'the request body is larger than this listener takes',
  },
  SLUICE_TOO_EARLY: {
    fault: 'client',
    status: 425,
    retry: 'never',
    text: 'the request came as early data, which others can play again, and is not safe to repeat',
  },
  SLUICE_MISDIRECTED: {
    fault: 'client',
    status: 421,
    retry: 'never',
    text: 'the connection is not for this authority: its certificate does not name it',
  },
  SLUICE_LOOP_DETECTED: {
    fault: 'client',
    status: 508,
    retry: 'never',
    text: 'the request has passed this proxy before',
  },
  SLUICE_METHOD_REFUSED: { fault: 'client', status: 405, retry: 'never', text: 'this method is not passed on' },
  SLUICE_CLIENT_GONE: {
    fault: 'client',
    status: 499,
    retry: 'never',
    text: 'the client left before its answer was complete',
  },
  SLUICE_CLIENT_STALLED: {
    fault: 'client',
    status: 499,
    retry: 'never',
    text: 'the client took nothing of its answer for the write-stall timeout',
  },
  SLUICE_TUNNEL_IDLE: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'nothing moved in the tunnel for its idle timeout',
  },
  SLUICE_MESSAGE_TOO_LARGE: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'a message of a WebSocket is larger than the proxy takes',
  },
  SLUICE_TUNNEL_OVERFLOW: {
    fault: 'endpoint',
    status: 0,
    retry: 'never',
    text: 'the endpoint took less of a WebSocket than its client sent, and the proxy holds no more',
  },
  // --- the client's connection: sessions, whose clients are answered with a reset ---
  SLUICE_BAD_PROXY_HEADER: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the connection does not begin with a well-formed PROXY header',
  },
  SLUICE_BAD_CLIENT_HELLO: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the connection begins like TLS, but not with a well-formed ClientHello',
  },
  SLUICE_PREFACE_TIMEOUT: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the PROXY header or ClientHello did not come in full and in time',
  },
  SLUICE_TLS_HANDSHAKE: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the TLS handshake with the client failed',
  },
  SLUICE_TLS_TIMEOUT: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the TLS handshake with the client was not complete in time',
  },
  SLUICE_TLS_LIMIT: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'as many TLS handshakes are in progress as may be, of all clients or of this one',
  },
  SLUICE_HTTP2_ERROR: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the client broke the rules of HTTP/2',
  },
  SLUICE_HTTP2_FLOOD: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the client sent more frames of a kind than HTTP/2 clients may here',
  },
  SLUICE_SESSION_IDLE: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'nothing moved in the session for its idle timeout',
  },
  SLUICE_SESSION_LINGER: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'one side had finished, and nothing moved for the linger timeout',
  },
  SLUICE_SESSION_CUT: {
    fault: 'proxy',
    status: 0,
    retry: 'never',
    text: 'the proxy ended the session before its two sides had',
  },
  // --- routing and admission ---
  SLUICE_NO_ROUTE: { fault: 'client', status: 404, retry: 'never', text: 'no route matches' },
  SLUICE_NO_ENDPOINT: {
    fault: 'proxy',
    status: 503,
    retry: 'never',
    text: 'no endpoint of the upstream may be picked now',
  },
  SLUICE_ENDPOINTS_FULL: {
    fault: 'proxy',
    status: 503,
    retry: 'never',
    text: 'all endpoints of the upstream have as many requests as they may have',
  },
  SLUICE_QUEUE_FULL: {
    fault: 'proxy',
    status: 503,
    retry: 'never',
    text: 'as many requests wait for an endpoint as may wait',
  },
  SLUICE_QUEUE_TIMEOUT: {
    fault: 'proxy',
    status: 503,
    retry: 'never',
    text: 'no endpoint had room for the request in time',
  },
  SLUICE_BREAKER_OPEN: {
    fault: 'proxy',
    status: 503,
    retry: 'never',
    text: 'the circuit is open: too much has failed lately',
  },
  SLUICE_ENDPOINT_DRAINED: {
    fault: 'operator',
    status: 503,
    retry: 'idempotent',
    text: 'the endpoint was drained, and its time to finish was over',
  },
  SLUICE_FILE_LIMIT: { fault: 'proxy', status: 503, retry: 'never', text: 'the proxy is out of file descriptors' },
  SLUICE_EXCHANGE_LIMIT: { fault: 'proxy', status: 503, retry: 'never', text: 'the proxy has too many requests open' },
  SLUICE_SESSION_LIMIT: {
    fault: 'proxy',
    status: 0,
    retry: 'never',
    text: 'the listener has as many sessions open as it may have',
  },
  SLUICE_CLIENT_SESSION_LIMIT: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the client has as many sessions open as it may have',
  },
  SLUICE_CLIENT_RATE_LIMIT: {
    fault: 'client',
    status: 0,
    retry: 'never',
    text: 'the client opens sessions faster than it may',
  },
  SLUICE_CLIENT_TABLE_FULL: {
    fault: 'proxy',
    status: 0,
    retry: 'never',
    text: 'the table of clients has no place left for this one',
  },
  SLUICE_POOL_TIMEOUT: {
    fault: 'proxy',
    status: 503,
    retry: 'always',
    text: 'no connection to the endpoint became free in time',
  },
  SLUICE_INTERNAL: { fault: 'proxy', status: 500, retry: 'never', text: 'the proxy failed to handle the request' },
  // --- the endpoint ---
  SLUICE_CONNECT_REFUSED: {
    fault: 'endpoint',
    status: 502,
    retry: 'always',
    text: 'the endpoint did not accept a connection',
  },
  SLUICE_CONNECT_TIMEOUT: {
    fault: 'endpoint',
    status: 504,
    retry: 'always',
    text: 'the endpoint did not accept a connection in time',
  },
  SLUICE_ENDPOINT_RESET: {
    fault: 'endpoint',
    status: 502,
    retry: 'idempotent',
    text: 'the endpoint broke off the connection',
  },
  SLUICE_ENDPOINT_TLS: {
    fault: 'endpoint',
    status: 502,
    retry: 'always',
    text: 'the TLS handshake with the endpoint failed, or its certificate was not believed',
  },
  SLUICE_STREAM_REFUSED: {
    fault: 'endpoint',
    status: 502,
    retry: 'always',
    text: 'the endpoint refused the HTTP/2 stream before it did anything with it',
  },
  SLUICE_BAD_RESPONSE: {
    fault: 'endpoint',
    status: 502,
    retry: 'idempotent',
    text: 'the endpoint sent something that is not a valid HTTP response',
  },
  SLUICE_NO_TUNNEL: {
    fault: 'endpoint',
    status: 502,
    retry: 'never',
    text: 'the endpoint did not open the WebSocket that was asked for over HTTP/2',
  },
  SLUICE_RESPONSE_HEAD_TOO_LARGE: {
    fault: 'endpoint',
    status: 502,
    retry: 'never',
    text: "the head of the endpoint's response is larger than allowed",
  },
  SLUICE_RESPONSE_TRUNCATED: {
    fault: 'endpoint',
    status: 502,
    retry: 'never',
    text: "the endpoint's response ended before it was complete",
  },
  SLUICE_ATTEMPT_TIMEOUT: {
    fault: 'endpoint',
    status: 504,
    retry: 'idempotent',
    text: 'the endpoint did not answer in the time that one attempt has',
  },
  SLUICE_FIRST_BYTE_TIMEOUT: {
    fault: 'endpoint',
    status: 504,
    retry: 'idempotent',
    text: 'the endpoint did not begin its answer in time',
  },
  SLUICE_IDLE_TIMEOUT: {
    fault: 'endpoint',
    status: 504,
    retry: 'never',
    text: 'the endpoint stopped in the middle of its answer',
  },
  SLUICE_EXCHANGE_TIMEOUT: {
    fault: 'endpoint',
    status: 504,
    retry: 'never',
    text: 'the whole exchange took longer than its route allows',
  },
  // --- start-up and operation: no client is answered ---
  SLUICE_CONFIG: { fault: 'operator', status: 0, retry: 'never', text: 'the configuration has problems' },
  SLUICE_USAGE: { fault: 'operator', status: 0, retry: 'never', text: 'the command line has problems' },
  SLUICE_ADDRESS_IN_USE: {
    fault: 'operator',
    status: 0,
    retry: 'never',
    text: 'another process already listens on this address',
  },
  SLUICE_ADDRESS_DENIED: {
    fault: 'operator',
    status: 0,
    retry: 'never',
    text: 'this process may not listen on this address',
  },
  SLUICE_ADDRESS_UNAVAILABLE: {
    fault: 'operator',
    status: 0,
    retry: 'never',
    text: 'this machine does not have this address',
  },
  SLUICE_ADDON_MISSING: { fault: 'operator', status: 0, retry: 'never', text: 'the native engine cannot be loaded' },
  SLUICE_UWS_MISSING: {
    fault: 'operator',
    status: 0,
    retry: 'never',
    text: 'no uWebSockets.js binary can be loaded here',
  },
  SLUICE_NAME_UNRESOLVED: {
    fault: 'operator',
    status: 0,
    retry: 'never',
    text: "an endpoint's host name has no address",
  },
  SLUICE_WORKER_CRASH_LOOP: {
    fault: 'proxy',
    status: 0,
    retry: 'never',
    text: 'a worker keeps crashing right after its start',
  },
} as const satisfies Record<string, ErrorKind>;

/** A stable error code, e.g. in response bodies, logs and docs/errors.md. */
export type ErrorCode = keyof typeof kinds;

/** The catalogue. docs/errors.md is held against it by a test. */
export const ERROR_CATALOG: Readonly<Record<ErrorCode, ErrorKind>> = kinds;
