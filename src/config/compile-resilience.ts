/** Compiles what happens when endpoints fail, are slow or are full, and numbers what that needs on the board. */
import { invariant } from '../core/invariant.js';
import { compileUpstreamTls } from './compile-tls.js';
import { HEDGE_LEAST_MS } from './defaults.js';
import type { HealthCheckPlan } from './plan.js';
import { type PlanRecords, recordIdentity } from './plan-records.js';
import {
  type BreakerPlan,
  type FallbackPlan,
  type HedgePlan,
  NO_FALLBACK,
  type OutlierPlan,
  type ProbeTlsPlan,
  type QueuePlan,
  type ResiliencePlan,
  type RetryCondition,
  type RetryPlan,
  type RouteResiliencePlan,
} from './resilience-plan.js';
import type { Config } from './schema/config.js';
import type { Route } from './schema/l7-route.js';
import { upstreamsOf } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';
import type { UpstreamTlsPlan } from './tls-plan.js';

/** What is numbered over all upstreams and routes: places in queues, and breakers of routes. Pure but for the records that it takes. */
export class ResilienceNumbers {
  readonly #queues: ReadonlyMap<string, QueuePlan>;
  readonly #requested: ReadonlySet<string>;
  readonly #breakers: ReadonlyMap<Route, number>;

  constructor(config: Config, records: PlanRecords) {
    this.#requested = new Set(
      config.listeners.flatMap((listener) => (listener.mode === 'l7' ? upstreamsOf(listener) : [])),
    );
    this.#queues = new Map(
      Object.entries(config.upstreams).flatMap(([name, upstream]) => {
        const length = queueLengthOf(upstream, this.hasRequests(name));
        if (length === 0) return [];
        // Another length is another queue: what waits in the former one leaves it in its own time.
        const identity = recordIdentity(name, String(length));
        const record = records.recordOf('queue', identity);
        return [[name, { length, record, firstEntry: records.recordOf('queue entry', identity, length) }]];
      }),
    );
    const breakers = new Map<Route, number>();
    for (const listener of config.listeners) {
      for (const route of listener.mode === 'l7' ? (listener.routes ?? []) : []) {
        if (route.breaker === 'off') continue;
        breakers.set(route, records.recordOf('route breaker', routeIdentity(listener.name, route)));
      }
    }
    this.#breakers = breakers;
  }

  /** null: nothing can wait for an endpoint of the upstream. */
  queueOf(name: string): QueuePlan | null {
    return this.#queues.get(name) ?? null;
  }

  /** Does any listener send requests to the upstream? The time in which a session connects says nothing of what its endpoint bears. */
  hasRequests(name: string): boolean {
    return this.#requested.has(name);
  }

  /** Record of a route with a breaker. */
  breakerOf(route: Route): number {
    const record = this.#breakers.get(route);
    invariant(record !== undefined, 'a route with a breaker has a record');
    return record;
  }
}

/** Who a route is in every configuration. */
export function routeIdentity(listener: string, { match }: Pick<Route, 'match'>): string {
  return recordIdentity(listener, match.host, match.path);
}

/** 0: nothing can wait there, since no endpoint can have a cap. */
function queueLengthOf(upstream: Upstream, hasRequests: boolean): number {
  const { queue } = upstream;
  return queue === 'off' || !canBeFull(upstream, hasRequests) ? 0 : queue.length;
}

/** Can an endpoint of the upstream have a cap? Pure. @param hasRequests not only sessions lead there, for which no cap adapts */
export function canBeFull({ endpoints, concurrency, weights }: Upstream, hasRequests: boolean): boolean {
  const hasAgent = typeof weights !== 'string' && weights.agent !== undefined; // which may say maxconn
  return hasAgent || (concurrency !== 'off' && hasRequests) || endpoints.some(({ maxConns }) => maxConns > 0);
}

/** What an upstream bears. */
export function compileResilience(name: string, upstream: Upstream, numbers: ResilienceNumbers): ResiliencePlan {
  const { timeouts, concurrency } = upstream;
  const hasRequests = numbers.hasRequests(name);
  return {
    timeouts: {
      connectMs: timeouts.connect,
      firstByteMs: timeouts.firstByte,
      idleMs: timeouts.idle,
      attemptMs: timeouts.attempt,
      queueMs: timeouts.queue,
    },
    retry: compileRetry(upstream.retry),
    hedge: compileHedge(upstream.hedge),
    queue: numbers.queueOf(name),
    concurrency:
      concurrency === 'off' || !hasRequests
        ? null
        : { least: concurrency.min, most: concurrency.max, initial: concurrency.initial ?? concurrency.min },
    outlier: compileOutlier(upstream.outlier),
    breaker: compileBreaker(upstream.breaker),
  };
}

/** What a route says of it. @param indexOf an upstream's index by its name */
export function compileRouteResilience(
  route: Route,
  numbers: ResilienceNumbers,
  indexOf: (upstream: string) => number,
): RouteResiliencePlan {
  const { timeouts, retry, hedge } = route;
  const breaker = compileBreaker(route.breaker);
  return {
    priority: route.priority,
    priorityHeader: route.priorityHeader ?? null,
    timeouts: withoutUndefined({
      connectMs: timeouts.connect,
      firstByteMs: timeouts.firstByte,
      idleMs: timeouts.idle,
      attemptMs: timeouts.attempt,
      queueMs: timeouts.queue,
    }),
    retry: withoutUndefined({
      attempts: retry.attempts,
      on: retry.on === undefined ? undefined : compileConditions(retry.on),
      statuses: retry.statuses === undefined ? undefined : compileStatuses(retry.statuses),
      nonIdempotent: retry.nonIdempotent,
    }),
    ...(hedge === undefined ? {} : { hedge: compileHedge(hedge) }),
    breaker: breaker === null ? null : { ...breaker, record: numbers.breakerOf(route) },
    fallback: compileFallback(route.fallback, indexOf),
  };
}

