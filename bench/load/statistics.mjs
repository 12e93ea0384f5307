/** The few statistics of the laboratory. Pure. */

/** The middle one, or the mean of the two in the middle. @param {readonly number[]} numbers at least one @returns {number} */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The number that a quarter of them does not exceed: of costs, which are disturbed upwards only, the steadiest. @param {readonly number[]} numbers at least one @returns {number} */
export function lowerQuartile(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 4) - 1];
}

/** Distance between the largest and the smallest, as a share of the median; 0 for a single number. @param {readonly number[]} numbers */
export function spread(numbers) {
  const middle = median(numbers);
  return middle === 0 ? 0 : (Math.max(...numbers) - Math.min(...numbers)) / middle;
}

/**
 * Ratio of two candidates, round by round: rounds that were run next to each other had the same machine, so the median of
 * their ratios is steadier than the ratio of two medians.
 *
 * @param {readonly number[]} own @param {readonly number[]} other same length, same rounds
 * @returns {{ min: number, median: number, low: number, high: number }} `min`: ratio of the two minima; `low` and `high`: the
 *   smallest and largest ratio of one round
 */
export function ratioOf(own, other) {
  const rounds = own.map((value, round) => value / other[round]);
  return {
    min: Math.min(...own) / Math.min(...other),
    median: median(rounds),
    low: Math.min(...rounds),
    high: Math.max(...rounds),
  };
}

/** Chance that a fair coin shows at most `most` heads in `count` throws. */
function chanceOfAtMost(most, count) {
  let ways = 1;
  let sum = 0;
  for (let heads = 0; heads <= most; heads++) {
    sum += ways;
    ways = (ways * (count - heads)) / (heads + 1);
  }
  return sum / 2 ** count;
}

/**
 * Between which two of the numbers the true median lies in so many cases, whatever their distribution (the interval of the sign
 * test). With too few numbers, fewer than six at 95 of 100, it is their whole range, and less sure.
 *
 * @param {readonly number[]} numbers at least one
 * @param {number} sureness share of the cases
 * @returns {{ low: number, high: number }}
 */
export function medianInterval(numbers, sureness = 0.95) {
  const sorted = [...numbers].sort((a, b) => a - b);
  let cut = 0;
  while (2 * chanceOfAtMost(cut, sorted.length) <= 1 - sureness) cut++;
  const outermost = Math.max(cut - 1, 0);
  return { low: sorted[outermost], high: sorted[sorted.length - 1 - outermost] };
}
