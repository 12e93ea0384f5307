/** The parts of the plan that say how endpoints are picked: plain data, as the rest of the plan. */

/** Names of the balancers. */
export type BalancerName =
  | 'round-robin'
  | 'least-conn'
  | 'least-time'
  | 'peak-ewma'
  | 'random-two'
  | 'random'
  | 'first'
  | 'ip-hash'
  | 'hash'
  | 'ketama'
  | 'maglev'
  | 'rendezvous'
  | 'predictive';

/** Those that pick by a key, the same endpoint for the same one. */
export const HASHING_BALANCERS: ReadonlySet<BalancerName> = new Set([
  'ip-hash',
  'hash',
  'ketama',
  'maglev',
  'rendezvous',
]);

/**
 * Those whose weights neither slow start nor what sluice observes may move: keys would move with them, and `first` has no use for
 * weights.
 */
export const KEEPS_WEIGHTS: ReadonlySet<BalancerName> = new Set([...HASHING_BALANCERS, 'first']);

/** What of a client's certificate is a key: its subject as RFC 2253 writes it, or its SHA-256 fingerprint, 64 hex digits in lower case. */
export type CertificateFact = 'subject' | 'fingerprint';

/** Of one client's certificate. '': it has no subject. */
export type CertificateFacts = Readonly<Record<CertificateFact, string>>;

/** Where the key of a request comes from. Names of headers are lower case; cookies and query parameters are matched exactly. */
export type KeySourcePlan =
  | { readonly kind: 'client-ip' | 'path' | 'uri' }
  | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string }
  | { readonly kind: 'client-certificate'; readonly name: CertificateFact };

/** Up to which byte an exchange counts into the latency of its endpoint. */
export type LatencyEnd = 'first-byte' | 'last-byte';

/** How a client stays with its endpoint. */
export type AffinityPlan =
  | {
      readonly kind: 'cookie';
      readonly name: string;
      /** Attributes, as they stand behind the value. maxAgeS 0: until the browser closes. */
      readonly path: string;
      readonly domain: string | null;
      readonly maxAgeS: number;
      readonly isSecure: boolean;
      readonly isHttpOnly: boolean;
      readonly sameSite: 'Strict' | 'Lax' | 'None' | null;
      /** Key of the HMAC; the same on all machines that share clients. */
      readonly secret: string;
    }
  /** The endpoint that rendezvous hashing names for the key: no state, the same in all workers. */
  | { readonly kind: 'key'; readonly key: KeySourcePlan };

/** How the weight (and cap) of an endpoint that joined or recovered grows: semantics.md 5, Envoy's formula. */
export interface SlowStartPlan {
  readonly windowMs: number;
  /** 1: linear. */
  readonly aggression: number;
  /** Share of its weight that it begins with, above 0, at most 1. */
  readonly leastShare: number;
}

/** Who moves the weights of an upstream while it runs. */
export type WeightsPlan =
  | { readonly kind: 'fixed' }
  /** From observed latency and errors. */
  | { readonly kind: 'performance' }
  /** From the response header `endpoint-load-metrics` (ORCA). */
  | { readonly kind: 'reported' }
  /** From the text that an agent beside the endpoint answers with (HAProxy's agent-check). */
  | { readonly kind: 'agent'; readonly port: number; readonly intervalMs: number; readonly timeoutMs: number };

/** The endpoints of an upstream that have certain labels. */
export interface SubsetPlan {
  readonly labels: Readonly<Record<string, string>>;
  /** Indices into UpstreamPlan.endpoints; at least one. */
  readonly endpoints: readonly number[];
  /** Its cursor on the board. */
  readonly turn: number;
}

/** How an upstream picks. */
export interface PickingPlan {
  readonly balance: BalancerName;
  /** For balancers that hash. */
  readonly hashKey: KeySourcePlan;
  /** Bounded load: an endpoint above this times the mean in flight is passed over by hashes; 0: off, else above 1. */
  readonly loadFactor: number;
  readonly latencyOf: LatencyEnd;
  readonly affinity: AffinityPlan | null;
  /** null: full weight at once. */
  readonly slowStart: SlowStartPlan | null;
  /** Below this share of healthy endpoints health is ignored, 0 to 1; 0: never. */
  readonly panicShare: number;
  readonly weights: WeightsPlan;
  readonly subsets: readonly SubsetPlan[];
  /** Its cursor on the board, for picks outside of subsets. */
  readonly turn: number;
  /** Its table of points or slots on the board; NO_HASH_TABLE: its balancer needs none. */
  readonly hashTable: number;
}

/** An upstream without a table on the board. */
export const NO_HASH_TABLE = -1;
/** A route to a whole upstream. */
export const NO_SUBSET = -1;

/** Where the requests of a route may go, by weight. */
export interface TargetPlan {
  /** Index into Plan.upstreams. */
  readonly upstream: number;
  /** Index into the upstream's subsets, or NO_SUBSET. */
  readonly subset: number;
  /** >= 0; at least one of a split's is above. */
  readonly weight: number;
}

/** A route's requests spread over several upstreams; requests with the same key go to the same one. */
export interface SplitPlan {
  readonly key: KeySourcePlan;
  readonly targets: readonly TargetPlan[];
}
