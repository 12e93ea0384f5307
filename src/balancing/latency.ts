/** The arithmetic of an endpoint's latency estimate: how samples, failures and idle time move it. Pure. */
import { NO_SAMPLE } from '../board/endpoint-load.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';

/**
 * In this time an old estimate loses 63 % (1 - 1/e) of its say. Finagle's and APISIX's 10 s (semantics.md 3): long enough
 * to outlast one slow request, short enough to notice a recovered endpoint within the same minute.
 */
export const DECAY_MS = 10_000;

/**
 * Least weight of one sample. On a busy endpoint samples come less than a millisecond apart, where time alone would give
 * them no weight at all: then the estimate follows about the last 16 of them (nginx: 20, semantics.md 3).
 */
export const LEAST_SAMPLE_WEIGHT = 1 / 16;
/** Up to this gap between two samples the least weight is what counts: saves exp() on busy endpoints. */
const LEAST_WEIGHT_GAP_MS = -DECAY_MS * Math.log(1 - LEAST_SAMPLE_WEIGHT);

/** An estimate fades only after this long without a sample: less would move it by under 1 %, and cost exp() on each pick. */
export const IDLE_GRACE_MS = 100;

/**
 * A failure multiplies the estimate by this, however fast it came: with LEAST_SAMPLE_WEIGHT, an endpoint that fails more
 * than one request in 12 is driven out. A share of the estimate rather than a fixed time: while others answer, it rises only
 * until the endpoint is no longer picked, whatever their latencies and load. While none answers, all go on being picked and
 * rise to MOST_LATENCY_US within a second; that is why the height says nothing about when to try again: FORGIVE_MS does.
 */
export const FAILURE_FACTOR = 2;

/**
 * An endpoint that failed and then got nothing for this long is taken for one that nothing is known of: it gets its fair
 * share until the first trial ends. Idle decay alone would take minutes to forget what an outage of all endpoints leaves
 * behind. One that still fails costs its peers a handful of requests each time, one if it fails at once.
 */
export const FORGIVE_MS = 5_000;

/** First estimate of an endpoint nothing is known about, not even through its peers: Linkerd's 30 ms (semantics.md 3). */
export const UNKNOWN_US = 30_000;

/**
 * Largest time that counts: beyond 10 s endpoints are equally bad, and one that timed out after a minute must not wait longer
 * for its next trial than one that did after 10 s (nginx stops at 5 s, semantics.md 3).
 */
export const MOST_SAMPLE_US = 10_000_000;

/**
 * Largest estimate, 18 minutes; only failures lead above MOST_SAMPLE_US. That much is needed: an endpoint that fails at once
 * is left alone only while its estimate exceeds latency x requests in flight of the others.
 */
export const MOST_LATENCY_US = 2 ** 30;

/** Below this all endpoints are equal: such differences are noise of the scheduler and of the loopback. */
const LEAST_BUCKET_US = 256;
/** For so long, 152 s, a failure can be seen in the estimate: the largest one fades to the least that counts. */
const FAILURE_MARK_MS = DECAY_MS * Math.log(MOST_LATENCY_US / LEAST_BUCKET_US);

/**
 * Folds one time to first byte into the estimate (EWMA; the weight of a sample is the share of DECAY_MS since the last one,
 * but at least LEAST_SAMPLE_WEIGHT). An estimate as old as DECAY_MS has no say any more: the sample is the trial that idle
 * decay granted, and what it shows is believed at once.
 *
 * @param estimateUs current estimate in µs, or NO_SAMPLE
 * @param sampleUs   measured time in µs, >= 0; MOST_SAMPLE_US is the most that counts
 * @param gapMs      time since the estimate was stored, >= 0
 * @returns the new estimate in whole µs, 1 .. MOST_LATENCY_US
 */
export function foldSample(estimateUs: number, sampleUs: number, gapMs: number): number {
  const countedUs = Math.min(sampleUs, MOST_SAMPLE_US);
  if (estimateUs === NO_SAMPLE || gapMs >= DECAY_MS) return Math.max(Math.round(countedUs) | 0, 1);
  const weight = gapMs <= LEAST_WEIGHT_GAP_MS ? LEAST_SAMPLE_WEIGHT : 1 - Math.exp(-gapMs / DECAY_MS);
  // Made whole here, not in a function: V8 boxes a fraction that is handed to a call it does not inline.
  return Math.max(Math.round(estimateUs + (countedUs - estimateUs) * weight) | 0, 1);
}

