/** Compiles a validated configuration into the plan that the data planes see. */
import { invariant } from '../core/invariant.js';
import type { EndpointAddress } from './address.js';
import { compileAccessLog, compileAdmin, compileTracing } from './compile-observing.js';
import { compilePicking, compileTargets, levelsOf, PickingNumbers, weightOf } from './compile-picking.js';
import {
  compileHealthCheck,
  compileResilience,
  compileRouteResilience,
  ResilienceNumbers,
  routeIdentity,
} from './compile-resilience.js';
import { compileListenerHttp2, compileListenerTls, compileUpstreamHttp2, compileUpstreamTls } from './compile-tls.js';
import { TCP_KEEP_ALIVE_INTERVAL_MS, TCP_KEEP_ALIVE_PROBES } from './defaults.js';
import type {
  BindPlan,
  EndpointPlan,
  KeepAlivePlan,
  L4ListenerPlan,
  L7ListenerPlan,
  Plan,
  SessionRatePlan,
  UpstreamPlan,
} from './plan.js';
import { type PlanRecords, recordIdentity } from './plan-records.js';
import { AUTO_WORKERS, type Config, WORKERS_MAX } from './schema/config.js';
import type { KeepAlive } from './schema/keep-alive.js';
import { type L4Listener, l4RoutesOf } from './schema/l4-listener.js';
import type { L7Listener } from './schema/l7-listener.js';
import type { Listener } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';

/** Gives an endpoint its place on the board; the board keeps the books. */
export type AssignSlot = (
  upstream: { readonly name: string; readonly record: number },
  endpoint: string,
) => { readonly slot: number; readonly generation: number };

/** What a plan needs besides the configuration. */
export interface CompileOptions {
  readonly assignSlot: AssignSlot;
  readonly records: PlanRecords;
  /** Number of this plan, from 1. */
  readonly epoch: number;
  /** What `workers: auto` stands for: Machine.processors. */
  readonly processors: number;
  /** For cookies of affinity without a secret of their own: random, at least 16 characters. */
  readonly affinitySecret: string;
}

/** Compiles a plan: plain data, every default filled in, names resolved to indexes. Fails only as `assignSlot` does. Thread: primary. */
export function compilePlan(config: Config, options: CompileOptions): Plan {
  const names = Object.keys(config.upstreams);
  const indexOf = (name: string): number => {
    const index = names.indexOf(name);
    invariant(index >= 0, `the route's upstream ${name} exists`);
    return index;
  };
  const { records } = options;
  const upstreamRecords = names.map((name) => records.recordOf('upstream', recordIdentity(name)));
  const numbers = new PickingNumbers(config, records);
  const resilience = new ResilienceNumbers(config, records);
  return {
    epoch: options.epoch,
    workers: config.workers === AUTO_WORKERS ? Math.min(options.processors, WORKERS_MAX) : config.workers,
    listeners: config.listeners.map((listener) =>
      listener.mode === 'l7'
        ? compileL7Listener(listener, { numbers, resilience, records, indexOf })
        : compileL4Listener(listener, records, indexOf),
    ),
    upstreams: Object.entries(config.upstreams).map(([name, upstream], index) =>
      compileUpstream({ name, index, record: upstreamRecords[index] ?? 0 }, upstream, {
        ...options,
        numbers,
        resilience,
        zone: config.zone,
      }),
    ),
    shutdownTimeoutMs: config.shutdownTimeout,
    admin: compileAdmin(config.admin),
    log: { level: config.log.level },
    accessLog: compileAccessLog(config.accessLog),
    tracing: compileTracing(config.tracing),
  };
}

/** Index of an upstream by its name; the checks have seen to it that there is one. */
type IndexOf = (upstream: string) => number;

/** What routes are compiled with. */
interface RouteParts {
  readonly numbers: PickingNumbers;
  readonly resilience: ResilienceNumbers;
  readonly records: PlanRecords;
  readonly indexOf: IndexOf;
}

function compileL7Listener(listener: L7Listener, parts: RouteParts): L7ListenerPlan {
  const { numbers, resilience, records, indexOf } = parts;
  const { timeouts, limits } = listener;
  return {
    name: listener.name,
    number: records.recordOf('listener', recordIdentity(listener.name, listener.mode, listener.frontend)),
    isLogged: listener.accessLog,
    mode: listener.mode,
    frontend: listener.frontend,
    accept: listener.accept,
    bind: compileBind(listener),
    proxyProtocol: listener.proxyProtocol,
    deferAcceptMs: listener.deferAccept,
    trustedProxies: [...listener.trustedProxies],
    tls: compileListenerTls(listener.tls, listener.frontend),
    http2: compileListenerHttp2(listener.http2),
    redirectPort: listener.redirectToHttps,
    // Browsers are to ignore it without TLS (RFC 6797 section 7.2).
    hsts: listener.tls === 'off' ? '' : listener.hsts,
    explains: listener.explain !== 'off',
    keepAlive: compileKeepAlive(listener.keepAlive),
    timeouts: {
      requestHeadMs: timeouts.requestHead,
      bodyIdleMs: timeouts.bodyIdle,
      keepAliveMs: timeouts.keepAlive,
      tunnelIdleMs: timeouts.tunnelIdle,
      writeStallMs: timeouts.writeStall,
      prefaceMs: timeouts.preface,
    },
    limits: {
      headBytes: limits.headBytes,
      // The default may be above a small headBytes; a line that was written is not.
      targetBytes: Math.min(limits.targetBytes, limits.headBytes),
      headers: limits.headers,
      bodyBytes: limits.bodyBytes,
      minBodyRate: limits.minBodyRate,
      requestsPerConnection: limits.requestsPerConnection,
      sessions: limits.connections,
      sessionsPerClient: limits.connectionsPerClient,
      newSessionsPerClient: compileRate(limits.newConnectionsPerClient),
    },
    routes: (listener.routes ?? []).map((route) => ({
      record: records.recordOf('route', routeIdentity(listener.name, route)),
      host: route.match.host,
      path: route.match.path,
      ...compileTargets(route, numbers),
      ...compileRouteResilience(route, resilience, indexOf),
      exchangeTimeoutMs: route.timeouts.exchange,
    })),
  };
}

