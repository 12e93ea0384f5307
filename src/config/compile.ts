/** Compiles a validated configuration into the plan that the data planes see. */
import { invariant } from '../core/invariant.js';
import type { EndpointAddress } from './address.js';
import type { EndpointPlan, HealthCheckPlan, ListenerPlan, Plan, UpstreamPlan } from './plan.js';
import { AUTO_WORKERS, type Config, WORKERS_MAX } from './schema/config.js';
import type { Listener } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';

/** Gives an endpoint its place on the board; the board keeps the books. */
export type AssignSlot = (upstream: string, endpoint: string) => { readonly slot: number; readonly generation: number };

/** What a plan needs besides the configuration. */
export interface CompileOptions {
  readonly assignSlot: AssignSlot;
  /** Number of this plan, from 1. */
  readonly epoch: number;
  /** What `workers: auto` stands for: Machine.processors. */
  readonly processors: number;
}

/** Compiles a plan: plain data, every default filled in, names resolved to indexes. Fails only as `assignSlot` does. Thread: primary. */
export function compilePlan(config: Config, options: CompileOptions): Plan {
  const indexes = new Map(Object.keys(config.upstreams).map((name, index) => [name, index]));
  return {
    epoch: options.epoch,
    workers: config.workers === AUTO_WORKERS ? Math.min(options.processors, WORKERS_MAX) : config.workers,
    listeners: config.listeners.map((listener) => compileListener(listener, indexes)),
    upstreams: Object.entries(config.upstreams).map(([name, upstream], index) =>
      compileUpstream(name, index, upstream, options.assignSlot),
    ),
    shutdownTimeoutMs: config.shutdownTimeout,
    admin: config.admin === 'off' ? null : { ...config.admin.bind },
    log: { level: config.log.level, accessLog: null },
  };
}

function compileListener(listener: Listener, upstreamIndexes: ReadonlyMap<string, number>): ListenerPlan {
  const { timeouts, limits } = listener;
  return {
    name: listener.name,
    mode: listener.mode,
    frontend: listener.frontend,
    accept: listener.accept,
    host: listener.bind.host,
    port: listener.bind.port,
    timeouts: {
      requestHeadMs: timeouts.requestHead,
      bodyIdleMs: timeouts.bodyIdle,
      keepAliveMs: timeouts.keepAlive,
      tunnelIdleMs: timeouts.tunnelIdle,
    },
    limits: { ...limits },
    trustedProxies: [...listener.trustedProxies],
    routes: listener.routes.map((route) => {
      const upstream = upstreamIndexes.get(route.upstream);
      invariant(upstream !== undefined, `the route's upstream ${route.upstream} exists`);
      return { host: route.match.host, path: route.match.path, upstream, exchangeTimeoutMs: route.timeouts.exchange };
    }),
  };
}

function compileUpstream(name: string, index: number, upstream: Upstream, assignSlot: AssignSlot): UpstreamPlan {
  const { timeouts, pool } = upstream;
  return {
    name,
    index,
    balance: upstream.balance,
    endpoints: upstream.endpoints.map(
      (endpoint): EndpointPlan => ({
        name: endpoint.address.text,
        ...assignSlot(name, endpoint.address.text),
        target: targetOf(endpoint.address),
        weight: endpoint.weight,
        backup: endpoint.backup,
        maxConns: endpoint.maxConns,
      }),
    ),
    timeouts: { connectMs: timeouts.connect, firstByteMs: timeouts.firstByte, idleMs: timeouts.idle },
    retry: { attempts: upstream.retry.attempts },
    pool: { maxIdle: pool.maxIdle, maxConnections: pool.maxConnections, keepAliveIdleMs: pool.keepAliveIdle },
    responseLimits: { ...upstream.responseLimits },
    healthCheck: compileHealthCheck(upstream.healthCheck),
  };
}

function targetOf(address: EndpointAddress): EndpointPlan['target'] {
  return address.kind === 'unix'
    ? { kind: 'unix', path: address.path }
    : { kind: 'tcp', host: address.host, port: address.port };
}

function compileHealthCheck(check: Upstream['healthCheck']): HealthCheckPlan | null {
  if (check === 'off') return null;
  const thresholds = {
    intervalMs: check.interval,
    timeoutMs: check.timeout,
    healthyAfter: check.healthyAfter,
    unhealthyAfter: check.unhealthyAfter,
  };
  if (check.kind === 'tcp') return { ...thresholds, kind: 'tcp' };
  invariant(check.path !== undefined, 'an http check has a path');
  return { ...thresholds, kind: 'http', path: check.path };
}
