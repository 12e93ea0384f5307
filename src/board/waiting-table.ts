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
 * All loads and stores of `since` are plain: a statistic that is at most a store buffer old.
 */
export class WaitingTable {
  readonly #int32: Int32Array;
  readonly #own: number;
  /** First record of each worker's stripe. */
  readonly #all: readonly number[];
  readonly #stride: number;

  constructor(board: MappedBoard, worker: number) {
    const stripes = board.layout.stripes;
    const own = stripes[worker];
    invariant(own, `the board has a stripe for worker ${worker}`);
    this.#int32 = board.int32;
    this.#own = own.waiting.base;
    this.#all = stripes.map((stripe) => stripe.waiting.base);
    this.#stride = own.waiting.stride;
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

  /**
   * Milliseconds that the oldest waiting attempt of any worker has waited by now; 0: none waits, or not for a whole one.
   * Reads a line of every worker's stripe: keep the answer for the tick rather than asking at each pick.
   */
  oldestAgeMs(slot: number, generation: number, now: Tick): number {
    // Another thread's clock may be some microseconds ahead: never below 0.
    let oldestMs = 0;
    for (let worker = 0; worker < this.#all.length; worker++) {
      const record = (this.#all[worker] as number) + slot * this.#stride; // worker < length
      if (this.#int32[record + GENERATION] !== generation) continue;
      const since = this.#int32[record + SINCE] as number; // inside a stripe
      if (since !== NEVER) oldestMs = Math.max(oldestMs, msBetween(since, now));
    }
    return oldestMs;
  }
}

/** Withdraws what a dead worker published: nobody waits there any more. Thread: primary, after the worker's thread has ended. */
export function clearWaiting(board: MappedBoard, worker: number): void {
  const placement = board.layout.stripes[worker]?.waiting;
  invariant(placement, `the board has a stripe for worker ${worker}`);
  board.int32.fill(0, placement.base, placement.base + placement.stride * board.layout.capacities.endpointSlots);
}