function compileL4Listener(listener: L4Listener, records: PlanRecords, indexOf: IndexOf): L4ListenerPlan {
  const { timeouts, limits } = listener;
  return {
    name: listener.name,
    number: records.recordOf('listener', recordIdentity(listener.name, listener.mode)),
    isLogged: listener.accessLog,
    mode: listener.mode,
    accept: listener.accept,
    bind: compileBind(listener),
    relay: listener.relay,
    halfClose: listener.halfClose,
    deferAcceptMs: listener.deferAccept,
    proxyProtocol: listener.proxyProtocol,
    trustedProxies: [...listener.trustedProxies],
    tls: compileListenerTls(listener.tls, 'l4'),
    keepAlive: compileKeepAlive(listener.keepAlive),
    timeouts: {
      sessionIdleMs: timeouts.sessionIdle,
      lingerMs: timeouts.linger,
      prefaceMs: timeouts.preface,
    },
    limits: {
      sessions: limits.sessions,
      sessionsPerClient: limits.sessionsPerClient,
      newSessionsPerClient: compileRate(limits.newSessionsPerClient),
    },
    routes: l4RoutesOf(listener).map(({ match, upstream }) => ({
      sni: match.sni,
      alpn: [...match.alpn],
      upstream: indexOf(upstream),
    })),
  };
}

function compileBind({ bind, socketMode }: Pick<Listener, 'bind' | 'socketMode'>): BindPlan {
  return bind.kind === 'unix'
    ? { kind: 'unix', path: bind.path, mode: socketMode }
    : { kind: 'tcp', host: bind.host, port: bind.port };
}

function compileRate(rate: L4Listener['limits']['newSessionsPerClient']): SessionRatePlan | null {
  return rate === 'unlimited' ? null : { ...rate };
}

function compileKeepAlive(keepAlive: KeepAlive): KeepAlivePlan {
  if (keepAlive === 'off') return { idleMs: 0, intervalMs: TCP_KEEP_ALIVE_INTERVAL_MS, probes: TCP_KEEP_ALIVE_PROBES };
  return { idleMs: keepAlive.idle, intervalMs: keepAlive.interval, probes: keepAlive.probes };
}

/** What upstreams are compiled with. */
interface UpstreamParts extends CompileOptions {
  readonly numbers: PickingNumbers;
  readonly resilience: ResilienceNumbers;
  readonly zone: string | undefined;
}

function compileUpstream(
  place: Pick<UpstreamPlan, 'name' | 'index' | 'record'>,
  upstream: Upstream,
  parts: UpstreamParts,
): UpstreamPlan {
  const { name } = place;
  const { pool } = upstream;
  const levels = levelsOf(upstream, parts.zone);
  return {
    ...place,
    ...compilePicking(name, upstream, parts.numbers, parts.affinitySecret),
    endpoints: upstream.endpoints.map(
      (endpoint, position): EndpointPlan => ({
        name: endpoint.address.text,
        ...parts.assignSlot(place, endpoint.address.text),
        target: targetOf(endpoint.address),
        weight: weightOf(upstream, endpoint),
        backup: endpoint.backup,
        level: levels[position] ?? 0,
        labels: { ...endpoint.labels },
        maxConns: endpoint.maxConns,
      }),
    ),
    ...compileResilience(name, upstream, parts.resilience),
    pool: { maxIdle: pool.maxIdle, maxConnections: pool.maxConnections, keepAliveIdleMs: pool.keepAliveIdle },
    responseLimits: { ...upstream.responseLimits },
    tls: compileUpstreamTls(upstream.tls),
    protocol: upstream.protocol,
    http2: compileUpstreamHttp2(upstream.http2),
    proxyProtocol: upstream.proxyProtocol,
    keepAlive: compileKeepAlive(upstream.keepAlive),
    healthCheck: compileHealthCheck(upstream),
  };
}

function targetOf(address: EndpointAddress): EndpointPlan['target'] {
  return address.kind === 'unix'
    ? { kind: 'unix', path: address.path }
    : { kind: 'tcp', host: address.host, port: address.port };
}
