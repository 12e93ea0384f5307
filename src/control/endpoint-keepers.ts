/** All that the primary does for the endpoints while traffic flows: checks, weights, caps, ejections, and what the operator wants. */
import type { Board } from '../board/board.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { Timers } from '../core/timers.js';
import { EndpointHealthLog } from '../observability/health-log.js';
import type { Logger } from '../observability/logger.js';
import { AdaptiveCaps } from './adaptive-caps.js';
import type { EndpointFacts } from './admin/endpoint-view.js';
import { BlockageWatch } from './blockage.js';
import type { Drain } from './drains.js';
import { EndpointOperator } from './endpoint-operator.js';
import { type CheckRecord, HealthChecker } from './health/checker.js';
import { probe } from './health/probe.js';
import { Outliers } from './outliers.js';
import { PanicWatch } from './panic-watch.js';
import { ReturnWatch } from './return-watch.js';
import { settleSwitchedOff } from './switched-off.js';
import { askAgent } from './weights/agent-question.js';
import { WeightKeeper } from './weights/weight-keeper.js';

/** What the keepers need from outside. */
export interface EndpointKeepersOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: Board;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  readonly logger: Logger;
  /** Addresses known now, as the engine takes them; empty: not resolved. */
  readonly addressesOf: (slot: number) => readonly string[];
  /** Tells all workers to end what is in flight on an endpoint. */
  readonly cut: (endpoint: EndpointPlan) => void;
}

/** Nothing on a request's path waits for any of them. Thread: primary. */
export class EndpointKeepers implements EndpointFacts {
  readonly checker: HealthChecker;
  readonly weights: WeightKeeper;
  readonly panicWatch: PanicWatch;
  readonly operator: EndpointOperator;
  readonly #options: EndpointKeepersOptions;
  readonly #blockage: BlockageWatch;
  readonly #outliers: Outliers;
  readonly #returnWatch: ReturnWatch;
  readonly #adaptiveCaps: AdaptiveCaps;

  constructor(options: EndpointKeepersOptions) {
    const { board } = options;
    this.#options = options;
    this.#blockage = new BlockageWatch(options);
    this.#outliers = new Outliers({
      ...options,
      eventsFor: (upstream) => new EndpointHealthLog(upstream, options.logger),
    });
    this.checker = new HealthChecker({
      ...options,
      probe: this.#blockage.repeating(probe, ({ succeeded }) => succeeded),
      holdBack: ({ slot }) => board.control.setUnknown(slot),
      publish: ({ slot }, isHealthy) => board.control.setHealthy(slot, isHealthy),
      succeeded: (...good) => this.#outliers.checked(...good),
    });
    this.weights = new WeightKeeper({ ...options, ask: this.#blockage.repeating(askAgent, ({ ok }) => ok) });
    this.panicWatch = new PanicWatch(options);
    this.operator = new EndpointOperator(options);
    this.#adaptiveCaps = new AdaptiveCaps(options);
    this.#returnWatch = new ReturnWatch({
      ...options,
      left: (slot) => this.weights.ejected(slot),
      returned: (slot) => this.weights.returned(slot),
    });
  }

  /** Begins; after the names, whose endpoints are there from the start, and before the workers, who must meet no endpoint unchecked. */
  start(): void {
    this.#blockage.start();
    this.weights.start();
    this.checker.start();
    this.panicWatch.start();
    this.#outliers.start();
    this.#returnWatch.start();
    this.#adaptiveCaps.start();
  }

  /**
   * Takes the upstreams of another plan, before workers go by it. What is known of endpoints that stay is kept.
   *
   * @param joined slots whose endpoints were not in the plan before
   */
  replace(upstreams: readonly UpstreamPlan[], joined: readonly number[]): void {
    settleSwitchedOff(upstreams, this.#options);
    this.checker.replace(upstreams, joined);
    this.weights.replace(upstreams, joined);
    this.#outliers.replace(upstreams);
    this.#returnWatch.replace(upstreams);
    this.#adaptiveCaps.replace(upstreams);
    this.operator.replace(upstreams);
    this.panicWatch.replace(upstreams);
  }

  /** The process drains: endpoints stay as they are. Idempotent. */
  rest(): void {
    this.checker.close();
    this.weights.close();
    this.#outliers.close();
    this.#returnWatch.close();
    this.#adaptiveCaps.close();
  }

  /** Idempotent. */
  close(): void {
    this.rest();
    this.panicWatch.close();
    this.operator.close();
    this.#blockage.close();
  }

  rampProgress(slot: number): number | null {
    return this.weights.rampProgress(slot);
  }

  checkOf(slot: number): CheckRecord | null {
    return this.checker.recordOf(slot);
  }

  panicsOf(upstream: UpstreamPlan): { readonly isPanicking: boolean; readonly panics: number } {
    return this.panicWatch.panicsOf(upstream);
  }

  drainOf(slot: number): Drain | null {
    return this.operator.drainOf(slot);
  }
}
