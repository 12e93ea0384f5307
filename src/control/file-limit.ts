/** Compares the limit of open files with what the configuration may need at the least, and shares it out among sessions and client connections. */
import type { ListenerPlan, Plan } from '../config/plan.js';
import { MAX_SESSIONS } from '../engine/session-engine.js';

/** Files the process has open before any traffic: standard streams, libraries, event loops. */
const BASE_FILES = 64;
/** Each worker: epoll, eventfds, timers, message ports. */
const FILES_PER_WORKER = 16;
/** Clients each worker should at least be able to hold besides its idle upstream connections. */
const CLIENTS_PER_WORKER = 512;
/** A session has its client's socket and its endpoint's. */
const FILES_PER_SESSION = 2;
/** Idle connections to an endpoint that a worker is counted with at most: `pool.maxIdle` bounds bursts, and 4 s later they are gone. */
const IDLE_PER_ENDPOINT = 256;
/**
 * Share of what client connections of L7 may have that is left to upstream connections. A client connection has one descriptor of its
 * own; its exchanges use upstream connections, which come from pools that all clients of a worker share, and most clients are idle
 * between two requests. An exchange that finds no descriptor waits for a pooled connection until the connect timeout, so too small a
 * share costs time where every client asks at once; too large a one would refuse clients that ask for nothing. nginx shares
 * `worker_connections` between both in the same way, without a border.
 */
const UPSTREAM_SHARE = 1 / 4;
/**
 * Share of the descriptors kept back, for pipes of sessions that splice, upstream connections of uWebSockets.js's clients, logs, name
 * resolution and health checks; within these bounds.
 */
const RESERVED_SHARE = 1 / 16;
const LEAST_RESERVED_FILES = 16;
const MOST_RESERVED_FILES = 1024;

/**
 * Files that this plan needs under load: full connection pools, as many clients, and what the process holds itself.
 * An estimate from below: clients are not limited by the plan.
 */
export function filesNeeded(plan: Plan): number {
  let upstreamConnections = 0;
  for (const upstream of plan.upstreams) {
    if (!isForExchanges(plan, upstream.index)) continue;
    const { maxIdle, maxConnections } = upstream.pool;
    const perWorker = maxConnections > 0 ? maxConnections : Math.min(maxIdle, IDLE_PER_ENDPOINT);
    upstreamConnections += upstream.endpoints.length * perWorker;
  }
  const filesPerClient = plan.listeners.some(({ mode }) => mode === 'l4') ? FILES_PER_SESSION : 1;
  const filesOfClients = filesPerClient * CLIENTS_PER_WORKER;
  const perWorker = FILES_PER_WORKER + plan.listeners.length + upstreamConnections + filesOfClients;
  return BASE_FILES + plan.listeners.length + plan.workers * perWorker;
}

/** Does an L7 route lead there? Sessions keep no connection pools. */
function isForExchanges({ listeners }: Plan, upstream: number): boolean {
  return listeners.some(({ mode, routes }) => mode === 'l7' && routes.some((route) => route.upstream === upstream));
}

/** Most that may be open at a time in all workers together. */
export interface OpenLimits {
  readonly sessions: number;
  /** Client connections of listeners with the native front end. */
  readonly connections: number;
}

/**
 * How many sessions and client connections may be accepted, so that each one finds a descriptor for what it needs later: its endpoint's
 * socket, or an upstream connection. Who accepts without such a bound until there are no descriptors left has accepted what can only
 * fail; so has who accepts more than the engines of the workers have numbers for. Where a plan has both, each gets half: two acceptors
 * count for themselves, and neither may starve the other. uWebSockets.js accepts without a bound and stops at a shortage.
 *
 * @param softLimit of open files
 */
export function openLimitsOf(
  { workers, listeners }: Pick<Plan, 'workers' | 'listeners'>,
  softLimit: number,
): OpenLimits {
  const reserved = Math.min(
    Math.max(Math.floor(softLimit * RESERVED_SHARE), LEAST_RESERVED_FILES),
    MOST_RESERVED_FILES,
  );
  const free = softLimit - reserved - BASE_FILES - workers * FILES_PER_WORKER;
  const hasBoth = listeners.some(({ mode }) => mode === 'l4') && listeners.some(isNative);
  const each = hasBoth ? free / 2 : free;
  const most = (count: number): number => Math.min(Math.max(1, Math.floor(count)), workers * MAX_SESSIONS);
  return { sessions: most(each / FILES_PER_SESSION), connections: most(each * (1 - UPSTREAM_SHARE)) };
}

function isNative(listener: ListenerPlan): boolean {
  return listener.mode === 'l7' && listener.frontend === 'native';
}

/** The warning for a limit that is too low; undefined when it is enough. */
export function fileLimitWarning(
  plan: Plan,
  limit: { readonly soft: number; readonly hard: number },
): string | undefined {
  const needed = filesNeeded(plan);
  if (limit.soft >= needed) return undefined;
  return `the limit of open files is ${limit.soft}, but this configuration may need ${needed}: raise it (ulimit -n, LimitNOFILE in systemd), or clients are refused under load`;
}
