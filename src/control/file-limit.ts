/** Compares the limit of open files with what the configuration may need at the least, and shares it out among sessions. */
import type { Plan } from '../config/plan.js';
import { MAX_SESSIONS } from '../engine/session-engine.js';

/** Files the process has open before any traffic: standard streams, libraries, event loops. */
const BASE_FILES = 64;
/** Each worker: epoll, eventfds, timers, message ports. */
const FILES_PER_WORKER = 16;
/** Clients each worker should at least be able to hold besides its idle upstream connections. */
const CLIENTS_PER_WORKER = 512;
/** A session has its client's socket and its endpoint's. */
const FILES_PER_SESSION = 2;
/**
 * Share of the descriptors kept back from sessions, for pipes of those that splice, upstream connections of L7, logs, name resolution
 * and health checks; within these bounds.
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
    const perWorker = maxConnections > 0 ? maxConnections : maxIdle;
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

/**
 * Most sessions that may be open at a time in all workers together, so that each one accepted finds a descriptor for its endpoint's
 * socket. Who accepts without such a bound until there are no descriptors left has accepted sessions that can only fail; so has who
 * accepts more than the engines of the workers have numbers for.
 *
 * @param softLimit of open files
 */
export function maxSessionsOf({ workers }: Pick<Plan, 'workers'>, softLimit: number): number {
  const reserved = Math.min(
    Math.max(Math.floor(softLimit * RESERVED_SHARE), LEAST_RESERVED_FILES),
    MOST_RESERVED_FILES,
  );
  const free = softLimit - reserved - BASE_FILES - workers * FILES_PER_WORKER;
  return Math.min(Math.max(1, Math.floor(free / FILES_PER_SESSION)), workers * MAX_SESSIONS);
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
