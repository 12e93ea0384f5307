/** How TLS handshakes with clients end: the list that the engine counts by, and the board and the metrics after it. */

/**
 * How handshakes with clients of a listener end: places in what `handshakes` of front ends and session engines tells. The same order stands
 * in native/src/tls/handshake_gate.h. From 'peer-left' on they have failed: those of TlsFailure, then our own.
 */
export const HANDSHAKE_ENDS = [
  'TLSv1.2',
  'TLSv1.2 resumed',
  'TLSv1.3',
  'TLSv1.3 resumed',
  'peer-left',
  'not-tls',
  'version',
  'cipher',
  'no-certificate',
  'bad-certificate',
  'alert',
  'alpn',
  'other',
  'timeout',
  'limit',
] as const;
export type HandshakeEnd = (typeof HANDSHAKE_ENDS)[number];
/** Place of the first failure in HANDSHAKE_ENDS. */
export const FIRST_HANDSHAKE_FAILURE = 4;
