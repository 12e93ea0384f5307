/** Compiles what happens when endpoints fail, are slow or are full. */
import * as defaults from './defaults.js';
import { QUEUE_LENGTH } from './defaults.js';
import type { ResiliencePlan, RouteResiliencePlan } from './resilience-plan.js';
import type { Config } from './schema/config.js';
import type { Upstream } from './schema/upstream.js';

/** What is numbered over all upstreams and routes: places in queues, and breakers. Pure. */
export class ResilienceNumbers {
  readonly queueEntries: number;
  readonly routeBreakers: number;
  readonly #firstEntries = new Map<string, number>();

  constructor(config: Config) {
    let entries = 0;
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      this.#firstEntries.set(name, entries);
      entries += queueLengthOf(upstream);
    }
    this.queueEntries = entries;
    this.routeBreakers = 0;
  }

  firstEntryOf(name: string): number {
    return this.#firstEntries.get(name) ?? 0;
  }
}

/** 0: nothing can wait there, since no endpoint can have a cap. */
function queueLengthOf(upstream: Upstream): number {
  return upstream.endpoints.some(({ maxConns }) => maxConns > 0) ? QUEUE_LENGTH : 0;
}

/** TEMPORARY: defaults only, until the schema has the keys. */
export function compileResilience(upstream: Upstream, firstEntry: number): ResiliencePlan {
  const { timeouts, retry } = upstream;
  const length = queueLengthOf(upstream);
  return {
    timeouts: {
      connectMs: timeouts.connect,
      firstByteMs: timeouts.firstByte,
      idleMs: timeouts.idle,
      attemptMs: defaults.ATTEMPT_TIMEOUT_MS,
      queueMs: defaults.QUEUE_TIMEOUT_MS,
    },
    retry: {
      attempts: retry.attempts,
      connectAttempts: retry.connectAttempts,
      on: [...defaults.RETRY_ON],
      statuses: [],
      nonIdempotent: false,
      bodyBytes: defaults.RETRY_BODY_BYTES,
      backoff: { baseMs: defaults.RETRY_BACKOFF_MS, mostMs: defaults.RETRY_BACKOFF_MOST_MS },
      mostRetryAfterMs: defaults.RETRY_MOST_RETRY_AFTER_MS,
      budget: { share: defaults.RETRY_BUDGET_SHARE, perSecond: defaults.RETRY_BUDGET_PER_SECOND },
    },
    hedge: null,
    queue: length > 0 ? { length, firstEntry } : null,
    concurrency: null,
    outlier: null,
    breaker: null,
  };
}

/** TEMPORARY, as above. */
export const PLAIN_ROUTE: RouteResiliencePlan = {
  priority: defaults.ROUTE_PRIORITY,
  priorityHeader: null,
  timeouts: {},
  retry: {},
  breaker: null,
  fallback: null,
};
