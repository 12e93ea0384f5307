/** What the read-only admin API answers: a pure function from method and path to status and JSON. */
import type { ErrorCode } from '../../core/error-catalog.js';

/**
 * Where the proxy is, as far as the API tells. `starting`: no worker serves, or not all have served yet; `degraded`: some
 * are being restarted, the others serve.
 */
export type Readiness = 'starting' | 'ready' | 'degraded' | 'draining';

/** GET /api/v1/status. */
export interface StatusView {
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly epoch: number;
  readonly readiness: Readiness;
  readonly listeners: readonly ListenerView[];
  readonly workers: readonly {
    readonly index: number;
    readonly state: string;
    readonly restarts: number;
    readonly openConnections: number;
    readonly openExchanges: number;
    readonly openSessions: number;
    readonly upstreamConnections: number;
    /** Part of its time that the worker's loop was busy in the last second, 0..1. */
    readonly busyShare: number;
    /** Since the start of the process, over all threads that this worker had. */
    readonly requests: number;
    readonly sessions: number;
  }[];
  /** `attempts` and `failures` are those on endpoints; a request or a session may have several attempts, or none. */
  readonly totals: {
    readonly openConnections: number;
    readonly openExchanges: number;
    readonly openSessions: number;
    readonly requests: number;
    readonly sessions: number;
    /** Relayed in sessions, those that are open included. */
    readonly bytesFromClients: number;
    readonly bytesToClients: number;
    readonly attempts: number;
    readonly failures: number;
  };
  /** Exchanges and sessions that ended with each error code since the start; codes that never occurred are absent. */
  readonly failuresByCode: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** One listener in GET /api/v1/status, with its real port. */
export type ListenerView = {
  readonly name: string;
} & ({ readonly mode: 'l7'; readonly frontend: string } | { readonly mode: 'l4'; readonly relay: string }) &
  ({ readonly host: string; readonly port: number } | { readonly path: string });

/** One row of GET /api/v1/upstreams/{name}/endpoints. */
export interface EndpointView {
  readonly address: string;
  readonly addresses: readonly string[];
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly draining: boolean;
  readonly resolved: boolean;
  /** As configured, or as the operator set it; with `effectiveWeight` as it counts now, likewise `maxConns`. */
  readonly weight: number;
  readonly effectiveWeight: number;
  readonly backup: boolean;
  readonly maxConns: number;
  readonly effectiveMaxConns: number;
  /** How far it has warmed up, above 0, at most 1; null: it does not warm up. */
  readonly slowStart: number | null;
  /** Requests and sessions open now, over all workers. */
  readonly inFlight: number;
  /** null: it has not answered yet. */
  readonly latencyEwmaUs: number | null;
  /** Attempts since the start. */
  readonly requests: number;
  readonly failures: number;
  /** Part of the upstream's attempts, 0..1; null: there was none. */
  readonly share: number | null;
}

/** One row of GET /api/v1/upstreams. */
export interface UpstreamView {
  readonly name: string;
  readonly balance: string;
  readonly healthCheck: string | null;
  readonly endpoints: number;
  readonly eligibleEndpoints: number;
}

/** What the API reads; each call looks anew. */
export interface AdminSource {
  readiness(): Readiness;
  status(): StatusView;
  upstreams(): readonly UpstreamView[];
  /** undefined: no upstream of this name. */
  endpoints(upstreamName: string): readonly EndpointView[] | undefined;
}

/** A whole answer. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const READ_METHODS = 'GET, HEAD';

/**
 * Answers one request.
 *
 * @param path the request target; a query is ignored
 */
export function answerAdmin(source: AdminSource, method: string, path: string): AdminAnswer {
  const question = path.indexOf('?');
  const read = readerOf(source, question < 0 ? path : path.slice(0, question));
  if (read === undefined) return failure(404, 'not-found', 'there is nothing at this path');
  if (method !== 'GET' && method !== 'HEAD') {
    const answer = failure(405, 'method-not-allowed', 'this version of the admin API is read-only');
    return { ...answer, headers: { allow: READ_METHODS } };
  }
  return read();
}

/** An error body of the API. */
export function failure(status: number, error: string, message: string): AdminAnswer {
  return { status, headers: {}, body: { error, message } };
}

function readerOf(source: AdminSource, path: string): (() => AdminAnswer) | undefined {
  switch (path) {
    case '/healthz':
      return () => ok({ status: 'alive' });
    case '/readyz':
      return () => {
        const readiness = source.readiness();
        const takesTraffic = readiness === 'ready' || readiness === 'degraded';
        return { status: takesTraffic ? 200 : 503, headers: {}, body: { status: readiness } };
      };
    case '/api/v1/status':
      return () => ok(source.status());
    case '/api/v1/upstreams':
      return () => ok({ upstreams: source.upstreams() });
    default: {
      const encoded = /^\/api\/v1\/upstreams\/([^/]+)\/endpoints$/.exec(path)?.[1];
      const name = encoded === undefined ? undefined : decoded(encoded);
      const endpoints = name === undefined ? undefined : source.endpoints(name);
      return endpoints === undefined ? undefined : () => ok({ upstream: name, endpoints });
    }
  }
}

function ok(body: unknown): AdminAnswer {
  return { status: 200, headers: {}, body };
}

/** undefined: not valid percent-encoding. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
