/** What the admin API answers: from method, path and body to status and JSON. */
import type { ErrorCode } from '../../core/error-catalog.js';
import type { EndpointChange } from '../endpoint-operator.js';
import { readEndpointChange } from './endpoint-change.js';
import type { EndpointView } from './endpoint-view.js';

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
    /** Attempts after the first one of their exchange or session, hedges among them. */
    readonly retries: number;
    readonly hedges: number;
    /** Retries and hedges that the budgets of upstreams did not allow. */
    readonly retriesRefused: number;
  };
  /** Exchanges and sessions that ended with each error code since the start; codes that never occurred are absent. */
  readonly failuresByCode: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** One listener in GET /api/v1/status, with its real port. */
export type ListenerView = {
  readonly name: string;
} & ({ readonly mode: 'l7'; readonly frontend: string } | { readonly mode: 'l4'; readonly relay: string }) &
  ({ readonly host: string; readonly port: number } | { readonly path: string });

/** One row of GET /api/v1/upstreams. */
export interface UpstreamView {
  readonly name: string;
  readonly balance: string;
  readonly healthCheck: string | null;
  readonly endpoints: number;
  readonly eligibleEndpoints: number;
  /** Left alone for what they did to traffic; those on trial are not among them. */
  readonly ejectedEndpoints: number;
  /** Ejections, and those that were not made because too many endpoints would have been out; since the start, over all endpoints. */
  readonly ejections: number;
  readonly suppressedEjections: number;
  /** Endpoints whose breaker is open or half-open. */
  readonly brokenEndpoints: number;
  /** Is health ignored now, and how often did it come to that? As the primary sees it once a second. */
  readonly panicking: boolean;
  readonly panics: number;
  /** Requests and sessions that wait for a place now, of at most so many; null: none can wait. */
  readonly waiting: number | null;
  readonly queueLength: number | null;
  /** Attempts on its endpoints that were not the first of their exchange or session. */
  readonly retries: number;
}

/** What the API reads; each call looks anew. */
export interface AdminSource {
  readiness(): Readiness;
  status(): StatusView;
  upstreams(): readonly UpstreamView[];
  /** undefined: no upstream of this name. */
  endpoints(upstreamName: string): readonly EndpointView[] | undefined;
  /** undefined: no such upstream, or no such endpoint in it. */
  endpoint(upstreamName: string, endpointName: string): EndpointView | undefined;
  /**
   * Changes an endpoint that endpoint() knows.
   *
   * @returns false where the change has a time for a drain, and there is no drain
   */
  change(upstreamName: string, endpointName: string, change: EndpointChange): boolean;
}

/** A whole answer. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request, when its host and, for a write, its origin have been found good. */
export interface AdminRequest {
  readonly method: string;
  /** The request target; a query is ignored. */
  readonly path: string;
  /** Of a write. */
  readonly body?: string;
}

/** What there is at a path. */
interface Resource {
  read(): AdminAnswer;
  /** undefined: nothing can be written there. */
  readonly write?: (body: string) => AdminAnswer;
}

/** Does a request with this method ask for a change? Its body is needed then. */
export function isWrite(method: string): boolean {
  return method === 'PUT';
}

/** Answers one request. */
export function answerAdmin(source: AdminSource, { method, path, body = '' }: AdminRequest): AdminAnswer {
  const question = path.indexOf('?');
  const resource = resourceAt(source, question < 0 ? path : path.slice(0, question));
  if (resource === undefined) return failure(404, 'not-found', 'there is nothing at this path');
  if (method === 'GET' || method === 'HEAD') return resource.read();
  if (isWrite(method) && resource.write !== undefined) return resource.write(body);
  const answer = failure(405, 'method-not-allowed', `${method} does nothing at this path`);
  return { ...answer, headers: { allow: resource.write === undefined ? 'GET, HEAD' : 'GET, HEAD, PUT' } };
}

/** An error body of the API. */
export function failure(status: number, error: string, message: string): AdminAnswer {
  return { status, headers: {}, body: { error, message } };
}

function resourceAt(source: AdminSource, path: string): Resource | undefined {
  switch (path) {
    case '/healthz':
      return { read: () => ok({ status: 'alive' }) };
    case '/readyz':
      return {
        read: () => {
          const readiness = source.readiness();
          const takesTraffic = readiness === 'ready' || readiness === 'degraded';
          return { status: takesTraffic ? 200 : 503, headers: {}, body: { status: readiness } };
        },
      };
    case '/api/v1/status':
      return { read: () => ok(source.status()) };
    case '/api/v1/upstreams':
      return { read: () => ok({ upstreams: source.upstreams() }) };
    default:
      return endpointsAt(source, path);
  }
}

function endpointsAt(source: AdminSource, path: string): Resource | undefined {
  const [, encodedUpstream, encodedEndpoint] =
    /^\/api\/v1\/upstreams\/([^/]+)\/endpoints(?:\/([^/]+))?$/.exec(path) ?? [];
  const upstream = decoded(encodedUpstream);
  if (upstream === undefined) return undefined;
  if (encodedEndpoint === undefined) {
    const endpoints = source.endpoints(upstream);
    return endpoints === undefined ? undefined : { read: () => ok({ upstream, endpoints }) };
  }
  const name = decoded(encodedEndpoint);
  if (name === undefined || source.endpoint(upstream, name) === undefined) return undefined;
  const read = (): AdminAnswer => ok({ upstream, endpoint: source.endpoint(upstream, name) });
  return { read, write: (body) => changeEndpoint(source, upstream, name, body) ?? read() };
}

/** @returns the refusal; null: it is changed */
function changeEndpoint(source: AdminSource, upstream: string, endpoint: string, body: string): AdminAnswer | null {
  const read = readEndpointChange(body);
  if (!read.ok) return failure(400, 'bad-change', read.problems.join('; '));
  if (source.change(upstream, endpoint, read.change)) return null;
  return failure(409, 'not-draining', 'drainTimeout is for an endpoint that drains: add "state": "draining"');
}

function ok(body: unknown): AdminAnswer {
  return { status: 200, headers: {}, body };
}

/** undefined: absent, or not valid percent-encoding. */
function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
