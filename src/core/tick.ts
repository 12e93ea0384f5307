/** Wrapping milliseconds that fit one word of shared memory, and the arithmetic that survives the wrap. */

/** A point in time as a wrapping int32 of milliseconds on the shared clock; NEVER (0) is no point at all. */
export type Tick = number;

/** The tick that stands for "has not happened". */
export const NEVER: Tick = 0;

/**
 * Turns milliseconds of the shared clock into a tick; the one millisecond in 49 days that would read NEVER becomes the next.
 *
 * @param ms milliseconds of the shared clock, any size, fractions are cut off
 */
export function tickOf(ms: number): Tick {
  const tick = ms | 0; // ToInt32: truncates, then wraps modulo 2^32
  return tick === NEVER ? 1 : tick;
}

/** Milliseconds from `from` to `to`; negative when `to` is earlier. Right as long as they are less than 24 days apart. */
export function msBetween(from: Tick, to: Tick): number {
  return (to - from) | 0;
}

/** The tick `ms` milliseconds after `tick`. */
export function tickAfter(tick: Tick, ms: number): Tick {
  const after = (tick + ms) | 0;
  return after === NEVER ? 1 : after;
}
