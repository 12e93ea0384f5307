/** `weights: performance`: moves the share of each endpoint in small steps towards what its latency and errors deserve. */

/** Time between two steps in ms: some hundred requests of a busy endpoint, and the grain in which counts are looked at. */
export const PERFORMANCE_PERIOD_MS = 1_000;

/**
 * Bounds of a share. An endpoint keeps a tenth, however slow, so that its recovery is seen in its own traffic. It gets twice its weight at
 * the most: how fast an endpoint is while it has little to do says little of how fast it is with a multiple of that.
 */
export const LEAST_PERFORMANCE_SHARE = 0.1;
export const MOST_PERFORMANCE_SHARE = 2;

/** Largest step, as a logarithm of the share: 10 %, from full weight to the least in 24 s. */
export const MOST_STEP = Math.log(1.1);
/** Smallest step that a turn of direction leaves: the grain of a weight of 1. */
const LEAST_STEP = 0.01;
/** A step in the same direction is longer than the one before by this: slowly, or the halving at each turn would not win against it. */
const STEP_GROWTH = 1.03;
/** Part of the way to its goal that a step goes at the most: latency falls with the share, and how steeply nobody knows. */
const GAIN = 0.3;
/** A share this near to its goal (15 %, as a logarithm) stays: such differences are noise of the estimates. */
const DEAD_BAND = 0.15;
/** Weight of the newest latency in the mean of their logarithms that is compared: a fifth, hence about the last 5 s. */
const SMOOTHING = 0.2;
/** Requests that a judgement needs; they are collected over as many periods as that takes, up to QUIET_PERIODS. */
const LEAST_REQUESTS = 10;
/** After so many periods without a judgement nothing is known any more, and the share goes back to 1. */
const QUIET_PERIODS = 10;
/** Step on the way back, as a logarithm. */
const STEP_BACK = Math.log(1.05);

/** What was seen of one endpoint in a period. */
export interface PerformanceFacts {
  /** Estimate in µs; null: none, or too old, or the endpoint warms up or takes no work. */
  readonly latencyUs: number | null;
  /** In this period. */
  readonly attempts: number;
  readonly failures: number;
}

/** What is kept of one endpoint from period to period. */
export interface PerformanceState {
  /** Part by which its weight counts. */
  readonly share: number;
  /** Length of its next step, and where the last one led. */
  readonly step: number;
  readonly direction: -1 | 0 | 1;
  /** Mean of the logarithms of its latencies; null: none yet. */
  readonly logLatency: number | null;
  /** Since the last judgement. */
  readonly attempts: number;
  readonly failures: number;
  readonly quietPeriods: number;
}

/** An endpoint of which nothing is known. */
export const UNJUDGED: PerformanceState = {
  share: 1,
  step: MOST_STEP,
  direction: 0,
  logLatency: null,
  attempts: 0,
  failures: 0,
  quietPeriods: 0,
};

/**
 * Moves the shares of an upstream's endpoints by one period. The goal of each is median latency / own latency x (1 - share of failures), within
 * the bounds. A step goes a part of the way there, halves where the direction turns and grows again slowly (as in Rprop), because the latency
 * of an endpoint falls with its share, more steeply the busier it is: so a swing dies out whatever the slope. Pure.
 *
 * @param states one for each endpoint, in any fixed order
 * @param facts  in the same order
 */
export function stepPerformance(
  states: readonly PerformanceState[],
  facts: readonly PerformanceFacts[],
): PerformanceState[] {
  const collected = states.map((state, index) => collect(state, facts[index]));
  const known = collected.flatMap(({ logLatency }) => (logLatency === null ? [] : [logLatency]));
  const median = medianOf(known);
  return collected.map((state) => {
    if (state.logLatency !== null && median !== null && state.attempts >= LEAST_REQUESTS) return judged(state, median);
    if (state.quietPeriods < QUIET_PERIODS) return state;
    const share = state.share * Math.exp(towards(-Math.log(state.share), STEP_BACK));
    const { logLatency, attempts, failures, quietPeriods } = state;
    // What is collected begins anew after each QUIET_PERIODS, and not in each period: a trickle would never make a judgement then.
    const isOver = quietPeriods % QUIET_PERIODS === 0;
    return { ...UNJUDGED, share, quietPeriods, ...(isOver ? {} : { logLatency, attempts, failures }) };
  });
}

function collect(state: PerformanceState, facts: PerformanceFacts | undefined): PerformanceState {
  if (facts === undefined || facts.latencyUs === null) return { ...state, quietPeriods: state.quietPeriods + 1 };
  const logLatency = Math.log(facts.latencyUs);
  return {
    ...state,
    logLatency: state.logLatency === null ? logLatency : state.logLatency + (logLatency - state.logLatency) * SMOOTHING,
    attempts: state.attempts + facts.attempts,
    failures: state.failures + facts.failures,
    quietPeriods: state.quietPeriods + 1,
  };
}

function judged(state: PerformanceState, median: number): PerformanceState {
  const fresh = { ...state, attempts: 0, failures: 0, quietPeriods: 0 };
  const passed = 1 - Math.min(state.failures / state.attempts, 1);
  const goal = bounded(Math.exp(median - (state.logLatency ?? median)) * passed);
  const way = Math.log(goal / state.share);
  if (Math.abs(way) < DEAD_BAND) return fresh;
  const direction = way > 0 ? 1 : -1;
  const step =
    state.direction === -direction
      ? Math.max(state.step / 2, LEAST_STEP)
      : Math.min(state.step * STEP_GROWTH, MOST_STEP);
  return { ...fresh, step, direction, share: bounded(state.share * Math.exp(towards(way * GAIN, step))) };
}

/** @returns the way, at most `step` long */
function towards(way: number, step: number): number {
  return Math.sign(way) * Math.min(Math.abs(way), step);
}

function bounded(share: number): number {
  return Math.min(Math.max(share, LEAST_PERFORMANCE_SHARE), MOST_PERFORMANCE_SHARE);
}

/** null: of nothing. */
function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
