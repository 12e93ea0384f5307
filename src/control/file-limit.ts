/** Compares the limit of open files with what the configuration may need at the least. */
import type { Plan } from '../config/plan.js';

/** Files the process has open before any traffic: standard streams, libraries, event loops. */
const BASE_FILES = 64;
/** Each worker: epoll, eventfds, timers, message ports. */
const FILES_PER_WORKER = 16;
/** Clients each worker should at least be able to hold besides its idle upstream connections. */
const CLIENTS_PER_WORKER = 512;

/**
 * Files that this plan needs under load: full connection pools, as many clients, and what the process holds itself.
 * An estimate from below: clients are not limited by the plan.
 */
export function filesNeeded(plan: Plan): number {
  let upstreamConnections = 0;
  for (const upstream of plan.upstreams) {
    const { maxIdle, maxConnections } = upstream.pool;
    const perWorker = maxConnections > 0 ? maxConnections : maxIdle;
    upstreamConnections += upstream.endpoints.length * perWorker;
  }
  const perWorker = FILES_PER_WORKER + plan.listeners.length + upstreamConnections + CLIENTS_PER_WORKER;
  return BASE_FILES + plan.listeners.length + plan.workers * perWorker;
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
