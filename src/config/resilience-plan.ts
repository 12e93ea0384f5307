/** The parts of the plan that say what happens when endpoints fail, are slow or are full: plain data, as the rest of the plan. */
import type { EndpointProtocol, UpstreamTlsPlan } from './tls-plan.js';

/** What of a failed attempt may be tried again; `statuses` of RetryPlan come on top. */
export type RetryCondition =
  /** No connection came about: refused, timed out, no free one in the pool in time. Safe for every request. */
  | 'connect'
  /** The connection broke before a byte of the answer. */
  | 'reset'
  /** No first byte in time, or the attempt's time was over before it. */
  | 'timeout'
  /** Something that is not a valid response, before anything of it was passed on. */
  | 'bad-response';

/** How often another endpoint is tried, for what, and when. */
export interface RetryPlan {
  /** Tries of one exchange over all endpoints, hedges included, >= 1. */
  readonly attempts: number;
  /** Endpoints that a session tries to connect to, >= 1. */
  readonly connectAttempts: number;
  readonly on: readonly RetryCondition[];
  /** Statuses of endpoints that are tried again; ascending, each once. */
  readonly statuses: readonly number[];
  /** Requests that were sent may be tried again whatever their method; else if it is idempotent or they have an Idempotency-Key. */
  readonly nonIdempotent: boolean;
  /** Bodies up to this are held until a byte of the answer has come, to be sent again. 0: only requests without one. */
  readonly bodyBytes: number;
  /** Full jitter: the pause before retry N is drawn from 0 .. min(most, base x (2^N - 1)). base 0: none. */
  readonly backoff: { readonly baseMs: number; readonly mostMs: number };
  /** A `Retry-After` of a status that is tried again is waited for, up to this; longer ones are passed on. */
  readonly mostRetryAfterMs: number;
  /** null: no bound over all exchanges. */
  readonly budget: RetryBudgetPlan | null;
}

/** Retries and hedges of an upstream, over all workers, in any 10 s: share of the requests of that time, plus perSecond x 10. */
export interface RetryBudgetPlan {
  /** 0 .. 1 and above. */
  readonly share: number;
  readonly perSecond: number;
}

/** A second attempt for an idempotent request whose first one has not answered yet; the first answer counts. */
export type HedgePlan =
  | { readonly kind: 'delay'; readonly afterMs: number }
  /** After the time that this share of recent answers of the upstream took, 0 < quantile < 1. */
  | { readonly kind: 'quantile'; readonly quantile: number; readonly leastMs: number };

/** Requests and sessions of an upstream that wait for a place at an endpoint. */
export interface QueuePlan {
  /** Most that wait, over all workers, >= 1. */
  readonly length: number;
  /** Its record on the board. */
  readonly record: number;
  /** Records of its entries: `length` of them from here on. */
  readonly firstEntry: number;
}

/** Priorities of requests: 0 is served first. */
export const PRIORITIES = 8;

/** Bounds of an adaptive cap (Gradient2, semantics.md 8). */
export interface ConcurrencyPlan {
  readonly least: number;
  readonly most: number;
  readonly initial: number;
}

/** Passive detection: endpoints are ejected for what they do to traffic. Null parts are off. */
export interface OutlierPlan {
  /** Failed attempts in a row, statuses of 500 and above among them (not 501, 505). 0: off. */
  readonly failuresInRow: number;
  /** Failed attempts and 502, 503, 504 in a row. 0: off. */
  readonly gatewayFailuresInRow: number;
  /** Share of failed attempts in an interval. */
  readonly failureRatio: { readonly above: number; readonly leastRequests: number } | null;
  /** Share of good attempts below the mean of all endpoints less so many standard deviations. */
  readonly successRate: {
    readonly deviations: number;
    readonly leastRequests: number;
    readonly leastEndpoints: number;
  } | null;
  /** Mean time to first byte in an interval above so many times the median of all endpoints. */
  readonly latency: { readonly factor: number; readonly leastRequests: number; readonly leastEndpoints: number } | null;
  /** Of what is looked at in intervals. */
  readonly intervalMs: number;
  /** The n-th ejection lasts n times this, up to the most; n falls by one for each such time without one. */
  readonly ejectionMs: number;
  readonly mostEjectionMs: number;
  /** Share of the endpoints that may be ejected at a time, 0 .. 1: rounded down, at least one, never all. */
  readonly mostEjected: number;
  /** Requests at a time on a returning endpoint until one has succeeded. */
  readonly trials: number;
}

