/**
 * Gradient2: how much an endpoint may have in flight, by how its latency now compares with how it usually is. Pure.
 *
 * Source: Netflix concurrency-limits (semantics.md 8). Two things are different here. What makes the endpoint slow while the limit is in use may be
 * the limit itself, so such windows do not count towards what is usual; else hours of overload would become usual, and the limit grow with them.
 * Where that lasts, a few windows with half of the limit find out (Envoy's gradient controller measures with few requests, too): an endpoint that is as slow then
 * has become slow by itself. And a share of failures makes the limit smaller at once.
 */
import type { ConcurrencyPlan } from '../config/resilience-plan.js';

/** Latency may be this many times what is usual before the limit shrinks. */
const TOLERANCE = 1.5;
/** A window shrinks the limit to a half of itself at the most, before smoothing. */
const LEAST_GRADIENT = 0.5;
/** What may wait at the endpoint, in requests: by this the limit grows while latency is as usual. */
const QUEUE = 4;
/** Part of the way to the new limit that one window goes. */
const SMOOTHING = 0.2;
/** Windows over which the usual latency is averaged, and of which the plain mean is taken at first. */
const LONG_WINDOW = 600;
const WARM_UP = 10;
/** Where latency has fallen to less than half of what is usual, the usual follows faster. */
const MUCH_BETTER = 2;
const CATCH_UP = 0.95;
/** After so many slow windows in a row, each with the limit in use and nearly where it was, it is found out whether the limit is to blame. */
const TRIAL_AFTER = 100;
/** A window that leaves less than this of the limit is on its way to where the limit belongs. */
const SETTLED = 0.995;
/** In so many windows, with this part of the limit: long enough for what is above it to end. */
const TRIAL_WINDOWS = 3;
const TRIAL_PART = 0.5;
/** A larger share of failures in a window means overload; fewer are what happens to every endpoint. */
const MOST_FAILED = 0.05;
/** What a window with more leaves of the limit (AIMD). */
const BACK_OFF = 0.9;

/** What is kept of an endpoint from window to window. */
export interface Gradient2State {
  /** Not rounded. */
  readonly limit: number;
  /** Usual latency in µs; 0: none yet. */
  readonly longUs: number;
  /** Windows that went into it, up to WARM_UP. */
  readonly windows: number;
  /** Slow ones in a row, with the limit in use and settled. */
  readonly slowWindows: number;
  /** While it is found out whether the limit is to blame for that. */
  readonly trial: {
    readonly limitBefore: number;
    readonly windowsLeft: number;
    /** Least mean latency of its windows so far. */
    readonly leastUs: number;
  } | null;
}

/** What was seen of an endpoint in a window. */
export interface WindowFacts {
  readonly successes: number;
  /** Attempts that failed, and answers by which a gateway says that it is overloaded or gets no answer: 502, 503, 504. */
  readonly failures: number;
  /** Mean time to first byte of the successes in µs, > 0 where there are any. */
  readonly meanUs: number;
  /** Most in flight. */
  readonly inFlight: number;
}

/** An endpoint that nothing is known of. */
export function beginGradient2({ initial }: ConcurrencyPlan): Gradient2State {
  return { limit: initial, longUs: 0, windows: 0, slowWindows: 0, trial: null };
}

/** Takes one window. */
export function stepGradient2(state: Gradient2State, facts: WindowFacts, bounds: ConcurrencyPlan): Gradient2State {
  const { successes, failures, meanUs, inFlight } = facts;
  if (failures > MOST_FAILED * (successes + failures)) {
    return { ...state, limit: bounded(state.limit * BACK_OFF, bounds), trial: null };
  }
  if (successes === 0) return state;
  if (state.trial !== null) return stepTrial(state, state.trial, meanUs);
  const isUsed = inFlight >= state.limit / 2;
  const learnt = learn(state, meanUs, isUsed);
  if (learnt.slowWindows >= TRIAL_AFTER) return beginTrial(learnt, bounds);
  if (!isUsed) return learnt;
  const limit = bounded(limitAfter(state.limit, learnt.longUs, meanUs), bounds);
  return { ...learnt, limit, slowWindows: limit < state.limit * SETTLED ? 0 : learnt.slowWindows };
}

/** The new limit, before its bounds. */
export function limitAfter(limit: number, longUs: number, rttUs: number): number {
  const gradient = Math.max(LEAST_GRADIENT, Math.min(1, (TOLERANCE * longUs) / rttUs));
  return limit * (1 - SMOOTHING) + (limit * gradient + QUEUE) * SMOOTHING;
}

function learn(state: Gradient2State, rttUs: number, isUsed: boolean): Gradient2State {
  const { longUs, windows, slowWindows } = state;
  if (windows < WARM_UP) {
    return { ...state, longUs: longUs + (rttUs - longUs) / (windows + 1), windows: windows + 1 };
  }
  if (isUsed && rttUs > TOLERANCE * longUs) return { ...state, slowWindows: slowWindows + 1 };
  const averaged = longUs + ((rttUs - longUs) * 2) / (LONG_WINDOW + 1);
  return { ...state, longUs: averaged / rttUs > MUCH_BETTER ? averaged * CATCH_UP : averaged, slowWindows: 0 };
}

function beginTrial(state: Gradient2State, bounds: ConcurrencyPlan): Gradient2State {
  const trial = { limitBefore: state.limit, windowsLeft: TRIAL_WINDOWS, leastUs: Number.POSITIVE_INFINITY };
  return { ...state, limit: bounded(state.limit * TRIAL_PART, bounds), slowWindows: 0, trial };
}

function stepTrial(
  state: Gradient2State,
  { limitBefore, windowsLeft, leastUs }: NonNullable<Gradient2State['trial']>,
  rttUs: number,
): Gradient2State {
  const seenUs = Math.min(leastUs, rttUs);
  if (windowsLeft > 1) return { ...state, trial: { limitBefore, windowsLeft: windowsLeft - 1, leastUs: seenUs } };
  // As slow with half of it: this is what is usual now.
  const longUs = seenUs > TOLERANCE * state.longUs ? seenUs : state.longUs;
  return { ...state, limit: limitBefore, longUs, trial: null };
}

function bounded(limit: number, { least, most }: ConcurrencyPlan): number {
  return Math.min(Math.max(limit, least), most);
}
