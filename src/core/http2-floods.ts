/** Of what a client may send too much over HTTP/2: the list that the engine tells by, and the board and the metrics after it. */

/** Values of the label `kind` of sluice_http2_floods_total. The engine's numbers for them begin with 1 (FloodKind in native/src/http2/flood_guard.h). */
export const HTTP2_FLOODS = [
  'resets',
  'continuations',
  'settings',
  'pings',
  'priorities',
  'window-updates',
  'empty-data',
  'headers',
] as const;
export type Http2Flood = (typeof HTTP2_FLOODS)[number];
