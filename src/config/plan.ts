/** The plan: a validated configuration compiled for the data planes. Plain data (structured-clonable), every default filled in. */

/** Names of the balancers this version has. */
export type BalancerName = 'round-robin' | 'least-conn' | 'least-time';

/** The whole plan. `epoch` numbers published plans, from 1. */
export interface Plan {
  readonly epoch: number;
  readonly workers: number;
  readonly listeners: readonly ListenerPlan[];
  readonly upstreams: readonly UpstreamPlan[];
  readonly shutdownTimeoutMs: number;
  /** null: no admin API. */
  readonly admin: { readonly host: string; readonly port: number } | null;
  readonly log: { readonly level: LogLevel; readonly accessLog: string | null };
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** One bound address. `port` 0 asks the system for a free one; the primary replaces it before workers see the plan. */
export interface ListenerPlan {
  readonly name: string;
  readonly mode: 'l7';
  readonly frontend: 'uws';
  /** Who accepts: the primary, where the front end can take connections from it, or each worker for itself. */
  readonly accept: 'primary' | 'reuseport';
  readonly host: string;
  readonly port: number;
  readonly timeouts: {
    readonly requestHeadMs: number;
    readonly bodyIdleMs: number;
    readonly keepAliveMs: number;
    readonly tunnelIdleMs: number;
  };
  /** `bodyBytes` Infinity: unlimited. */
  readonly limits: { readonly headBytes: number; readonly headers: number; readonly bodyBytes: number };
  /** CIDR ranges of peers whose X-Forwarded-* and X-Request-Id are believed. */
  readonly trustedProxies: readonly string[];
  /** In the order of the configuration; the front end picks the most specific match. */
  readonly routes: readonly RoutePlan[];
}

/** host: '*', an exact name or '*.suffix', lower case. path: a prefix beginning with '/'. */
export interface RoutePlan {
  readonly host: string;
  readonly path: string;
  /** Index into Plan.upstreams. */
  readonly upstream: number;
  /** Deadline over all attempts in ms; 0: none. */
  readonly exchangeTimeoutMs: number;
}

export interface UpstreamPlan {
  readonly name: string;
  /** Index of this upstream, in the plan and in the board's upstream table. */
  readonly index: number;
  readonly balance: BalancerName;
  readonly endpoints: readonly EndpointPlan[];
  readonly timeouts: { readonly connectMs: number; readonly firstByteMs: number; readonly idleMs: number };
  readonly retry: { /** tries of one exchange over all endpoints, >= 1 */ readonly attempts: number };
  /** Per worker and endpoint. maxConnections 0: unlimited. */
  readonly pool: { readonly maxIdle: number; readonly maxConnections: number; readonly keepAliveIdleMs: number };
  readonly responseLimits: { readonly headBytes: number; readonly headers: number };
  readonly healthCheck: HealthCheckPlan | null;
}

/** One address of an upstream. `slot` and `generation` are its place on the board. */
export interface EndpointPlan {
  /** Stable identity 'host:port', '[v6]:port' or 'unix:/path', as the user wrote it. */
  readonly name: string;
  readonly slot: number;
  readonly generation: number;
  readonly target:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
  readonly weight: number;
  readonly backup: boolean;
  /** Most requests in flight over all workers; 0: no cap. */
  readonly maxConns: number;
}

export type HealthCheckPlan = {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
} & ({ readonly kind: 'http'; readonly path: string } | { readonly kind: 'tcp' });
