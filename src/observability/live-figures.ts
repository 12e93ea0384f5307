/**
 * What is seen of the running proxy once a second: for the dashboard, `sluice top`, `sluice status` and the gauges of /metrics. Plain JSON;
 * rates and latencies are of a window that slides over the last `windowMs`. Made by the primary.
 */
import type { ErrorCode } from '../core/error-catalog.js';
import type { LogEvent } from './log-events.js';

/** Latencies of a window in ms; null: nothing ended in it. */
export interface LatencyFigures {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Of the window; a second's share where it says "PerSecond". */
export interface TrafficRates {
  /** Exchanges and sessions that ended; of an upstream and an endpoint: attempts that began. */
  readonly perSecond: number;
  /** Of these the share that failed, but not by the client's fault, or were answered 5xx, 0..1; null: none ended. */
  readonly errorShare: number | null;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  /**
   * Whole exchange, sessions are not among them; of an upstream and an endpoint: to the first byte of answers, or, where only sessions go, to
   * connect. null: there was none in the window.
   */
  readonly latencyMs: LatencyFigures | null;
}

export interface LiveListener extends TrafficRates {
  readonly name: string;
  readonly mode: 'l4' | 'l7';
  /** As one types it: '127.0.0.1:8080', '[::1]:80', 'unix:/path'. */
  readonly address: string;
  /** 'native', 'uws', or the relay of an l4 listener. */
  readonly kind: string;
}

export interface LiveRoute extends TrafficRates {
  readonly listener: string;
  readonly host: string;
  readonly path: string;
  /** Where its requests go; several with a split. */
  readonly upstreams: readonly string[];
}

/** What an endpoint is, in one word for people; the first that applies. */
export type EndpointCondition =
  | 'disabled'
  | 'drained'
  | 'draining'
  | 'unresolved'
  | 'unknown'
  | 'unhealthy'
  | 'ejected'
  | 'broken'
  | 'on-trial'
  | 'warming-up'
  | 'healthy';

export interface LiveEndpoint extends TrafficRates {
  readonly address: string;
  readonly condition: EndpointCondition;
  /** As the operator sees it: what PUT takes. */
  readonly state: 'enabled' | 'draining' | 'drained' | 'disabled';
  readonly backup: boolean;
  /** As configured or set; and as it counts now. */
  readonly weight: number;
  readonly effectiveWeight: number;
  readonly inFlight: number;
  /** Most in flight as it counts now; null: no cap. */
  readonly cap: number | null;
  /** inFlight / cap; null: no cap. */
  readonly poolUse: number | null;
  /** Part of the upstream's attempts in the window, 0..1; null: there was none. */
  readonly share: number | null;
  /** How many answers of the last second took how long, by the bounds of LATENCY_BOUNDS_MS: one more than there are bounds. */
  readonly heat: readonly number[];
}

/** Upper bounds in ms of the columns of a latency heat map; the last column has what took longer. */
export const LATENCY_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] as const;

export interface LiveUpstream extends TrafficRates {
  readonly name: string;
  readonly balance: string;
  readonly panicking: boolean;
  /** null: nobody can wait. */
  readonly waiting: number | null;
  readonly queueLength: number | null;
  /** Standard deviation over mean of attempts per weight, of the endpoints that take work, in the window; null: fewer than two take work, or there was no attempt. */
  readonly cv: number | null;
  readonly endpoints: readonly LiveEndpoint[];
}

export interface LiveWorker {
  readonly index: number;
  readonly state: string;
  readonly restarts: number;
  readonly openConnections: number;
  readonly openExchanges: number;
  readonly openSessions: number;
  readonly upstreamConnections: number;
  /** 0..1. */
  readonly busyShare: number;
}

/** One second of the proxy. GET /api/v1/live/now, and the data of each `figures` event of GET /api/v1/live. */
export interface LiveFigures {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly uptimeMs: number;
  readonly windowMs: number;
  /** Number of the plan that counts. */
  readonly epoch: number;
  readonly readiness: 'starting' | 'ready' | 'degraded' | 'draining';
  readonly totals: TrafficRates & {
    readonly openConnections: number;
    readonly openExchanges: number;
    readonly openSessions: number;
  };
  readonly listeners: readonly LiveListener[];
  readonly routes: readonly LiveRoute[];
  readonly upstreams: readonly LiveUpstream[];
  readonly workers: readonly LiveWorker[];
}

/** Something that happened: an ejection, a failed reload, a crash. GET /api/v1/timeline, and the data of each `happened` event of GET /api/v1/live. */
export interface TimelineEntry {
  /** Counts up from 1 since the start of the process. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: 'info' | 'warn' | 'error' | 'fatal';
  readonly event: LogEvent;
  /** The sentence of the log. */
  readonly text: string;
  readonly code: ErrorCode | null;
  readonly upstream: string | null;
  readonly endpoint: string | null;
  /** How many of the same there were since the entry before; bursts of failed attempts are one entry. */
  readonly count: number;
}
