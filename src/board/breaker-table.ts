/** Breakers on the board: circuit, failures in a row, and the sliding window of what passed, of endpoints or of routes. */
import type { Tick } from '../core/tick.js';
import { CircuitTable } from './circuit-table.js';
import { EndpointBreaker, type RouteBreaker, WINDOW_BUCKETS } from './health-groups.js';
import type { MappedBoard } from './shared-memory.js';

/** Whose breakers: of endpoints, by slot, or of routes, by RouteBreakerPlan.record. Both groups have the same fields. */
export type BreakerGroup = 'endpointBreaker' | 'routeBreaker';

const FIELD: typeof EndpointBreaker.field & typeof RouteBreaker.field = EndpointBreaker.field;
const LAP_SHIFT = 24;
const MOST_LAP = 0xff;
/** Most that a bucket counts; beyond that it counts no more. */
const MOST_COUNT = 0xff_ffff;

/** What passed in a window, over all workers. */
export interface WindowCounts {
  readonly requests: number;
  readonly failures: number;
  /** Slower than the breaker's bound. */
  readonly slow: number;
}

/** Generation of the breaker of a route: it has no other. */
export const ROUTE_GENERATION = 0;

/**
 * The window is made of buckets, each a tenth of it, which are used again in turn. A bucket's words hold the lap that they were counted in,
 * modulo 255; a count of another lap is no count. So a window that nobody used for 255 laps (42 minutes, of 10 s) to the tenth of it can be taken for
 * a fresh one.
 *
 * Counting is HOT where there is a breaker: a load and an Atomics.add. Pair: who counts a failure adds it, then sums; all of it by Atomics, so of
 * two threads that count at the same time one at least sees both. At the border of two buckets a late count may fall into the next lap or take the
 * place of it: a statistic. Thread: any.
 */
export class BreakerTable {
  readonly circuits: CircuitTable;
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #stride: number;

  constructor(board: MappedBoard, group: BreakerGroup) {
    const placement = board.layout.board[group];
    this.circuits = new CircuitTable(board, placement, FIELD.circuit);
    this.#int32 = board.int32;
    this.#base = placement.base;
    this.#stride = placement.stride;
  }

  countRequest(record: number, windowMs: number, now: Tick): void {
    this.#count(this.#at(record, FIELD.requests), windowMs, now);
  }

  countFailure(record: number, windowMs: number, now: Tick): void {
    this.#count(this.#at(record, FIELD.failures), windowMs, now);
  }

  countSlow(record: number, windowMs: number, now: Tick): void {
    this.#count(this.#at(record, FIELD.slow), windowMs, now);
  }

  /** Of the last window: the bucket of now, and the nine before it. */
  window(record: number, windowMs: number, now: Tick): WindowCounts {
    return {
      requests: this.#sum(this.#at(record, FIELD.requests), windowMs, now),
      failures: this.#sum(this.#at(record, FIELD.failures), windowMs, now),
      slow: this.#sum(this.#at(record, FIELD.slow), windowMs, now),
    };
  }

  /** Forgets the window and the failures in a row. */
  forget(record: number): void {
    for (const field of [FIELD.requests, FIELD.failures, FIELD.slow])
      for (let bucket = 0; bucket < WINDOW_BUCKETS; bucket++)
        Atomics.store(this.#int32, this.#at(record, field) + bucket, 0);
    Atomics.store(this.#int32, this.#at(record, FIELD.failuresInRow), 0);
  }

  /** @returns failures in a row over all workers, this one included */
  countFailureInRow(record: number): number {
    return Atomics.add(this.#int32, this.#at(record, FIELD.failuresInRow), 1) + 1;
  }

  /** A success: no failure in a row any more. HOT: a load, and a store where there were some. */
  endRow(record: number): void {
    const at = this.#at(record, FIELD.failuresInRow);
    if (this.#int32[at] !== 0) Atomics.store(this.#int32, at, 0);
  }

  countOpening(record: number): void {
    Atomics.add(this.#int32, this.#at(record, FIELD.openings), 1);
  }

  /** How often it has opened, since its endpoint has the slot or the board was made. */
  openings(record: number): number {
    return Atomics.load(this.#int32, this.#at(record, FIELD.openings));
  }

  /** A new assignment of the slot: closed, and nothing counted. The circuit last: from then on what others count is of the new one. Thread: primary. */
  begin(record: number, generation: number): void {
    this.forget(record);
    Atomics.store(this.#int32, this.#at(record, FIELD.openings), 0);
    this.circuits.begin(record, generation);
  }

  #count(row: number, windowMs: number, now: Tick): void {
    const bucket = bucketOf(windowMs, now);
    const at = row + (bucket % WINDOW_BUCKETS);
    const lap = lapOf(bucket);
    for (;;) {
      const seen = this.#int32[at] as number; // inside the record
      if (seen >>> LAP_SHIFT === lap) {
        // Should it have become another lap meanwhile, this counts there: the border is a millisecond wide.
        if ((seen & MOST_COUNT) < MOST_COUNT) Atomics.add(this.#int32, at, 1);
        return;
      }
      if (Atomics.compareExchange(this.#int32, at, seen, (lap << LAP_SHIFT) | 1) === seen) return;
    }
  }

  #sum(row: number, windowMs: number, now: Tick): number {
    const latest = bucketOf(windowMs, now);
    let sum = 0;
    for (let bucket = Math.max(0, latest - WINDOW_BUCKETS + 1); bucket <= latest; bucket++) {
      const word = Atomics.load(this.#int32, row + (bucket % WINDOW_BUCKETS));
      if (word >>> LAP_SHIFT === lapOf(bucket)) sum += word & MOST_COUNT;
    }
    return sum;
  }

  #at(record: number, field: number): number {
    return this.#base + record * this.#stride + field;
  }
}

/** Number of a bucket, >= 0. Once in 49 days, where the clock wraps, the window begins anew. */
function bucketOf(windowMs: number, now: Tick): number {
  return Math.floor((now >>> 0) / (windowMs / WINDOW_BUCKETS));
}

/** 1 .. 255: a word that was never written is of no lap. */
function lapOf(bucket: number): number {
  return (Math.floor(bucket / WINDOW_BUCKETS) % MOST_LAP) + 1;
}
