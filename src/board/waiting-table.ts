/** Since when the oldest attempt on each endpoint waits for its first byte: one record a worker and slot, read by all. */
import { invariant } from '../core/invariant.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { Waiting } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

const GENERATION = Waiting.field.generation;
const SINCE = Waiting.field.since;

/**
 * A worker publishes its own oldest wait and reads everybody's. Thread: worker.
 *
 * All loads and stores of `since` are plain: a statistic that is at most a store buffer old. HOT
 * (bench/micro/balancing/pick.bench.ts, least-time): what other workers wrote is read at most once in a tick for each
 * slot, since an age in milliseconds cannot grow within one.
 */
export class WaitingTable {
  readonly #int32: Int32Array;
  readonly #own: number;
  readonly #others: readonly number[];
  readonly #stride: number;
  /** Tick at which the others were last read, by slot. */
  readonly #readAt: Int32Array;
  /** Oldest start among the others as of then, by slot; NEVER: none waits. */
  readonly #othersSince: Int32Array;

  constructor(board: MappedBoard, worker: number) {
    const stripes = board.layout.stripes;
    const own = stripes[worker];
    invariant(own, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#own = own.waiting.base;
    this.#others = stripes.filter((stripe) => stripe !== own).map((stripe) => stripe.waiting.base);
    this.#stride = own.waiting.stride;
    this.#readAt = new Int32Array(board.layout.capacities.endpointSlots);
    this.#othersSince = new Int32Array(board.layout.capacities.endpointSlots);
  }

  /**
   * Tells all workers since when this worker's oldest attempt on the endpoint waits.
   *
   * Pair: with a new generation, `since` is cleared, then the generation is stored, then `since`: who reads the generation
   * and then `since` never takes the wait of the former endpoint for one of the new.
   * @param since start tick; NEVER: none waits
   */
  publish(slot: number, generation: number, since: Tick): void {
    const record = this.#own + slot * this.#stride;
    if (this.#int32[record + GENERATION] !== generation) {
      Atomics.store(this.#int32, record + SINCE, NEVER);
      Atomics.store(this.#int32, record + GENERATION, generation);
    }
    this.#int32[record + SINCE] = since;
  }

  /** Milliseconds that the oldest waiting attempt of any worker has waited by now; 0: none waits, or not for a whole one. */
  oldestAgeMs(slot: number, generation: number, now: Tick): number {
    if (this.#readAt[slot] !== now) this.#readOthers(slot, generation, now);
    const others = this.#othersSince[slot] as number; // slot < endpointSlots, the array's length
    const own = this.#since(this.#own, slot, generation);
    const othersAgeMs = others === NEVER ? 0 : msBetween(others, now);
    const ownAgeMs = own === NEVER ? 0 : msBetween(own, now);
    // Another thread's clock may be some microseconds ahead: never below 0.
    return Math.max(ownAgeMs, othersAgeMs, 0);
  }

  #readOthers(slot: number, generation: number, now: Tick): void {
    let oldest = NEVER;
    for (let index = 0; index < this.#others.length; index++) {
      const since = this.#since(this.#others[index] as number, slot, generation); // index < length
      if (since !== NEVER && (oldest === NEVER || msBetween(since, oldest) > 0)) oldest = since;
    }
    this.#othersSince[slot] = oldest;
    this.#readAt[slot] = now;
  }

  #since(base: number, slot: number, generation: number): Tick {
    const record = base + slot * this.#stride;
    if (this.#int32[record + GENERATION] !== generation) return NEVER;
    return this.#int32[record + SINCE] as number; // inside a stripe
  }
}

/** Withdraws what a dead worker published: nobody waits there any more. Thread: primary, after the worker's thread has ended. */
export function clearWaiting(board: MappedBoard, worker: number): void {
  const placement = board.layout.stripes[worker]?.waiting;
  invariant(placement, `the board has a stripe for worker ${worker}`);
  board.int32.fill(0, placement.base, placement.base + placement.stride * board.layout.capacities.endpointSlots);
}
