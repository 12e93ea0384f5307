/** The plan: a validated configuration compiled for the data planes. Plain data (structured-clonable), every default filled in. */

import type { AccessLogPlan, AdminPlan, TracingPlan } from './observing-plan.js';
import type { PickingPlan, SplitPlan } from './picking-plan.js';
import type { HealthCheckPlan, ResiliencePlan, RouteResiliencePlan } from './resilience-plan.js';
import type {
  EndpointProtocol,
  ListenerHttp2Plan,
  ListenerTlsPlan,
  UpstreamHttp2Plan,
  UpstreamTlsPlan,
} from './tls-plan.js';

export type { HealthCheckPlan } from './resilience-plan.js';

/** The whole plan. `epoch` numbers published plans, from 1. */
export interface Plan {
  readonly epoch: number;
  readonly workers: number;
  readonly listeners: readonly ListenerPlan[];
  readonly upstreams: readonly UpstreamPlan[];
  readonly shutdownTimeoutMs: number;
  /** null: no admin API. */
  readonly admin: AdminPlan | null;
  readonly log: { readonly level: LogLevel };
  /** null: none is written. */
  readonly accessLog: AccessLogPlan | null;
  /** null: no spans; a `traceparent` of clients is passed on as any other field. */
  readonly tracing: TracingPlan | null;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** A bound address with its settings; `mode` says which. */
export type ListenerPlan = L7ListenerPlan | L4ListenerPlan;

/** What listeners of both modes have. */
interface ListenerBase {
  readonly name: string;
  /** Its record on the board, and its number in engines and acceptors; the same in the next plan, as long as name, mode and front end are. */
  readonly number: number;
  /** Do its exchanges or sessions stand in the access log? */
  readonly isLogged: boolean;
  /** Who accepts: the primary, where the worker's side can take connections from it, or each worker for itself. */
  readonly accept: 'primary' | 'reuseport';
  /** CIDR ranges of peers that are believed: l7 their X-Forwarded-* and X-Request-Id, l4 the address in their PROXY header. */
  readonly trustedProxies: readonly string[];
  /** null: plain. Of l4 listeners: sessions are decrypted here, and routed by the server name of their handshake. */
  readonly tls: ListenerTlsPlan | null;
}

/** A listener of HTTP requests. What is native only holds its default with `frontend: uws`, which knows nothing of it. */
export interface L7ListenerPlan extends ListenerBase {
  readonly mode: 'l7';
  readonly frontend: FrontEndName;
  /** uws: TCP only. */
  readonly bind: BindPlan;
  /** Every connection begins with a PROXY header; its address is believed where the peer is in `trustedProxies`. Native only. */
  readonly proxyProtocol: boolean;
  /** TCP_DEFER_ACCEPT, as in L4ListenerPlan. Native only. */
  readonly deferAcceptMs: number;
  /** Of client connections over TCP. Native only. */
  readonly keepAlive: KeepAlivePlan;
  readonly timeouts: {
    /** From a head's first byte to its end; for the first head of a connection from accept. */
    readonly requestHeadMs: number;
    /** Longest silence inside a request body. */
    readonly bodyIdleMs: number;
    /** Longest time of a connection without a request. */
    readonly keepAliveMs: number;
    /** Longest silence of an upgraded connection, in both directions. */
    readonly tunnelIdleMs: number;
    /** Longest time in which a client takes nothing of what lies ready for it. Native only. */
    readonly writeStallMs: number;
    /** The PROXY header must be there after this, counted from accept. Native only. */
    readonly prefaceMs: number;
  };
  readonly limits: L7LimitsPlan;
  /** Native only. */
  readonly http2: ListenerHttp2Plan;
  /** Every request is answered with a redirect to https on this port; 0: none is. */
  readonly redirectPort: number;
  /** Value of Strict-Transport-Security in answers; '': none is added. */
  readonly hsts: string;
  /** Whether answers tell in `X-Sluice-Explain` why their endpoint was picked. */
  readonly explains: boolean;
  /** In the order of the configuration; the front end picks the most specific match. */
  readonly routes: readonly RoutePlan[];
}

/** What speaks the client's protocol. */
export type FrontEndName = 'native' | 'uws';

/** How much the clients of an l7 listener may send, and how many of them there may be; the sessions of its name are client connections. */
export interface L7LimitsPlan extends SessionLimitsPlan {
  readonly headBytes: number;
  /** Longest request line; at most `headBytes`. Native only. */
  readonly targetBytes: number;
  /** Header lines. */
  readonly headers: number;
  /** Infinity: unlimited. */
  readonly bodyBytes: number;
  /** Bytes a second that a request body has to come with; 0: any rate. Native only. */
  readonly minBodyRate: number;
  /** Requests after which a connection is closed; 0: unlimited. Native only. */
  readonly requestsPerConnection: number;
}

/** A listener of sessions: bytes of any protocol over TCP or a UNIX socket. */
export interface L4ListenerPlan extends ListenerBase {
  readonly mode: 'l4';
  readonly bind: BindPlan;
  readonly relay: RelayName;
  /** true: the end of one side is passed on and the other direction goes on. false: it ends the session. */
  readonly halfClose: boolean;
  /** TCP_DEFER_ACCEPT: accepted when the client has sent something, at the latest after this; whole seconds, 0: off. */
  readonly deferAcceptMs: number;
  /** Every connection begins with a PROXY header; its address is believed where the peer is in `trustedProxies`. */
  readonly proxyProtocol: boolean;
  /** Of client connections over TCP. */
  readonly keepAlive: KeepAlivePlan;
  readonly timeouts: {
    /** Longest silence in both directions. */
    readonly sessionIdleMs: number;
    /** Longest silence once one side has finished. */
    readonly lingerMs: number;
    /** PROXY header and ClientHello must be there after this. */
    readonly prefaceMs: number;
  };
  readonly limits: SessionLimitsPlan;
  /** In the order of the configuration; the most specific match wins. */
  readonly routes: readonly L4RoutePlan[];
}

/** How many sessions a listener may have, over all workers; of an l7 listener with the native front end, client connections. */
export interface SessionLimitsPlan {
  /** Most sessions of this listener; 0: no limit. */
  readonly sessions: number;
  /** Most sessions of one client address; 0: no limit. */
  readonly sessionsPerClient: number;
  /** Most new sessions of one client address; null: no limit. */
  readonly newSessionsPerClient: SessionRatePlan | null;
}

/** How an l4 listener moves bytes. */
export type RelayName = 'adaptive' | 'copy' | 'splice';

/**
 * Where a listener listens. tcp: `port` 0 asks the system for a free one; the primary replaces it before workers see the plan.
 * unix: `path` is absolute, or '@name' for an abstract socket; `mode` holds the permissions of the file.
 */
export type BindPlan =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number };

