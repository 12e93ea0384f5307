/** Adaptive concurrency: finds out window by window how much each endpoint bears, and sets its cap to that. */
import { isDeepStrictEqual } from 'node:util';
import type { Board } from '../board/board.js';
import type { EndpointFigures } from '../board/worker-stripe.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { ConcurrencyPlan } from '../config/resilience-plan.js';
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';
import { beginGradient2, type Gradient2State, stepGradient2 } from './gradient2.js';

/** Pause between two looks, and so the shortest window: each look reads the counters of all workers. */
const LOOK_INTERVAL_MS = 200;
/** Answers and failures that a window needs. */
const LEAST_SAMPLES = 10;
/** A window that has not got so many by then is thrown away: what it began with says little of now. */
const LONGEST_WINDOW_MS = 30_000;
/** The log tells of an upstream once in this time at the most. */
const LOG_PAUSE_MS = 10_000;
const US_PER_MS = 1_000;

/** What it needs from outside. */
export interface AdaptiveCapsOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: Pick<Board, 'control' | 'load' | 'endpointFigures'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

interface Measured {
  readonly upstream: UpstreamPlan;
  readonly endpoint: EndpointPlan;
  readonly plan: ConcurrencyPlan;
  state: Gradient2State;
  /** The window that is open. */
  beganAt: number;
  before: EndpointFigures;
  mostInFlight: number;
}

/** Runs until `close`; the caps that were set stay. Who is not measured any more has its cap taken away by src/control/switched-off.ts. Thread: primary. */
export class AdaptiveCaps {
  readonly #options: AdaptiveCapsOptions;
  #measured: readonly Measured[] = [];
  readonly #loggedAt = new Map<string, number>();
  #cancel: Cancel = () => {};

  constructor(options: AdaptiveCapsOptions) {
    this.#options = options;
  }

  /** Sets the caps that endpoints begin with; nothing happens where no upstream asks for it. */
  start(): void {
    this.replace(this.#options.upstreams);
  }

  /** Takes the upstreams of another plan; endpoints that are measured by the same rule go on where they are. */
  replace(upstreams: readonly UpstreamPlan[]): void {
    this.#cancel();
    const before = new Map(this.#measured.map((each) => [placeOf(each.endpoint), each]));
    const begun: Measured[] = [];
    this.#measured = upstreams.flatMap((upstream) =>
      this.#measuredOf(upstream).map((fresh) => {
        const known = before.get(placeOf(fresh.endpoint));
        if (known !== undefined && isDeepStrictEqual(known.plan, fresh.plan))
          return { ...known, upstream, endpoint: fresh.endpoint };
        begun.push(fresh);
        return fresh;
      }),
    );
    if (this.#measured.length === 0) return;
    this.#publish(begun);
    this.#schedule();
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
  }

  #measuredOf(upstream: UpstreamPlan): Measured[] {
    const { concurrency: plan, endpoints } = upstream;
    if (plan === null) return [];
    return endpoints.map((endpoint) => ({
      upstream,
      endpoint,
      plan,
      state: beginGradient2(plan),
      beganAt: this.#options.clock.nowMs(),
      before: this.#options.board.endpointFigures(endpoint.slot),
      mostInFlight: 0,
    }));
  }

  #schedule(): void {
    this.#cancel = this.#options.timers.after(LOOK_INTERVAL_MS, () => {
      this.#publish(this.#measured.filter((each) => this.#look(each)));
      this.#schedule();
    });
  }

  /** @returns true: the cap is another one */
  #look(measured: Measured): boolean {
    const { board, clock } = this.#options;
    const { endpoint, plan, before } = measured;
    const nowMs = clock.nowMs();
    const elapsedMs = nowMs - measured.beganAt;
    measured.mostInFlight = Math.max(measured.mostInFlight, board.load.inflight(endpoint.slot));
    const figures = board.endpointFigures(endpoint.slot);
    const successes = figures.successes - before.successes;
    const failures = figures.gatewayFailures - before.gatewayFailures;
    const isEnough = successes + failures >= LEAST_SAMPLES;
    if (!isEnough && elapsedMs < LONGEST_WINDOW_MS) return false;
    const { mostInFlight } = measured;
    measured.beganAt = nowMs;
    measured.before = figures;
    measured.mostInFlight = 0;
    if (!isEnough) return false;
    const successUs = figures.successUs - before.successUs;
    // Little's law fills in what was in flight between two looks.
    const meanInFlight = successUs / US_PER_MS / elapsedMs;
    const meanUs = successes === 0 ? 0 : Math.max(successUs / successes, 1);
    const inFlight = Math.max(mostInFlight, meanInFlight);
    measured.state = stepGradient2(measured.state, { successes, failures, meanUs, inFlight }, plan);
    return capOf(measured) !== board.control.adaptiveCap(endpoint.slot);
  }

  #publish(changed: readonly Measured[]): void {
    if (changed.length === 0) return;
    const { board } = this.#options;
    board.control.setShares(
      changed.map((measured) => ({ slot: measured.endpoint.slot, adaptiveCap: capOf(measured) })),
    );
    for (const measured of changed) this.#tell(measured);
  }

  #tell(measured: Measured): void {
    const { clock, logger } = this.#options;
    const { upstream, endpoint } = measured;
    const nowMs = clock.nowMs();
    if (nowMs - (this.#loggedAt.get(upstream.name) ?? Number.NEGATIVE_INFINITY) < LOG_PAUSE_MS) return;
    this.#loggedAt.set(upstream.name, nowMs);
    const cap = capOf(measured);
    logger.debug(
      { event: 'concurrency-limited', upstream: upstream.name, endpoint: endpoint.name, cap },
      `endpoint ${endpoint.name} of ${upstream.name} may have ${cap} in flight`,
    );
  }
}

/** Who has a slot: a number for each endpoint that ever had it. */
function placeOf({ slot, generation }: EndpointPlan): string {
  return `${slot} ${generation}`;
}

function capOf({ state }: Measured): number {
  return Math.max(1, Math.round(state.limit));
}
