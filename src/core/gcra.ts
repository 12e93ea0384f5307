/**
 * A rate limit in one number, the generic cell rate algorithm (ITU-T I.371, virtual scheduling): the theoretical arrival time,
 * at which the next arrival would be exactly on time. No timer refills anything. Pure; times are µs of the shared clock.
 */

const US_PER_S = 1_000_000;

/**
 * Intervals are whole multiples of 1/256 µs. A time of up to 400 days of the clock is a whole multiple of that, too, and float64
 * adds such numbers without rounding: the limit is exact. After that a sum may be off by a fraction of a µs.
 */
const STEPS_PER_US = 256;

/** Arrival time of a key that has not been seen: always in the past. */
export const NO_ARRIVAL = 0;

/**
 * The time that one arrival takes up, rounded up: never more than `perSecond` get through. At 100,000 a second that is 0.04 % less
 * than asked for, at 1,000 a second 0.0004 %.
 *
 * @param perSecond > 0
 */
export function intervalUsFor(perSecond: number): number {
  return Math.ceil((US_PER_S / perSecond) * STEPS_PER_US) / STEPS_PER_US;
}

/**
 * May something arrive now? HOT (bench/micro/board/session-limits.bench.ts).
 *
 * @param arrivalUs  theoretical arrival time
 * @param nowUs      whole µs
 * @param intervalUs intervalUsFor()
 * @param burst      how many may come at once, >= 1
 */
export function mayArrive(arrivalUs: number, nowUs: number, intervalUs: number, burst: number): boolean {
  return arrivalUs - nowUs <= (burst - 1) * intervalUs;
}

/** The theoretical arrival time after one more arrival. HOT. */
export function arrivalAfter(arrivalUs: number, nowUs: number, intervalUs: number): number {
  return (arrivalUs > nowUs ? arrivalUs : nowUs) + intervalUs;
}
