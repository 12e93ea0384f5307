/** What `predictive` has learned of an upstream's response times in one worker: by endpoint, route, size and load. */
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import { DECAY_MS, FORGIVE_MS, foldPeak, IDLE_GRACE_MS, LEAST_SAMPLE_WEIGHT, MOST_SAMPLE_US } from './latency.js';
import { FEATURES, RegressionTable } from './regression-table.js';

/** Most regressions of one upstream in one worker, about 0.9 MiB; with many endpoints routes share them. */
const MOST_ROWS = 4_096;
/** Routes that are told apart at most; more fall together, as the remainder of their number. */
const MOST_CLASSES = 16;

// Features: 1, log2(1 + in flight), size class, sine and cosine of the time of day.
const INFLIGHT = 1;
const SIZE = 2;
const SINE = 3;
const COSINE = 4;

/**
 * Doubt of each coefficient, in samples: next to none of the level; a few of load and size; of the time of day so much that it counts
 * only where hours have been seen.
 */
const RIDGE = [0.001, 4, 4, 64, 64];

/**
 * What is taken for the exponent of load before any is learned: response time ~ (1 + in flight), one processor that is shared, as
 * least-time has it. The regression learns the difference.
 */
const PRIOR_LOAD = 1;
/**
 * Least exponent that picks go by: an endpoint that has never been seen under load is not loaded without end. With less, one of three
 * equal endpoints that seems a step of the comparison faster than it is gets three quarters of the requests (predictive.test.ts).
 */
const LEAST_LOAD = 1 / 4;
const MOST_LOAD = 2;

/** Samples of an endpoint and class before its own regression is believed; until then what its peers need for that class. */
const LEAST_SAMPLES = 4;
/** Weight of one sample in the typical time of a class. */
const CLASS_WEIGHT = 1 / 64;

/** Body of an unknown length (chunked): taken for 16 to 32 KiB, in the middle of the classes. */
const UNKNOWN_SIZE_CLASS = 5;
const KIB_SHIFT = 10;
const SIZE_SCALE = 1 / 8;

/** A failure doubles what is expected of its endpoint, one for each incident (FAILURE_FACTOR in latency.ts); at most so many times. */
const MOST_BIAS = 20;
/** One who waits longer than this many times what was slow so far is stalled. */
const STALL_FACTOR = 2;

const US_PER_MS = 1_000;
const DAY_MS = 86_400_000;
/** The time of day is worked out again after this. */
const DAY_STEP_MS = 10_000;
/** log2(e) / DECAY_MS: what an idle endpoint's time loses of its logarithm in a millisecond, as fadedEstimate() has it. */
const FADE_PER_MS = Math.LOG2E / DECAY_MS;
const MOST_LOG_US = Math.log2(MOST_SAMPLE_US);

/** Logarithms of 1 + n, for as many in flight as endpoints usually have: Math.log2 costs more than all else of a score. */
const LOG_TABLE = Float64Array.from({ length: 1_024 }, (_, inflight) => Math.log2(1 + inflight));

/**
 * Predicts log2 of the response time in µs, because times are products: of what a request needs, how loaded its endpoint is, and how well
 * it does at the moment. Two memories:
 * - a regression for each endpoint and class of routes (RegressionTable), slow: what costs how much;
 * - one number for each endpoint, its bias, fast: how far the endpoint is above or below that in these seconds. It follows samples as the
 *   estimate of least-time does, whatever their class, and failures raise it.
 *
 * All of it is of one worker: it is statistics, which get no better by being exact, and sharing a matrix between threads would need a
 * lock. What decides about herds, the requests in flight, comes from the board.
 *
 * HOT (bench/micro/balancing/pick.bench.ts): no allocation after construction, hence fractions are left in arrays rather than handed from
 * call to call, as scoreOf() does. Thread: worker.
 */
export class ResponseTimes {
  /** Where unloaded(), growth() and predicted() leave what they find. */
  readonly found = new Float64Array(1);
  /** Of the request that is settled, see measure(): log2 of the µs it took. */
  readonly measured = new Float64Array(1);
  readonly #classes: number;
  readonly #regressions: RegressionTable;
  readonly #features = new Float64Array(FEATURES);
  /** What is learned: log2 of the µs that the request would have taken without load. */
  readonly #observation = new Float64Array(1);
  /** By row: when it last learned; NEVER: not yet. */
  readonly #learnedAt: Int32Array;
  /** By endpoint. */
  readonly #bias: Float64Array;
  readonly #settledAt: Int32Array;
  readonly #failedAt: Int32Array;
  readonly #peakUs: Float64Array;
  /** By class: mean log2 µs of an unloaded endpoint, and its samples. */
  readonly #typical: Float64Array;
  readonly #typicalSamples: Uint32Array;
  #class = 0;
  #dayAt: Tick = NEVER;
  #dayMs = 0;

