/** The shared clock as one batch of events sees it: read once, the same for all that the batch brings. */
import type { Clock } from '../core/clock.js';
import { NEVER, type Tick, tickOf } from '../core/tick.js';

/** Thread: worker; one for each pipeline. */
export class BatchClock {
  readonly #clock: Clock;
  #now: Tick = NEVER;
  #nowMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As it was last read. */
  get now(): Tick {
    return this.#now;
  }

  /** The same reading in ms and their fractions. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whoever begins something of its own accord (a batch, a timer, a message) reads it first. @returns nowMs */
  read(): number {
    const nowMs = this.#clock.nowMs();
    this.#now = tickOf(nowMs);
    this.#nowMs = nowMs;
    return nowMs;
  }
}