/** When a circuit opens, and for how long. */
export interface BreakerPlan {
  /** Opens at this share of failures in the window, 0 .. 1, from leastRequests on; 0: off. */
  readonly errorRatio: number;
  readonly leastRequests: number;
  readonly windowMs: number;
  /** Opens after so many failures in a row; 0: off. */
  readonly failuresInRow: number;
  /** Opens when this quantile (0 .. 1) of the times to first byte in the window is above aboveMs, from leastRequests on. */
  readonly latency: { readonly quantile: number; readonly aboveMs: number } | null;
  /** The n-th opening in a row lasts 2^(n-1) times this, up to the most. */
  readonly openMs: number;
  readonly mostOpenMs: number;
  /** Requests at a time while half-open, and as many must succeed until it closes. */
  readonly probes: number;
}

/** The breaker of a route. */
export interface RouteBreakerPlan extends BreakerPlan {
  /** Its record on the board. */
  readonly record: number;
}

/** How long attempts on an upstream may take, in ms. */
export interface UpstreamTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** One attempt, from its begin to the head of the answer; 0: none. */
  readonly attemptMs: number;
  /** Waiting for a place in the queue. */
  readonly queueMs: number;
}

/** A response of the proxy's own, as configured. Names of headers in lower case. */
export interface FixedResponsePlan {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What takes the place of an answer that the proxy would have to give itself with 502, 503 or 504. */
export interface FallbackPlan {
  /** Tried first: index into Plan.upstreams, or NO_FALLBACK; where the request can still be sent. */
  readonly upstream: number;
  /** Given where that fails, too; null: the error as always. */
  readonly response: FixedResponsePlan | null;
}

/** FallbackPlan.upstream of a route without. */
export const NO_FALLBACK = -1;

/** What of a route's resilience differs from its upstreams'. */
export interface RouteResiliencePlan {
  /** 0 (first) .. PRIORITIES - 1, where requests have to wait. */
  readonly priority: number;
  /** Header in lower case whose value is the priority, a digit; null: none. */
  readonly priorityHeader: string | null;
  readonly timeouts: Partial<UpstreamTimeouts>;
  readonly retry: Partial<Pick<RetryPlan, 'attempts' | 'on' | 'statuses' | 'nonIdempotent'>>;
  /** undefined: as the upstream; null: none. */
  readonly hedge?: HedgePlan | null;
  readonly breaker: RouteBreakerPlan | null;
  readonly fallback: FallbackPlan | null;
}

/** How an upstream bears failure, slowness and overload. */
export interface ResiliencePlan {
  readonly timeouts: UpstreamTimeouts;
  readonly retry: RetryPlan;
  readonly hedge: HedgePlan | null;
  /** null: what finds no place is answered at once. Also where no endpoint can have a cap. */
  readonly queue: QueuePlan | null;
  readonly concurrency: ConcurrencyPlan | null;
  readonly outlier: OutlierPlan | null;
  /** Of each endpoint. */
  readonly breaker: BreakerPlan | null;
}

/** Active checks of an upstream's endpoints. */
export type HealthCheckPlan = {
  readonly intervalMs: number;
  /** Between probes of an unhealthy endpoint. */
  readonly unhealthyIntervalMs: number;
  readonly timeoutMs: number;
  readonly healthyAfter: number;
  readonly unhealthyAfter: number;
  /** Each pause differs from the interval by up to this part, 0 .. 1. */
  readonly jitter: number;
  /** Port to probe; null: the endpoint's own. */
  readonly port: number | null;
  /** A good answer that takes longer counts as a bad one; null: none does. */
  readonly slowerThanMs: number | null;
  /** What endpoints count as until their first probe; with `unknown` that one decides alone, whatever the thresholds. */
  readonly initial: 'healthy' | 'unknown';
  /** As the upstream's endpoints are spoken to, or plain where the check says so; null: plain. */
  readonly tls: ProbeTlsPlan | null;
  /** As the upstream's. kind grpc is h2 whatever it says. */
  readonly protocol: EndpointProtocol;
} & (
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly path: string;
      /** Host of the probe; null: the endpoint's name. */
      readonly host: string | null;
      /** Names in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      readonly expect: {
        /** Inclusive ranges of good statuses. */
        readonly statuses: readonly (readonly [from: number, to: number])[];
        /** Text that the first 256 KiB of the body contain; null: any body. */
        readonly body: string | null;
      };
    }
  | { readonly kind: 'tcp' }
  | {
      readonly kind: 'grpc';
      /** Service that is asked for; '': the endpoint as a whole. */
      readonly service: string;
      /** As of kind http. */
      readonly host: string | null;
      readonly headers: Readonly<Record<string, string>>;
    }
);

/** TLS of probes: all of the upstream's but what is native. */
export type ProbeTlsPlan = Omit<UpstreamTlsPlan, 'context' | 'resumes'>;
