/** The shared clock: milliseconds that mean the same in every thread of the process. */
import { performance } from 'node:perf_hooks';
import { type Tick, tickOf } from './tick.js';

/** What code that needs the time takes as a parameter; tests hand in one they move by hand. */
export interface Clock {
  /** Milliseconds since an origin that all threads of this process share; fractional, never goes back. */
  nowMs(): number;
  /** The same instant as a wrapping int32. */
  nowTick(): Tick;
}

/**
 * Makes the real clock of this thread. `performance.now()` counts from the start of its own thread; the offset to the
 * machine's monotonic clock, taken once here, makes readings of different threads comparable (to a few microseconds).
 * Thread: any.
 */
export function monotonicClock(): Clock {
  const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  return {
    nowMs: () => performance.now() + offsetMs,
    nowTick: () => tickOf(performance.now() + offsetMs),
  };
}
