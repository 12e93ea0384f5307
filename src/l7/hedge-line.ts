/** Exchanges whose first attempt has begun and may get a second one beside it, in the order of their time for that. */
import type { Cancel, Timers } from '../core/timers.js';
import type { HedgeDelay } from '../policies/hedge-delay.js';
import { NO_HEDGE } from '../policies/hedge-delay.js';
import type { BatchClock } from './batch-clock.js';
import type { Exchange } from './exchange.js';

/** Places of a new line; doubled when it is full. A power of two. */
const FIRST_PLACES = 64;

/** What a line works with. */
export interface HedgeLineParts {
  readonly delay: HedgeDelay;
  readonly clock: BatchClock;
  readonly timers: Timers;
  /** The exchange's time has come, and it still waits for its first byte. The clock has been read. */
  readonly due: (exchange: Exchange) => void;
}

/**
 * A ring. Nothing is taken out when an exchange is served before its time, as nearly all are: its entry is passed over when it comes to
 * the front. One timer, for the first entry that still waits. With a delay that moves, who follows a longer one waits as long.
 *
 * Thread: worker; one for each set of attempt settings that hedges.
 */
export class HedgeLine {
  readonly delay: HedgeDelay;
  readonly #clock: BatchClock;
  readonly #timers: Timers;
  readonly #due: (exchange: Exchange) => void;
  #exchanges: (Exchange | undefined)[] = new Array<Exchange | undefined>(FIRST_PLACES);
  /** Exchange.serial of each entry: another one is another request. */
  #serials = new Float64Array(FIRST_PLACES);
  #dueAtMs = new Float64Array(FIRST_PLACES);
  #first = 0;
  #length = 0;
  #cancel: Cancel | null = null;

  constructor({ delay, clock, timers, due }: HedgeLineParts) {
    this.delay = delay;
    this.#clock = clock;
    this.#timers = timers;
    this.#due = due;
  }

  /** Entries, those included whose exchanges have been served. */
  get length(): number {
    return this.#length;
  }

  /** The first attempt of an exchange begins. HOT where hedging is on. */
  push(exchange: Exchange): void {
    const { delayMs } = this.delay;
    if (delayMs === NO_HEDGE) return;
    if (this.#length === this.#exchanges.length) this.#grow();
    const at = (this.#first + this.#length) & (this.#exchanges.length - 1);
    this.#exchanges[at] = exchange;
    this.#serials[at] = exchange.serial;
    this.#dueAtMs[at] = this.#clock.nowMs + delayMs;
    this.#length++;
    if (this.#cancel === null) this.#setTimer(delayMs);
  }

  /** Nobody's time comes any more. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#length = 0;
  }

  #setTimer(ms: number): void {
    // Node cuts fractions off: a timer that fires too early would only be set again.
    this.#cancel = this.#timers.after(Math.max(1, Math.ceil(ms)), () => this.#look());
  }

  #look(): void {
    this.#cancel = null;
    const nowMs = this.#clock.read();
    while (this.#length > 0) {
      const exchange = this.#exchanges[this.#first] as Exchange; // the first of those in the ring
      const dueAtMs = this.#dueAtMs[this.#first] as number;
      const isPending = exchange.serial === this.#serials[this.#first] && exchange.state === 'attempting';
      if (isPending && dueAtMs > nowMs) return this.#setTimer(dueAtMs - nowMs);
      this.#exchanges[this.#first] = undefined;
      this.#first = (this.#first + 1) & (this.#exchanges.length - 1);
      this.#length--;
      if (isPending) this.#due(exchange);
    }
  }

  #grow(): void {
    const places = this.#exchanges.length;
    const indices = Array.from({ length: places }, (_, index) => (this.#first + index) & (places - 1));
    const serials = new Float64Array(2 * places);
    const dueAtMs = new Float64Array(2 * places);
    serials.set(indices.map((index) => this.#serials[index] as number)); // index < places
    dueAtMs.set(indices.map((index) => this.#dueAtMs[index] as number));
    const exchanges = indices.map((index) => this.#exchanges[index]);
    exchanges.length = 2 * places;
    this.#exchanges = exchanges;
    this.#serials = serials;
    this.#dueAtMs = dueAtMs;
    this.#first = 0;
  }
}
