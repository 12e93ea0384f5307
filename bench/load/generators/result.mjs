/** What every load generator reports of one round. */

/**
 * @typedef {object} GeneratorResult
 * @property {number} requests answered in full
 * @property {number} durationS
 * @property {number} perSecond
 * @property {readonly (readonly [percentile: number, us: number])[]} latencyUs ascending; the last is the maximum (100)
 * @property {number | null} bytes received, heads included; null where the generator does not count them
 * @property {readonly number[] | null} eachSecond answers in each second of the load; null where the generator does not tell
 * @property {{ status: number, socket: number, timeout: number, body: number }} errors `body`: answers of a wrong length or content
 */

/** A generator's result with what follows from its facts. @param {Omit<GeneratorResult, 'perSecond' | 'errors' | 'eachSecond'> & { errors: Partial<GeneratorResult['errors']>, eachSecond?: readonly number[] }} facts @returns {GeneratorResult} */
export function generatorResult({ requests, durationS, latencyUs, bytes, errors, eachSecond = null }) {
  return {
    requests,
    durationS,
    perSecond: requests / durationS,
    latencyUs,
    bytes,
    eachSecond,
    errors: { status: 0, socket: 0, timeout: 0, body: 0, ...errors },
  };
}

/** Percentiles that a generator reports where it is free to choose. */
export const PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99];

/** Points of a generator's result from an hdr-histogram in µs. @returns {[percentile: number, us: number][]} */
export function pointsOf(histogram) {
  return [...PERCENTILES.map((at) => [at, histogram.getValueAtPercentile(at)]), [100, histogram.maxValue]];
}

/** An hdr-histogram of µs up to a minute, to three digits. */
export const HISTOGRAM = { highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 };

/** Counts one answer in its second; one that came after the last belongs to none. @param {number[]} eachSecond @param {number} sinceMs since the load began */
export function countInSecond(eachSecond, sinceMs) {
  const second = Math.floor(sinceMs / 1000);
  if (second < eachSecond.length) eachSecond[second]++;
}

/** Answers that did not come, or came wrong. @param {GeneratorResult} result */
export function errorCount({ errors }) {
  return errors.status + errors.socket + errors.timeout + errors.body;
}