  /** @param endpoints of the upstream, >= 1 */
  constructor(endpoints: number) {
    const classes = Math.max(1, Math.min(MOST_CLASSES, Math.floor(MOST_ROWS / endpoints)));
    this.#classes = classes;
    this.#regressions = new RegressionTable(endpoints * classes, RIDGE);
    this.#learnedAt = new Int32Array(endpoints * classes).fill(NEVER);
    this.#bias = new Float64Array(endpoints);
    this.#settledAt = new Int32Array(endpoints).fill(NEVER);
    this.#failedAt = new Int32Array(endpoints).fill(NEVER);
    this.#peakUs = new Float64Array(endpoints);
    this.#typical = new Float64Array(classes);
    this.#typicalSamples = new Uint32Array(classes);
    this.#features[0] = 1;
  }

  /** Turns to one kind of request: what follows is about it. @param bodyBytes -1: unknown */
  turnTo(routeClass: number, bodyBytes: number, now: Tick): void {
    this.#class = (routeClass >>> 0) % this.#classes;
    this.#features[SIZE] = sizeClassOf(bodyBytes) * SIZE_SCALE;
    if (this.#dayAt === NEVER || Math.abs(msBetween(this.#dayAt, now)) >= DAY_STEP_MS) this.#tellTimeOfDay(now);
  }

  /**
   * What an endpoint needs for such a request while nothing else is in flight there, as a pick sees it: it fades while the endpoint gets
   * none of the class, so that a slow one is tried again.
   *
   * Finds log2 µs; NaN when nothing is known of such requests.
   */
  unloaded(endpoint: number, now: Tick): void {
    const row = this.#rowOf(endpoint);
    const bias = this.#isForgiven(endpoint, now) ? 0 : (this.#bias[endpoint] as number); // endpoint < endpoints, as everywhere
    if (this.#regressions.samples(row) >= LEAST_SAMPLES) {
      this.#features[INFLIGHT] = 0;
      this.#regressions.predict(row, this.#features);
      const idleMs = this.#idleMs(row, endpoint, now);
      const fade = idleMs <= IDLE_GRACE_MS ? 0 : idleMs * FADE_PER_MS;
      this.found[0] = (this.#regressions.found[0] as number) + bias - fade;
    } else if (this.#typicalSamples[this.#class] === 0) {
      this.found[0] = Number.NaN;
    } else {
      this.found[0] = (this.#typical[this.#class] as number) + Math.max(bias, 0);
    }
  }

  /** Finds what load adds to that, in log2 µs: the response time grows with (1 + in flight) to a power that is the endpoint's. */
  growth(endpoint: number, inflight: number): void {
    this.#regressions.lookUp(this.#rowOf(endpoint), INFLIGHT);
    const learned = PRIOR_LOAD + (this.#regressions.found[0] as number);
    this.#takeLoad(inflight);
    this.found[0] = Math.min(Math.max(learned, LEAST_LOAD), MOST_LOAD) * (this.#features[INFLIGHT] as number);
  }

  /** Takes the time of a request that is to be learned from. @param elapsedUs any number; what is none counts as 1 µs */
  measure(elapsedUs: number): void {
    this.measured[0] = elapsedUs > 1 ? Math.min(Math.log2(elapsedUs), MOST_LOG_US) : 0;
  }

  /** Finds what would have been predicted for a request just settled, without fading: log2 µs, or NaN. */
  predicted(endpoint: number, inflight: number, now: Tick): void {
    this.#takeLoad(inflight);
    const load = this.#features[INFLIGHT] as number;
    const row = this.#rowOf(endpoint);
    const bias = this.#isForgiven(endpoint, now) ? 0 : (this.#bias[endpoint] as number);
    if (this.#regressions.samples(row) >= LEAST_SAMPLES) {
      this.#regressions.predict(row, this.#features);
      this.found[0] = (this.#regressions.found[0] as number) + PRIOR_LOAD * load + bias;
    } else if (this.#typicalSamples[this.#class] === 0) {
      this.found[0] = Number.NaN;
    } else {
      this.found[0] = (this.#typical[this.#class] as number) + PRIOR_LOAD * load + bias;
    }
  }

  /** Learns from the request that was measured. */
  learn(endpoint: number, inflight: number, now: Tick): void {
    this.#takeLoad(inflight);
    const logUs = this.measured[0] as number;
    const row = this.#rowOf(endpoint);
    this.#observation[0] = logUs - PRIOR_LOAD * (this.#features[INFLIGHT] as number);
    const isKnown = this.#regressions.samples(row) >= LEAST_SAMPLES;
    if (isKnown) this.#foldBias(row, endpoint, now);
    this.#regressions.learn(row, this.#features, this.#observation);
    this.#learnedAt[row] = now;
    this.#foldTypical();
    const gapMs = Math.max(msBetween(this.#settledAt[endpoint] as number, now), 0);
    this.#peakUs[endpoint] = foldPeak(this.#peakUs[endpoint] as number, Math.round(2 ** logUs), gapMs);
    this.#settledAt[endpoint] = now;
  }

  /** Takes a failure in, however fast it came: once for all that began before the last one. @param elapsedUs how long it took to fail */
  fail(endpoint: number, elapsedUs: number, now: Tick): void {
    const failedAt = this.#failedAt[endpoint] as number;
    const ageMs = msBetween(failedAt, now);
    this.#settledAt[endpoint] = now;
    if (failedAt !== NEVER && ageMs >= 0 && ageMs * US_PER_MS <= elapsedUs) return;
    this.#failedAt[endpoint] = now;
    this.#bias[endpoint] = Math.min(Math.max(this.#bias[endpoint] as number, 0) + 1, MOST_BIAS);
  }

  /** Does somebody wait longer than what was slow so far? @param ageUs of the oldest that waits */
  isStalled(endpoint: number, ageUs: number): boolean {
    return ageUs > STALL_FACTOR * (this.#peakUs[endpoint] as number);
  }

  /** log2(1 + in flight) becomes the feature of load. @param inflight below 0 counts as 0 */
  #takeLoad(inflight: number): void {
    this.#features[INFLIGHT] =
      inflight < LOG_TABLE.length ? (LOG_TABLE[inflight < 0 ? 0 : inflight] as number) : Math.log2(1 + inflight);
  }

  /** Since an endpoint was last heard of for this class: by an answer, or by a failure of any. */
  #idleMs(row: number, endpoint: number, now: Tick): number {
    const idleMs = msBetween(this.#learnedAt[row] as number, now);
    const failedAt = this.#failedAt[endpoint] as number;
    return failedAt === NEVER ? idleMs : Math.min(idleMs, msBetween(failedAt, now));
  }

  /** An endpoint that failed and then got nothing for a while is tried as if it had not (FORGIVE_MS in latency.ts). */
  #isForgiven(endpoint: number, now: Tick): boolean {
    return this.#failedAt[endpoint] !== NEVER && msBetween(this.#settledAt[endpoint] as number, now) >= FORGIVE_MS;
  }

  /** By the observation and its features. */
  #foldBias(row: number, endpoint: number, now: Tick): void {
    this.#regressions.predict(row, this.#features);
    const residual = (this.#observation[0] as number) - (this.#regressions.found[0] as number);
    const gapMs = msBetween(this.#settledAt[endpoint] as number, now);
    const bias = this.#bias[endpoint] as number;
    if (this.#isForgiven(endpoint, now) || gapMs >= DECAY_MS) {
      this.#failedAt[endpoint] = NEVER;
      this.#bias[endpoint] = residual;
      return;
    }
    const weight = Math.max(LEAST_SAMPLE_WEIGHT, gapMs <= IDLE_GRACE_MS ? 0 : 1 - Math.exp(-gapMs / DECAY_MS));
    this.#bias[endpoint] = bias + (residual - bias) * weight;
  }

  #foldTypical(): void {
    const unloadedLog = this.#observation[0] as number;
    const samples = this.#typicalSamples[this.#class] as number;
    const before = this.#typical[this.#class] as number;
    this.#typical[this.#class] = before + (unloadedLog - before) * Math.max(CLASS_WEIGHT, 1 / (samples + 1));
    if (samples < 1 / CLASS_WEIGHT) this.#typicalSamples[this.#class] = samples + 1;
  }

  /** Where the day begins does not matter to a sum of sine and cosine, so it begins with the first request. */
  #tellTimeOfDay(now: Tick): void {
    if (this.#dayAt !== NEVER) this.#dayMs = (this.#dayMs + msBetween(this.#dayAt, now)) % DAY_MS;
    this.#dayAt = now;
    const angle = (2 * Math.PI * this.#dayMs) / DAY_MS;
    this.#features[SINE] = Math.sin(angle);
    this.#features[COSINE] = Math.cos(angle);
  }

  #rowOf(endpoint: number): number {
    return endpoint * this.#classes + this.#class;
  }
}

/** Doublings of a KiB. */
function sizeClassOf(bodyBytes: number): number {
  if (!(bodyBytes >= 0)) return UNKNOWN_SIZE_CLASS;
  return 32 - Math.clz32(Math.min(bodyBytes, 2 ** 31) >>> KIB_SHIFT);
}
