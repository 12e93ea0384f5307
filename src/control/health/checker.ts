/** Active health checks: probes every endpoint of every upstream that asks for it, and publishes the judge's verdicts. */
import type { EndpointPlan, HealthCheckPlan, UpstreamPlan } from '../../config/plan.js';
import type { Cancel, Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import { INITIAL_JUDGEMENT, type Judgement, judge } from './judge.js';
import type { Probe } from './probe.js';

/** What the checker needs from outside. */
export interface HealthCheckerOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly probe: Probe;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  /** Addresses known now; empty: the name is not resolved, and there is nothing to probe. */
  readonly addressesOf: (slot: number) => readonly string[];
  /** Called once for each change of a verdict. */
  readonly publish: (endpoint: EndpointPlan, isHealthy: boolean) => void;
  readonly logger: Logger;
}

/** Each pause differs from the interval by up to this part, so that probes of many endpoints and proxies spread out. */
const JITTER = 0.1;

/** Runs until `close`. Thread: primary. */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #cancels = new Map<number, Cancel>();
  #isClosed = false;

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
  }

  /** Schedules the first probe of each endpoint at a random point of its first interval. */
  start(): void {
    for (const upstream of this.#options.upstreams) {
      const check = upstream.healthCheck;
      if (check === null) continue;
      for (const endpoint of upstream.endpoints) {
        this.#schedule(upstream, endpoint, check, INITIAL_JUDGEMENT, this.#options.rng() * check.intervalMs);
      }
    }
  }

  /** Stops probing; a probe under way has no effect any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #schedule(
    upstream: UpstreamPlan,
    endpoint: EndpointPlan,
    check: HealthCheckPlan,
    judgement: Judgement,
    ms: number,
  ): void {
    const cancel = this.#options.timers.after(ms, () => void this.#round(upstream, endpoint, check, judgement));
    this.#cancels.set(endpoint.slot, cancel);
  }

  async #round(
    upstream: UpstreamPlan,
    endpoint: EndpointPlan,
    check: HealthCheckPlan,
    before: Judgement,
  ): Promise<void> {
    const { rng, addressesOf, probe, publish, logger } = this.#options;
    const addresses = addressesOf(endpoint.slot);
    let after = before;
    if (addresses.length > 0) {
      const result = await probe(endpoint, addresses, check);
      if (this.#isClosed) return;
      after = judge(before, result.succeeded, check);
      if (after.verdict !== before.verdict) {
        const facts = { upstream: upstream.name, endpoint: endpoint.name };
        publish(endpoint, result.succeeded);
        if (result.succeeded) {
          logger.info(
            { event: 'endpoint-healthy', ...facts },
            `endpoint ${endpoint.name} of ${upstream.name} is healthy again`,
          );
        } else {
          logger.warn(
            { event: 'endpoint-unhealthy', ...facts, reason: result.reason },
            `endpoint ${endpoint.name} of ${upstream.name} is unhealthy: ${result.reason}`,
          );
        }
      }
    }
    const pauseMs = check.intervalMs * (1 + JITTER * (2 * rng() - 1));
    this.#schedule(upstream, endpoint, check, after, pauseMs);
  }
}
