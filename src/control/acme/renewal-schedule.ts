/** When a certificate that comes by ACME is fetched again, and when after a failure. Pure. */

/** Earliest renewal: with this share of its life gone. A `renewBefore` that is longer than certificates live would order without end. */
const EARLIEST_SHARE = 1 / 3;
/** Most of `renewBefore` that is drawn at random, so that many proxies do not come at once. */
const SPREAD_SHARE = 0.05;

const MINUTE_MS = 60_000;
/**
 * Pauses after failures in a row; the last goes on. Let's Encrypt takes five failed validations of a name in an hour
 * (https://letsencrypt.org/docs/rate-limits/): these are as many.
 */
const PAUSES_MS = [1, 5, 15, 30, 60, 120, 360].map((minutes) => minutes * MINUTE_MS);
/** Share that a pause is longer at random. */
const PAUSE_SPREAD_SHARE = 0.1;
/** Longest pause that an authority is believed. */
const LONGEST_PAUSE_MS = 24 * 60 * MINUTE_MS;

/** From when to when a certificate is valid; ms of the wall clock. */
export interface Validity {
  readonly beginsAt: number;
  readonly endsAt: number;
}

/** @param random uniform in [0, 1). @returns ms of the wall clock */
export function renewalAt({ beginsAt, endsAt }: Validity, renewBeforeMs: number, random: number): number {
  const earliestAt = beginsAt + (endsAt - beginsAt) * EARLIEST_SHARE;
  return Math.max(earliestAt, endsAt - renewBeforeMs * (1 + random * SPREAD_SHARE));
}

/**
 * @param failures in a row, at least 1
 * @param retryAfterMs what the authority asked for; 0: nothing
 * @param random uniform in [0, 1)
 */
export function pauseAfter(failures: number, retryAfterMs: number, random: number): number {
  const pauseMs = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? MINUTE_MS;
  return Math.round(Math.max(pauseMs * (1 + random * PAUSE_SPREAD_SHARE), Math.min(retryAfterMs, LONGEST_PAUSE_MS)));
}