/** The checks of an upstream. */
export function compileHealthCheck({ healthCheck: check, tls, protocol }: Upstream): HealthCheckPlan | null {
  if (check === 'off') return null;
  const common = {
    intervalMs: check.interval,
    unhealthyIntervalMs: check.unhealthyInterval ?? check.interval,
    timeoutMs: check.timeout,
    healthyAfter: check.healthyAfter,
    unhealthyAfter: check.unhealthyAfter,
    jitter: check.jitter,
    port: check.port ?? null,
    slowerThanMs: check.slowerThan === 0 ? null : check.slowerThan,
    initial: check.initial,
    tls: check.tls === 'off' ? null : probeTls(compileUpstreamTls(tls)),
    protocol,
  };
  if (check.kind === 'tcp') return { ...common, kind: 'tcp' };
  const host = check.host ?? null;
  const headers = lowerCased(check.headers);
  if (check.kind === 'grpc') return { ...common, kind: 'grpc', service: check.service, host, headers };
  return {
    ...common,
    kind: 'http',
    method: check.method,
    path: check.path ?? '/', // the checks have seen to it that there is one
    host,
    headers,
    expect: { statuses: check.expect.statuses.map((range) => [...range] as const), body: check.expect.body ?? null },
  };
}

/** A context's number differs from plan to plan, and a check that is the same must look so. */
function probeTls(tls: UpstreamTlsPlan | null): ProbeTlsPlan | null {
  if (tls === null) return null;
  const { context: _, resumes: __, ...rest } = tls;
  return rest;
}

function compileRetry(retry: Upstream['retry']): RetryPlan {
  return {
    attempts: retry.attempts,
    connectAttempts: retry.connectAttempts,
    on: compileConditions(retry.on),
    statuses: compileStatuses(retry.statuses),
    nonIdempotent: retry.nonIdempotent,
    bodyBytes: retry.bodyBytes,
    backoff: { baseMs: retry.backoff.base, mostMs: retry.backoff.max },
    mostRetryAfterMs: retry.maxRetryAfter,
    budget: retry.budget === 'off' ? null : { ...retry.budget },
  };
}

function compileConditions(on: readonly RetryCondition[]): RetryCondition[] {
  return [...new Set(on)];
}

function compileStatuses(statuses: readonly number[]): number[] {
  return [...new Set(statuses)].sort((one, other) => one - other);
}

function compileHedge(hedge: Upstream['hedge']): HedgePlan | null {
  if (hedge === 'off') return null;
  return hedge.after === undefined
    ? { kind: 'quantile', quantile: hedge.quantile ?? 0, leastMs: HEDGE_LEAST_MS } // one of the two is there
    : { kind: 'delay', afterMs: hedge.after };
}

function compileOutlier(outlier: Upstream['outlier']): OutlierPlan | null {
  if (outlier === 'off') return null;
  const { failureRatio, successRate, latency } = outlier;
  return {
    failuresInRow: outlier.failures,
    gatewayFailuresInRow: outlier.gatewayFailures,
    failureRatio:
      failureRatio === 'off' ? null : { above: failureRatio.above, leastRequests: failureRatio.minRequests },
    successRate:
      successRate === 'off'
        ? null
        : {
            deviations: successRate.deviations,
            leastRequests: successRate.minRequests,
            leastEndpoints: successRate.minEndpoints,
          },
    latency:
      latency === 'off'
        ? null
        : { factor: latency.factor, leastRequests: latency.minRequests, leastEndpoints: latency.minEndpoints },
    intervalMs: outlier.interval,
    ejectionMs: outlier.ejectionTime,
    mostEjectionMs: outlier.maxEjectionTime,
    mostEjected: outlier.maxEjected,
    trials: outlier.trials,
  };
}

function compileBreaker(breaker: Upstream['breaker']): BreakerPlan | null {
  if (breaker === 'off') return null;
  const { latency } = breaker;
  return {
    errorRatio: breaker.errorRatio,
    leastRequests: breaker.minRequests,
    windowMs: breaker.window,
    failuresInRow: breaker.failures,
    latency: latency === 'off' ? null : { quantile: latency.quantile, aboveMs: latency.above },
    openMs: breaker.openTime,
    mostOpenMs: breaker.maxOpenTime,
    probes: breaker.probes,
  };
}

function compileFallback(fallback: Route['fallback'], indexOf: (upstream: string) => number): FallbackPlan | null {
  if (fallback === 'off') return null;
  const { upstream, response } = fallback;
  return {
    upstream: upstream === undefined ? NO_FALLBACK : indexOf(upstream),
    response: response === undefined ? null : { ...response, headers: lowerCased(response.headers) },
  };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** What is absent must not stand in the plan as undefined: it is spread over what the upstream says. */
function withoutUndefined<T extends object>(values: { [Key in keyof T]: T[Key] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>; // of T's
}
