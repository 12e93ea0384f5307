/** A quantile of the latest response times, kept up with each one: for who asks what most requests took lately. */

/** Each power of two is cut into so many equal parts: a result is at most 1/16 above the exact quantile. */
const PARTS = 16;
const PART_BITS = 4;
const MOST_BITS = 31;
const BUCKETS = (MOST_BITS - PART_BITS + 1) * PARTS;
/** Times after which older ones count half: the quantile is that of some thousand requests at most. */
const HALVING_SAMPLES = 2_048;
/** The quantile is worked out anew after so many times. */
const REFRESH_SAMPLES = 64;

/** Result before there are enough times to tell. */
export const NOT_KNOWN = -1;

/** A histogram with log-linear buckets (as HdrHistogram has), whose counts are halved now and then. Thread: worker. */
export class LatencyQuantile {
  readonly #counts = new Uint32Array(BUCKETS);
  readonly #quantile: number;
  #total = 0;
  #sinceHalving = 0;
  #sinceRefresh = 0;
  #valueUs = NOT_KNOWN;

  /** @param quantile 0 < quantile < 1 */
  constructor(quantile: number) {
    this.#quantile = quantile;
  }

  /** Takes a time in. HOT: an addition, and one in REFRESH_SAMPLES times a walk over the buckets. @param us >= 0, an int32 */
  record(us: number): void {
    const at = bucketOf(us);
    this.#counts[at] = (this.#counts[at] as number) + 1; // at < BUCKETS
    this.#total += 1;
    this.#sinceHalving += 1;
    this.#sinceRefresh += 1;
    if (this.#sinceHalving >= HALVING_SAMPLES) this.#halve();
    if (this.#sinceRefresh >= REFRESH_SAMPLES) this.#refresh();
  }

  /** In µs, as of some times ago; never below the exact quantile of those. NOT_KNOWN until there were 64. */
  get valueUs(): number {
    return this.#valueUs;
  }

  #halve(): void {
    this.#sinceHalving = 0;
    this.#total = 0;
    for (let at = 0; at < BUCKETS; at++) {
      const half = (this.#counts[at] as number) >>> 1; // at < BUCKETS
      this.#counts[at] = half;
      this.#total += half;
    }
  }

  #refresh(): void {
    this.#sinceRefresh = 0;
    const rank = Math.max(1, Math.ceil(this.#quantile * this.#total));
    let seen = 0;
    for (let at = 0; at < BUCKETS; at++) {
      seen += this.#counts[at] as number; // at < BUCKETS
      if (seen < rank) continue;
      this.#valueUs = upperEdgeOf(at);
      return;
    }
  }
}

/** Times below PARTS have a bucket each. */
function bucketOf(us: number): number {
  if (us < PARTS) return us;
  const exponent = 31 - Math.clz32(us);
  const part = (us >>> (exponent - PART_BITS)) - PARTS;
  return (exponent - PART_BITS + 1) * PARTS + part;
}

/** The largest time of a bucket. */
function upperEdgeOf(at: number): number {
  if (at < PARTS) return at;
  const width = 2 ** (Math.floor(at / PARTS) - 1);
  return (PARTS + (at % PARTS) + 1) * width - 1;
}