/** TCP keep-alive of a socket; whole seconds. `idleMs` 0: off. */
export interface KeepAlivePlan {
  readonly idleMs: number;
  readonly intervalMs: number;
  readonly probes: number;
}

/** New sessions: so many a second in the long run, and `burst` (at least 1) at once. */
export interface SessionRatePlan {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * What a ClientHello must offer to take a route. sni: '*' (any name or none, and connections without TLS), an exact name or '*.suffix',
 * lower case. alpn: one of these protocols; empty: any or none.
 */
export interface L4RoutePlan {
  readonly sni: string;
  readonly alpn: readonly string[];
  /** Index into Plan.upstreams. */
  readonly upstream: number;
}

/** A route of an l7 listener. host: '*', an exact name or '*.suffix', lower case. path: a prefix beginning with '/'. */
export interface RoutePlan extends RouteResiliencePlan {
  /** Record of its figures on the board. */
  readonly record: number;
  readonly host: string;
  readonly path: string;
  /** Index into Plan.upstreams; with a split, that of its first target. */
  readonly upstream: number;
  /** Index into the upstream's subsets, or NO_SUBSET. */
  readonly subset: number;
  /** null: all requests go to `upstream`. */
  readonly split: SplitPlan | null;
  /** Deadline over all attempts in ms; 0: none. */
  readonly exchangeTimeoutMs: number;
}

/** Whether connections begin with a PROXY header, and its version. */
export type ProxyProtocolName = 'off' | 'v1' | 'v2';

export interface UpstreamPlan extends PickingPlan, ResiliencePlan {
  readonly name: string;
  /** Index of this upstream in the plan. */
  readonly index: number;
  /** Its record on the board; the same in the next plan. */
  readonly record: number;
  readonly endpoints: readonly EndpointPlan[];
  /** null: plain. For exchanges, sessions and probes. */
  readonly tls: UpstreamTlsPlan | null;
  /** Of exchanges. */
  readonly protocol: EndpointProtocol;
  readonly http2: UpstreamHttp2Plan;
  /** PROXY header that connections of sessions to endpoints begin with. */
  readonly proxyProtocol: ProxyProtocolName;
  /** Of TCP connections of sessions to endpoints. */
  readonly keepAlive: KeepAlivePlan;
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
  /** As configured, or from its label with `weights: capacity`. */
  readonly weight: number;
  readonly backup: boolean;
  /** 0 is picked from first; then 1, and so on: from priorities, and from zones where the upstream prefers its own. No gaps. */
  readonly level: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Most requests in flight and sessions over all workers; 0: no cap. */
  readonly maxConns: number;
}
