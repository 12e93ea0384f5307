/** The primary's part in passive detection: ejects by what is counted in intervals, and takes endpoints back that pass an active check. */
import type { Board } from '../board/board.js';
import type { EndpointFigures } from '../board/worker-stripe.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { OutlierPlan } from '../config/resilience-plan.js';
import type { Clock } from '../core/clock.js';
import { msBetween, NEVER, type Tick, tickOf } from '../core/tick.js';
import type { Cancel, Timers } from '../core/timers.js';
import { Ejector, ejectionMsOf, type OutlierEvents } from '../policies/outlier.js';
import { type IntervalFacts, suspectsOf } from './outlier-statistics.js';

/** What it needs from outside. */
export interface OutliersOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: Pick<Board, 'capacities' | 'control' | 'endpointFigures' | 'health' | 'upstreams'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Who is told of what becomes of an upstream's endpoints. */
  readonly eventsFor: (upstream: UpstreamPlan) => OutlierEvents;
}

interface Watched {
  readonly upstream: UpstreamPlan;
  readonly plan: OutlierPlan;
  readonly ejector: Ejector;
  /** What the counters stood at when the interval began, by endpoint. */
  before: readonly EndpointFigures[];
  beganAt: Tick;
}

/** Runs until `close`. Workers eject by what they see at once, see src/policies/outlier.ts; the share of ejected endpoints is one for all. Thread: primary. */
export class Outliers {
  readonly #options: OutliersOptions;
  /** By index of the upstream. */
  readonly #watched = new Map<number, Watched>();
  readonly #cancels = new Map<number, Cancel>();

  constructor(options: OutliersOptions) {
    this.#options = options;
    const { board, eventsFor } = options;
    const holder = board.capacities.workers;
    for (const upstream of options.upstreams) {
      const { outlier: plan, index } = upstream;
      if (plan === null) continue;
      const ejector = new Ejector(upstream, plan, board, holder, eventsFor(upstream));
      this.#watched.set(index, { upstream, plan, ejector, before: [], beganAt: NEVER });
    }
  }

  /** Begins the first interval of each upstream that has a rule for intervals. */
  start(): void {
    for (const watched of this.#watched.values()) {
      const { failureRatio, successRate, latency } = watched.plan;
      if (failureRatio === null && successRate === null && latency === null) continue;
      watched.before = this.#figuresOf(watched);
      watched.beganAt = this.#now();
      this.#schedule(watched);
    }
  }

  /**
   * An active check of an endpoint is good: it is taken back if it was ejected before the check began, because that has seen the endpoint as
   * it is now (Envoy does so, too).
   *
   * @param beganAtMs of the check, on the shared clock
   */
  checked(upstream: UpstreamPlan, endpoint: EndpointPlan, beganAtMs: number): void {
    const watched = this.#watched.get(upstream.index);
    if (watched === undefined) return;
    const circuit = this.#options.board.health.ejections.circuits.load(endpoint.slot);
    if (circuit.phase === 'closed') return;
    const ejectedAt = (circuit.at - ejectionMsOf(circuit.openings, watched.plan)) | 0;
    // On trial: `at` is of the trial, and the ejection before it is long over.
    if (circuit.phase === 'open' && msBetween(ejectedAt, tickOf(beganAtMs)) < 0) return;
    watched.ejector.uneject(upstream.endpoints.indexOf(endpoint), this.#now());
  }

  /** Ejects nobody any more; who is ejected stays so for his time. Idempotent. */
  close(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #schedule(watched: Watched): void {
    const cancel = this.#options.timers.after(watched.plan.intervalMs, () => {
      this.#judge(watched);
      this.#schedule(watched);
    });
    this.#cancels.set(watched.upstream.index, cancel);
  }

  #judge(watched: Watched): void {
    const { upstream, plan, ejector, before } = watched;
    const { circuits } = this.#options.board.health.ejections;
    const figures = this.#figuresOf(watched);
    watched.before = figures;
    const now = this.#now();
    const intervalMs = msBetween(watched.beganAt, now);
    watched.beganAt = now;
    // Who is out, or on trial with a few requests, is neither judged by them nor a measure for the others; nor is who has returned in this
    // interval, which has counted what came before as well.
    const facts = upstream.endpoints.map(({ slot }, index) => {
      const { phase, at } = circuits.load(slot);
      const closedMs = at === NEVER ? intervalMs : msBetween(at, now);
      const wasAway = phase !== 'closed' || (closedMs >= 0 && closedMs < intervalMs);
      return wasAway ? null : factsBetween(before[index], figures[index]);
    });
    // Where somebody else is ejecting just now, the next interval judges again.
    for (const { index, reason } of suspectsOf(facts, plan)) ejector.eject(index, reason, now);
  }

  #figuresOf({ upstream }: Watched): EndpointFigures[] {
    return upstream.endpoints.map(({ slot }) => this.#options.board.endpointFigures(slot));
  }

  #now(): Tick {
    return this.#options.clock.nowTick();
  }
}

function factsBetween(before: EndpointFigures | undefined, after: EndpointFigures | undefined): IntervalFacts | null {
  if (before === undefined || after === undefined) return null;
  return {
    successes: after.successes - before.successes,
    failures: after.failures - before.failures,
    successUs: after.successUs - before.successUs,
  };
}
