/** Small plans for tests. */
import { NO_HASH_TABLE, NO_SUBSET, type PickingPlan } from '../../../src/config/picking-plan.js';
import type {
  EndpointPlan,
  HealthCheckPlan,
  L4ListenerPlan,
  L7ListenerPlan,
  Plan,
  UpstreamPlan,
} from '../../../src/config/plan.js';
import type { ResiliencePlan, RouteResiliencePlan } from '../../../src/config/resilience-plan.js';
import type { ListenerHttp2Plan } from '../../../src/config/tls-plan.js';

/** How an upstream picks that says nothing of it. */
export const PLAIN_PICKING: PickingPlan = {
  balance: 'round-robin',
  hashKey: { kind: 'client-ip' },
  loadFactor: 0,
  latencyOf: 'first-byte',
  affinity: null,
  slowStart: null,
  panicShare: 0,
  weights: { kind: 'fixed' },
  subsets: [],
  turn: 0,
  hashTable: NO_HASH_TABLE,
};

/** How an upstream bears failures that says nothing of it: one retry, nothing else. */
export const PLAIN_RESILIENCE: ResiliencePlan = {
  timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, attemptMs: 0, queueMs: 1000 },
  retry: {
    attempts: 2,
    connectAttempts: 3,
    on: ['connect', 'reset', 'timeout', 'bad-response'],
    statuses: [],
    nonIdempotent: false,
    bodyBytes: 65_536,
    backoff: { baseMs: 0, mostMs: 0 },
    mostRetryAfterMs: 1000,
    budget: null,
  },
  hedge: null,
  queue: null,
  concurrency: null,
  outlier: null,
  breaker: null,
};

/** How the endpoints of an upstream are spoken to that says nothing of it. */
export const PLAIN_SPEECH = {
  tls: null,
  protocol: 'h1',
  http2: { streams: 100, streamWindowBytes: 262_144, connectionWindowBytes: 33_554_432, pingMs: 30_000 },
} as const;

/** HTTP/2 of a listener that says nothing of it. */
export const PLAIN_HTTP2: ListenerHttp2Plan = {
  isClearText: false,
  streams: 128,
  streamWindowBytes: 65_536,
  connectionWindowBytes: 1_048_576,
  resets: { burst: 1000, perSecond: 33 },
  continuations: 8,
  controlFrames: { burst: 10_000, perSecond: 1000 },
  ackTimeoutMs: 30_000,
};

/** A route that leaves all of that to its upstream. */
export const PLAIN_ROUTE: RouteResiliencePlan = {
  priority: 4,
  priorityHeader: null,
  timeouts: {},
  retry: {},
  breaker: null,
  fallback: null,
};

/** How an http check is made that says nothing of it. */
export const PLAIN_CHECK = {
  jitter: 0.1,
  port: null,
  slowerThanMs: null,
  initial: 'healthy',
  tls: null,
  protocol: 'h1',
} as const;
export const PLAIN_PROBE = {
  kind: 'http',
  method: 'GET',
  host: null,
  headers: {},
  expect: { statuses: [[200, 399]], body: null },
} as const;

/** A route whose requests all go to any endpoint of its upstream. */
export const WHOLE_UPSTREAM = { record: 0, subset: NO_SUBSET, split: null, ...PLAIN_ROUTE } as const;

export function endpointPlan(host: string, port: number, slot: number): EndpointPlan {
  return {
    name: `${host}:${port}`,
    slot,
    generation: 1,
    target: { kind: 'tcp', host, port },
    weight: 1,
    backup: false,
    level: 0,
    labels: {},
    maxConns: 0,
  };
}

export function upstreamPlan(
  endpoints: readonly EndpointPlan[],
  healthCheck: HealthCheckPlan | null = null,
): UpstreamPlan {
  return {
    name: 'api',
    index: 0,
    record: 0,
    ...PLAIN_PICKING,
    endpoints,
    ...PLAIN_RESILIENCE,
    ...PLAIN_SPEECH,
    proxyProtocol: 'off',
    keepAlive: { idleMs: 60_000, intervalMs: 10_000, probes: 6 },
    pool: { maxIdle: 64, maxConnections: 0, keepAliveIdleMs: 4000 },
    responseLimits: { headBytes: 16384, headers: 100 },
    healthCheck,
  };
}

export function listenerPlan(
  name: string,
  host: string,
  port: number,
  parts: Partial<L7ListenerPlan> = {},
): L7ListenerPlan {
  return {
    name,
    number: 0,
    isLogged: true,
    mode: 'l7',
    frontend: 'uws',
    accept: 'reuseport',
    bind: { kind: 'tcp', host, port },
    proxyProtocol: false,
    deferAcceptMs: 0,
    keepAlive: { idleMs: 60_000, intervalMs: 10_000, probes: 6 },
    timeouts: {
      requestHeadMs: 10_000,
      bodyIdleMs: 30_000,
      keepAliveMs: 75_000,
      tunnelIdleMs: 3_600_000,
      writeStallMs: 60_000,
      prefaceMs: 5_000,
    },
    limits: {
      headBytes: 16384,
      targetBytes: 8192,
      headers: 100,
      bodyBytes: Number.POSITIVE_INFINITY,
      minBodyRate: 0,
      requestsPerConnection: 10_000,
      sessions: 0,
      sessionsPerClient: 0,
      newSessionsPerClient: null,
    },
    trustedProxies: [],
    tls: null,
    http2: PLAIN_HTTP2,
    redirectPort: 0,
    hsts: '',
    explains: false,
    routes: [{ host: '*', path: '/', upstream: 0, ...WHOLE_UPSTREAM, exchangeTimeoutMs: 0 }],
    ...parts,
  };
}

export function sessionListenerPlan(name: string, parts: Partial<L4ListenerPlan> = {}): L4ListenerPlan {
  return {
    name,
    number: 0,
    isLogged: true,
    mode: 'l4',
    accept: 'primary',
    bind: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    relay: 'adaptive',
    halfClose: true,
    deferAcceptMs: 0,
    proxyProtocol: false,
    keepAlive: { idleMs: 60_000, intervalMs: 10_000, probes: 6 },
    timeouts: { sessionIdleMs: 600_000, lingerMs: 60_000, prefaceMs: 5_000 },
    limits: { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: null },
    trustedProxies: [],
    tls: null,
    routes: [{ sni: '*', alpn: [], upstream: 0 }],
    ...parts,
  };
}

export function plan(parts: Partial<Plan> = {}): Plan {
  return {
    epoch: 1,
    workers: 2,
    listeners: [listenerPlan('web', '127.0.0.1', 0)],
    upstreams: [upstreamPlan([endpointPlan('127.0.0.1', 9001, 0)])],
    shutdownTimeoutMs: 30_000,
    admin: null,
    log: { level: 'info' },
    accessLog: null,
    tracing: null,
    ...parts,
  };
}
