/** What the rules for moving weights know of the endpoints of an upstream: read from the board at each look, kept from look to look. */
import type { Board } from '../../board/board.js';
import { NO_SAMPLE } from '../../board/endpoint-load.js';
import type { EndpointFigures } from '../../board/worker-stripe.js';
import type { EndpointPlan } from '../../config/plan.js';
import type { Clock } from '../../core/clock.js';
import { msBetween } from '../../core/tick.js';
import { type PerformanceFacts, type PerformanceState, stepPerformance, UNJUDGED } from './performance.js';
import { believedWeight, type ReportingSince, reportedShares, reportingSince } from './reported.js';

/** An estimate that nobody has renewed for this long says nothing of now: the time in which idle estimates fade (balancing/latency.ts). */
const LATENCY_AGE_MS = 10_000;

/** The part by which an endpoint's weight counts. */
export interface MovedShare {
  readonly slot: number;
  readonly moved: number;
}

/** The tables that are read. */
export type ReadBoard = Pick<Board, 'control' | 'load' | 'reports' | 'endpointFigures'>;

/** Shares from latency and errors; state by slot, so that it outlives a plan. Thread: primary. */
export class PerformanceShares {
  readonly #board: ReadBoard;
  readonly #clock: Clock;
  readonly #states = new Map<number, PerformanceState>();
  readonly #figures = new Map<number, EndpointFigures>();

  constructor(board: ReadBoard, clock: Clock) {
    this.#board = board;
    this.#clock = clock;
  }

  /**
   * One step. Call it once a period for each upstream.
   *
   * @param warmsUp endpoints that warm up are not judged: they are slow for a reason that passes
   */
  look(endpoints: readonly EndpointPlan[], warmsUp: (slot: number) => boolean): MovedShare[] {
    const facts = endpoints.map(({ slot }) => this.#factsOf(slot, warmsUp(slot)));
    const states = stepPerformance(
      endpoints.map(({ slot }) => this.#states.get(slot) ?? UNJUDGED),
      facts,
    );
    return endpoints.map(({ slot }, index) => {
      const state = states[index] ?? UNJUDGED;
      this.#states.set(slot, state);
      return { slot, moved: state.share };
    });
  }

  /** Another endpoint has the slot, or none. */
  forget(slot: number): void {
    this.#states.delete(slot);
    this.#figures.delete(slot);
  }

  #factsOf(slot: number, warmsUp: boolean): PerformanceFacts {
    const { control, load } = this.#board;
    const figures = this.#board.endpointFigures(slot);
    const before = this.#figures.get(slot) ?? figures;
    this.#figures.set(slot, figures);
    const latencyUs = load.latencyUs(slot);
    const ageMs = msBetween(load.latencyAt(slot), this.#clock.nowTick());
    const isKnown = latencyUs !== NO_SAMPLE && ageMs < LATENCY_AGE_MS && control.takesWork(slot) && !warmsUp;
    return {
      latencyUs: isKnown ? latencyUs : null,
      attempts: figures.attempts - before.attempts,
      failures: figures.failures - before.failures,
    };
  }
}

/** Shares from what endpoints report of themselves; state by slot. Thread: primary. */
export class ReportedShares {
  readonly #board: ReadBoard;
  readonly #clock: Clock;
  readonly #since = new Map<number, ReportingSince>();

  constructor(board: ReadBoard, clock: Clock) {
    this.#board = board;
    this.#clock = clock;
  }

  /** One look. */
  look(endpoints: readonly EndpointPlan[]): MovedShare[] {
    const nowMs = this.#clock.nowMs();
    const weights = endpoints.map(({ slot }) => {
      const latest = this.#board.reports.latest(slot);
      const since = reportingSince(this.#since.get(slot) ?? null, latest, nowMs);
      this.#since.set(slot, since);
      return believedWeight(since, latest, nowMs);
    });
    const shares = reportedShares(weights);
    return endpoints.map(({ slot }, index) => ({ slot, moved: shares[index] ?? 1 }));
  }

  /** Another endpoint has the slot, or none. */
  forget(slot: number): void {
    this.#since.delete(slot);
  }
}
