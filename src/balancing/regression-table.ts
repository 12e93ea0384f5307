/** Linear regressions that learn online, many of one shape side by side: each forgets slowly and leaks back to zero. */

/** Coefficients of each; the first one belongs to a feature that is always 1. */
export const FEATURES = 5;

/**
 * Samples after which an old one has lost 63 % of its say. Long, because what is learned here is the shape (what a kind of request costs,
 * how an endpoint bears load); how an endpoint does at the moment is tracked beside it, in seconds (response-times.ts). At 100 requests
 * a second five minutes; at one in three seconds a day, so that the time of day can be learned where it is sampled that slowly.
 */
export const SAMPLES_KEPT = 32_768;
const KEPT = 1 - 1 / SAMPLES_KEPT;

/** While a regression is young every sample moves it; later it is solved again after this many. */
const SOLVED_AT_ONCE = 64;
const SOLVED_EVERY = 16;
/** A pivot below this is no matrix of these sums any more. */
const LEAST_PIVOT = 1e-9;

// A row: coefficients, sums of x y, sums of x xᵀ (lower triangle, row by row), samples.
const MOMENTS = FEATURES;
const PRODUCTS = 2 * FEATURES;
const SAMPLES = PRODUCTS + (FEATURES * (FEATURES + 1)) / 2;
const STRIDE = SAMPLES + 1;

/**
 * Recursive least squares with forgetting, kept as sums (the information form) rather than as a covariance:
 *   A ← k A + x xᵀ + (1 - k) R,   b ← k b + x y,   coefficients = A⁻¹ b   with k = KEPT, A = R at first.
 * What is forgotten of the ridge R is put back with each sample, so A never falls below R: a feature that does not vary leaves its
 * coefficient at zero instead of blowing a covariance up (wind-up), and A stays symmetric and positive by construction. A row whose sums
 * were spoilt all the same begins anew. Solved by LDLᵀ, 5 x 5, not at each sample.
 *
 * HOT: no allocation after construction. Fractions go through arrays, because V8 boxes what a call it does not inline is handed or
 * returns. Thread: worker.
 * @see Ljung, Söderström, Theory and Practice of Recursive Identification, 1983 (forgetting, wind-up)
 */
export class RegressionTable {
  /** Where predict() and lookUp() leave what they find. */
  readonly found = new Float64Array(1);
  readonly #rows: Float64Array;
  readonly #ridge: Float64Array;
  readonly #factors = new Float64Array(FEATURES * FEATURES);
  readonly #pivots = new Float64Array(FEATURES);
  readonly #solution = new Float64Array(FEATURES);

  /** @param ridge how many samples' worth of doubt each coefficient begins with, > 0; FEATURES of them */
  constructor(count: number, ridge: readonly number[]) {
    this.#rows = new Float64Array(count * STRIDE);
    this.#ridge = Float64Array.from(ridge);
    for (let row = 0; row < count; row++) this.forget(row);
  }

  /** Samples that a row has learned from. */
  samples(row: number): number {
    return this.#rows[row * STRIDE + SAMPLES] as number; // row < count, as in all methods
  }

  /** Looks one coefficient up, into `found`. @param feature 0 .. FEATURES - 1 */
  lookUp(row: number, feature: number): void {
    this.found[0] = this.#rows[row * STRIDE + feature] as number;
  }

  /** Predicts into `found`. @param features FEATURES of them, the first of which is 1 */
  predict(row: number, features: Float64Array): void {
    const rows = this.#rows;
    const base = row * STRIDE;
    let sum = 0;
    for (let feature = 0; feature < FEATURES; feature++)
      sum += (rows[base + feature] as number) * (features[feature] as number);
    this.found[0] = sum;
  }

  /** @param features as in predict() @param observation [0]: what was to be predicted */
  learn(row: number, features: Float64Array, observation: Float64Array): void {
    const rows = this.#rows;
    const observed = observation[0] as number; // it has one
    const base = row * STRIDE;
    let at = base + PRODUCTS;
    for (let i = 0; i < FEATURES; i++) {
      const feature = features[i] as number; // i, j < FEATURES
      rows[base + MOMENTS + i] = KEPT * (rows[base + MOMENTS + i] as number) + feature * observed;
      for (let j = 0; j <= i; j++, at++) rows[at] = KEPT * (rows[at] as number) + feature * (features[j] as number);
      rows[at - 1] = (rows[at - 1] as number) + (1 - KEPT) * (this.#ridge[i] as number);
    }
    const samples = this.samples(row) + 1;
    rows[base + SAMPLES] = samples;
    if (samples > SOLVED_AT_ONCE && samples % SOLVED_EVERY !== 0) return;
    if (!this.#solve(base)) this.forget(row);
  }

  /** Begins a row anew: all coefficients 0. */
  forget(row: number): void {
    const base = row * STRIDE;
    this.#rows.fill(0, base, base + STRIDE);
    let diagonal = base + PRODUCTS;
    for (let i = 0; i < FEATURES; i++) {
      this.#rows[diagonal] = this.#ridge[i] as number;
      diagonal += i + 2;
    }
  }

  /** @returns false, with the coefficients as they were, when the sums are no longer those of finite samples */
  #solve(base: number): boolean {
    const rows = this.#rows;
    const factors = this.#factors;
    const pivots = this.#pivots;
    const solution = this.#solution;
    let at = base + PRODUCTS;
    for (let i = 0; i < FEATURES; i++) {
      let right = rows[base + MOMENTS + i] as number; // all indices are inside the row or below FEATURES
      for (let j = 0; j <= i; j++, at++) {
        let sum = rows[at] as number;
        for (let k = 0; k < j; k++) {
          sum -= (factors[i * FEATURES + k] as number) * (factors[j * FEATURES + k] as number) * (pivots[k] as number);
        }
        if (i !== j) {
          const factor = sum / (pivots[j] as number);
          factors[i * FEATURES + j] = factor;
          right -= factor * (solution[j] as number);
        } else if (sum > LEAST_PIVOT) {
          pivots[i] = sum;
        } else {
          return false;
        }
      }
      solution[i] = right;
    }
    let checksum = 0;
    for (let i = FEATURES - 1; i >= 0; i--) {
      let value = (solution[i] as number) / (pivots[i] as number);
      for (let k = i + 1; k < FEATURES; k++) value -= (factors[k * FEATURES + i] as number) * (solution[k] as number);
      solution[i] = value;
      checksum += value;
    }
    if (!Number.isFinite(checksum)) return false;
    for (let i = 0; i < FEATURES; i++) rows[base + i] = solution[i] as number;
    return true;
  }
}
