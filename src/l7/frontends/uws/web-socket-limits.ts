/** What a WebSocket may hold and how it ends: bounds and close codes that both of its sides keep to. */

/**
 * Longest message in either direction; a longer one ends the WebSocket with TOO_LARGE. Both libraries gather a message whole before they
 * hand it over, so this is memory for each WebSocket. Browsers and most servers send in pieces far below; `ws` takes 100 MiB, nginx
 * and HAProxy relay frames and have no bound.
 */
export const MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Longest message that uWebSockets.js gathers: it drops the connection without a close frame at a longer one, so that those up to here
 * can be answered with TOO_LARGE.
 */
export const GATHERED_BYTES = 2 * MESSAGE_BYTES;

/** Above this many bytes that the client has not taken the endpoint is not read from. */
export const CLIENT_HIGH_WATER = 256 * 1024;
/** Below this it is read from again. */
export const CLIENT_LOW_WATER = 64 * 1024;

/** What uWebSockets.js may buffer for a client: the mark, one message above it, and pongs to a client that takes none. */
export const CLIENT_HELD_BYTES = CLIENT_HIGH_WATER + MESSAGE_BYTES + 1024 * 1024;

/** Above this many bytes that the endpoint has not taken the client is not read from, where uWebSockets.js can stop. */
export const ENDPOINT_HIGH_WATER = 256 * 1024;
/** Below this it is read from again. */
export const ENDPOINT_LOW_WATER = 64 * 1024;

/** Bytes that an endpoint has not taken above which a further message ends the WebSocket, where the client could not be stopped. */
export const ENDPOINT_HELD_BYTES = MESSAGE_BYTES;

/** A client that takes nothing of what lies ready for so long is cut off. */
export const CLIENT_STALL_MS = 60_000;

/** A side that has been sent a close frame has so long to end its connection; then it is dropped. */
export const CLOSE_TIMEOUT_MS = 10_000;

/** Close codes (RFC 6455 7.4.1 and the IANA registry). */
export const CloseCode = {
  /** The proxy ends: it shuts down, or nothing moved for the idle timeout. */
  GOING_AWAY: 1001,
  /** Reported only: a close frame without a code. */
  NO_STATUS: 1005,
  /** Reported only: no close frame. */
  ABNORMAL: 1006,
  TOO_LARGE: 1009,
  /** The endpoint takes less than the client sends. */
  TRY_AGAIN_LATER: 1013,
  /** The endpoint has broken the WebSocket protocol. */
  BAD_GATEWAY: 1014,
} as const;
