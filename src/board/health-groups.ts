/** Groups of the board that say which endpoints and routes are left alone for what they did to traffic. */
import { group } from './layout-group.js';

/** Buckets of a sliding window. */
export const WINDOW_BUCKETS = 10;

/** Passive detection of one endpoint, see endpoint-ejection.ts. */
export const EndpointEjection = group({ writer: 'every worker', per: 'slot', word: 'int32', spacing: 'line' }, [
  /** Closed: takes work. Open: ejected. Half-open: on trial. See circuit-table.ts. */
  ['circuit', 2],
  /** [gateway failures:16][failures:16] in a row. */
  'inRow',
  /** Tick at which the log was last told that an ejection was suppressed; NEVER: it was not. */
  'suppressedAt',
  /** Since the endpoint has the slot, like the next. */
  'ejections',
  'suppressions',
]);

/** Guards the share of an upstream's endpoints that are ejected. */
export const UpstreamEjections = group({ writer: 'every worker', per: 'upstream', word: 'int32', spacing: 'line' }, [
  /** 0: free; else the index of the worker that holds it, plus 1; the primary's is that of one worker more. */
  'lock',
]);

const BREAKER_FIELDS = [
  ['circuit', 2],
  'failuresInRow',
  /** Since the endpoint has the slot, or the board was made. */
  'openings',
  // The window, see breaker-table.ts: each word [lap:8][count:24].
  ['requests', WINDOW_BUCKETS],
  ['failures', WINDOW_BUCKETS],
  ['slow', WINDOW_BUCKETS],
] as const;

/** The breaker of one endpoint. */
export const EndpointBreaker = group(
  { writer: 'every worker', per: 'slot', word: 'int32', spacing: 'line' },
  BREAKER_FIELDS,
);

/** The breaker of one route. */
export const RouteBreaker = group(
  { writer: 'every worker', per: 'route breaker', word: 'int32', spacing: 'line' },
  BREAKER_FIELDS,
);

/** Probes and trials of one worker that are on their way, see probe-journal.ts. */
export const Probes = group({ writer: 'owning worker', per: 'slot', word: 'int32', spacing: 'packed' }, [
  /** [generation:11][0:1][count:20] */
  'held',
]);

/** The same for routes. */
export const RouteProbes = group({ writer: 'owning worker', per: 'route breaker', word: 'int32', spacing: 'packed' }, [
  'held',
]);
