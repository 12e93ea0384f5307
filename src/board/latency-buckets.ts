/**
 * The buckets of all latency histograms: 32 equal steps for each doubling, so that what is read from one is never far from what was
 * measured. Pure. The scheme is that of HdrHistogram (G. Tene), with five bits for the step.
 */

/** Steps of one octave; values below are told apart exactly. */
export const OCTAVE_STEPS = 32;
const STEP_BITS = 5;
/** The first octave has 0 .. 31, each other one the values from one power of two to the next. */
export const OCTAVES = 27;
export const LATENCY_BUCKETS = OCTAVES * OCTAVE_STEPS;
/** Longest latency in µs, 35 minutes; whatever is longer counts as this. An int32, as all times of the engine. */
export const LONGEST_LATENCY_US = 2 ** 31 - 1;
/** Between a value and the middle of its bucket, as a share of the value: half of the widest step, 1/32, of its octave. */
export const LATENCY_ERROR = 1 / 64;

/** The longest latency has one leading zero and is in the last octave. HOT. @param us 0 .. LONGEST_LATENCY_US */
export function octaveOf(us: number): number {
  return us < OCTAVE_STEPS ? 0 : OCTAVES - Math.clz32(us);
}

/** Place in its octave. HOT. @param octave octaveOf(us) */
export function stepOf(us: number, octave: number): number {
  return octave === 0 ? us : (us >>> (octave - 1)) - OCTAVE_STEPS;
}

/** @param us 0 .. LONGEST_LATENCY_US */
export function bucketOf(us: number): number {
  const octave = octaveOf(us);
  return octave * OCTAVE_STEPS + stepOf(us, octave);
}

/** Smallest latency of a bucket in µs; of LATENCY_BUCKETS, the first that is too long for all. */
export function lowestUs(bucket: number): number {
  const octave = bucket >> STEP_BITS;
  const step = bucket & (OCTAVE_STEPS - 1);
  return octave === 0 ? step : (OCTAVE_STEPS + step) * 2 ** (octave - 1);
}

/** By bucket: readers ask for all of them, for each histogram. */
const MIDDLES_US = Float64Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => {
  const lowest = lowestUs(bucket);
  return lowest + Math.floor((lowestUs(bucket + 1) - 1 - lowest) / 2);
});

/** What a bucket stands for: its middle, in whole µs. @param bucket 0 .. LATENCY_BUCKETS - 1 */
export function middleUs(bucket: number): number {
  return MIDDLES_US[bucket] as number; // inside the table
}