/**
 * Folds one time into a peak EWMA (Finagle's, semantics.md 3): a rise is taken at once, a fall decays. So it is the cost of the slow
 * requests rather than of the average one.
 *
 * @param peakUs   current peak in µs, or NO_SAMPLE
 * @param sampleUs measured time in µs, >= 0; MOST_SAMPLE_US is the most that counts
 * @param gapMs    time up to now in which the peak has not decayed yet, >= 0
 * @returns the new peak in whole µs, 1 .. MOST_LATENCY_US, never below the sample
 */
export function foldPeak(peakUs: number, sampleUs: number, gapMs: number): number {
  const countedUs = Math.min(sampleUs, MOST_SAMPLE_US);
  if (peakUs === NO_SAMPLE || countedUs >= peakUs) return Math.max(Math.round(countedUs) | 0, 1);
  const excessKept = gapMs === 0 ? 1 : Math.exp(-gapMs / DECAY_MS);
  // Up: a fall counts once it is a whole microsecond, so that many small ones in a row are not made large by rounding.
  return Math.max(Math.ceil(countedUs + (peakUs - countedUs) * excessKept) | 0, 1);
}

/**
 * Folds a failure into the estimate: a fast failure must not look like a fast endpoint.
 *
 * @param estimateUs current estimate in µs, or NO_SAMPLE
 * @param elapsedUs  how long the attempt took to fail, >= 0; MOST_SAMPLE_US is the most that counts
 * @param gapMs      time since the estimate was stored, >= 0
 * @returns the new estimate in whole µs, 1 .. MOST_LATENCY_US
 */
export function foldFailure(estimateUs: number, elapsedUs: number, gapMs: number): number {
  const before = estimateUs === NO_SAMPLE ? UNKNOWN_US : fadedEstimate(estimateUs, gapMs);
  return clamped(Math.max(before, Math.min(elapsedUs, MOST_SAMPLE_US)) * FAILURE_FACTOR);
}

/**
 * Is the estimate marked by a failure, and left alone for long enough to try again? Answers that came behind the failure do
 * not clear the mark: a peer that recovered a moment earlier gets everything from there on, and none follow.
 *
 * @param failureAt when a failure last raised the estimate; NEVER: none did
 * @param storedAt  when the estimate was stored
 */
export function isForgiven(failureAt: Tick, storedAt: Tick, now: Tick): boolean {
  if (failureAt === NEVER || msBetween(storedAt, now) < FORGIVE_MS) return false;
  // Below 0: the failure has been noted by a worker that has not stored its estimate yet.
  return Math.abs(msBetween(failureAt, storedAt)) < FAILURE_MARK_MS;
}

/**
 * The estimate as a pick sees it: it fades while no sample comes, so that an endpoint that was slow is tried again.
 *
 * @param estimateUs stored estimate in µs, not NO_SAMPLE
 * @param gapMs      time since it was stored; below 0 (another thread's clock) counts as 0
 */
export function fadedEstimate(estimateUs: number, gapMs: number): number {
  return gapMs <= IDLE_GRACE_MS ? estimateUs : estimateUs * Math.exp(-gapMs / DECAY_MS);
}

/**
 * Rounds a latency down to three binary digits behind the leading one (steps of 6 to 12 %): endpoints that are nearly equal
 * become equal and take turns. Up to LEAST_BUCKET_US all are equal.
 *
 * @param latencyUs any latency in µs, >= 0
 */
export function latencyBucket(latencyUs: number): number {
  const whole = latencyUs < MOST_LATENCY_US ? latencyUs | 0 : MOST_LATENCY_US;
  if (whole <= LEAST_BUCKET_US) return LEAST_BUCKET_US;
  const dropped = 28 - Math.clz32(whole);
  return (whole >>> dropped) << dropped;
}

function clamped(latencyUs: number): number {
  // A whole number to the compiler, too: what a call returns as a fraction is boxed on the heap.
  return Math.min(Math.max(Math.round(latencyUs), 1), MOST_LATENCY_US) | 0;
}
