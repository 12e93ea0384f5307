/** The primary's part in passive detection: ejects by what is counted in intervals, and takes endpoints back that pass an active check. */
import { isDeepStrictEqual } from 'node:util';
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
  /** What the counters stood at when the interval began, by slot. */
  before: ReadonlyMap<number, EndpointFigures>;
  beganAt: Tick;
}

/** Runs until `close`. Workers eject by what they see at once, see src/policies/outlier.ts; the share of ejected endpoints is one for all. Thread: primary. */
export class Outliers {
  readonly #options: OutliersOptions;
  /** By record of the upstream, like the next. */
  #watched = new Map<number, Watched>();
  readonly #cancels = new Map<number, Cancel>();

  constructor(options: OutliersOptions) {
    this.#options = options;
    this.#watched = new Map(options.upstreams.flatMap((upstream) => this.#watchedOf(upstream)));
  }

  /** Begins the first interval of each upstream that has a rule for intervals. */
  start(): void {
    for (const watched of this.#watched.values()) this.#begin(watched);
  }

  /** Takes the upstreams of another plan. The interval of an upstream with the same rules goes on, for endpoints that were there before. */
  replace(upstreams: readonly UpstreamPlan[]): void {
    const former = this.#watched;
    this.close();
    this.#watched = new Map(upstreams.flatMap((upstream) => this.#watchedOf(upstream)));
    for (const [record, watched] of this.#watched) {
      const before = former.get(record);
      const hasBegun = before !== undefined && before.beganAt !== NEVER;
      if (hasBegun && isDeepStrictEqual(before.plan, watched.plan)) this.#goOn(watched, before);
      else this.#begin(watched);
    }
  }

  /**
   * An active check of an endpoint is good: it is taken back if it was ejected before the check began, because that has seen the endpoint as
   * it is now (Envoy does so, too).
   *
   * @param beganAtMs of the check, on the shared clock
   */
  checked(upstream: UpstreamPlan, endpoint: EndpointPlan, beganAtMs: number): void {
    const watched = this.#watched.get(upstream.record);
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

  #watchedOf(upstream: UpstreamPlan): (readonly [number, Watched])[] {
    const { board, eventsFor } = this.#options;
    const { outlier: plan, record } = upstream;
    if (plan === null) return [];
    const ejector = new Ejector(upstream, plan, board, board.capacities.workers, eventsFor(upstream));
    return [[record, { upstream, plan, ejector, before: new Map(), beganAt: NEVER }]];
  }

  #begin(watched: Watched): void {
    const { failureRatio, successRate, latency } = watched.plan;
    if (failureRatio === null && successRate === null && latency === null) return;
    watched.before = this.#figuresOf(watched);
    watched.beganAt = this.#now();
    this.#schedule(watched, watched.plan.intervalMs);
  }

  #goOn(watched: Watched, former: Watched): void {
    // Of endpoints that have joined, nothing: they are judged from the next interval on.
    const places = new Set(former.upstream.endpoints.map(placeOf));
    const stayed = watched.upstream.endpoints.filter((endpoint) => places.has(placeOf(endpoint)));
    watched.before = new Map(
      stayed.flatMap(({ slot }) => {
        const figures = former.before.get(slot);
        return figures === undefined ? [] : [[slot, figures] as const];
      }),
    );
    watched.beganAt = former.beganAt;
    this.#schedule(watched, Math.max(0, watched.plan.intervalMs - msBetween(former.beganAt, this.#now())));
  }

  #schedule(watched: Watched, ms: number): void {
    const cancel = this.#options.timers.after(ms, () => {
      this.#judge(watched);
      this.#schedule(watched, watched.plan.intervalMs);
    });
    this.#cancels.set(watched.upstream.record, cancel);
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
    const facts = upstream.endpoints.map(({ slot }) => {
      const { phase, at } = circuits.load(slot);
      const closedMs = at === NEVER ? intervalMs : msBetween(at, now);
      const wasAway = phase !== 'closed' || (closedMs >= 0 && closedMs < intervalMs);
      return wasAway ? null : factsBetween(before.get(slot), figures.get(slot));
    });
    // Where somebody else is ejecting just now, the next interval judges again.
    for (const { index, reason } of suspectsOf(facts, plan)) ejector.eject(index, reason, now);
  }

  #figuresOf({ upstream }: Watched): Map<number, EndpointFigures> {
    return new Map(upstream.endpoints.map(({ slot }) => [slot, this.#options.board.endpointFigures(slot)]));
  }

  #now(): Tick {
    return this.#options.clock.nowTick();
  }
}

/** Who has a slot: another endpoint there has another generation. */
function placeOf({ slot, generation }: EndpointPlan): string {
  return `${slot} ${generation}`;
}

function factsBetween(before: EndpointFigures | undefined, after: EndpointFigures | undefined): IntervalFacts | null {
  if (before === undefined || after === undefined) return null;
  return {
    successes: after.successes - before.successes,
    failures: after.failures - before.failures,
    successUs: after.successUs - before.successUs,
  };
}
