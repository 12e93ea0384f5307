/** Finds the endpoints of an upstream that do worse than they may, or than the others, by what was counted in an interval. Pure. */
import type { OutlierPlan } from '../config/resilience-plan.js';
import type { EjectionReason } from '../policies/outlier.js';

/** What was counted of one endpoint in an interval. */
export interface IntervalFacts {
  readonly successes: number;
  readonly failures: number;
  /** Of the successes: time to first byte in µs, added up. */
  readonly successUs: number;
}

/** An endpoint that should be ejected. */
export interface Suspect {
  /** In the order of the facts. */
  readonly index: number;
  readonly reason: Extract<EjectionReason, 'failure-ratio' | 'success-rate' | 'latency'>;
  /** How far beyond what it may: of several the worst is ejected first. Comparable within a reason. */
  readonly excess: number;
}

type Rules = Pick<OutlierPlan, 'failureRatio' | 'successRate' | 'latency'>;

interface Judged {
  readonly index: number;
  readonly requests: number;
  readonly facts: IntervalFacts;
}

/**
 * Judges an interval: by its share of failures first, then by its rate of success, then by its latency; an endpoint is named once.
 *
 * @param facts of each endpoint; null: it is not judged, and no measure for the others
 * @returns the worst first within each reason
 */
export function suspectsOf(facts: readonly (IntervalFacts | null)[], rules: Rules): Suspect[] {
  const judged = facts.flatMap((each, index) =>
    each === null ? [] : [{ index, requests: each.successes + each.failures, facts: each }],
  );
  const found = [...byFailureRatio(judged, rules), ...bySuccessRate(judged, rules), ...byLatency(judged, rules)];
  return found.filter(({ index }, at) => found.findIndex((other) => other.index === index) === at);
}

function byFailureRatio(judged: readonly Judged[], { failureRatio }: Rules): Suspect[] {
  if (failureRatio === null) return [];
  const { above, leastRequests } = failureRatio;
  return worstFirst(
    judged
      .filter(({ requests }) => requests >= leastRequests && requests > 0)
      .map(({ index, requests, facts }) => ({
        index,
        reason: 'failure-ratio',
        excess: facts.failures / requests - above,
      })),
  );
}

/** Envoy's success rate: below the mean less so many standard deviations (of the population), where enough of them have enough requests. */
function bySuccessRate(judged: readonly Judged[], { successRate }: Rules): Suspect[] {
  if (successRate === null) return [];
  const { deviations, leastRequests, leastEndpoints } = successRate;
  const rated = judged
    .filter(({ requests }) => requests >= leastRequests && requests > 0)
    .map(({ index, requests, facts }) => ({ index, rate: facts.successes / requests }));
  if (rated.length < leastEndpoints) return [];
  const bound = successBound(
    rated.map(({ rate }) => rate),
    deviations,
  );
  return worstFirst(rated.map(({ index, rate }) => ({ index, reason: 'success-rate', excess: bound - rate })));
}

/** The mean less so many standard deviations. @param rates at least one */
export function successBound(rates: readonly number[], deviations: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - deviations * Math.sqrt(variance);
}

function byLatency(judged: readonly Judged[], { latency }: Rules): Suspect[] {
  if (latency === null) return [];
  const { factor, leastRequests, leastEndpoints } = latency;
  const measured = judged
    .filter(({ facts }) => facts.successes >= leastRequests && facts.successes > 0)
    .map(({ index, facts }) => ({ index, meanUs: facts.successUs / facts.successes }));
  if (measured.length < leastEndpoints) return [];
  const bound = factor * medianOf(measured.map(({ meanUs }) => meanUs));
  return worstFirst(measured.map(({ index, meanUs }) => ({ index, reason: 'latency', excess: meanUs - bound })));
}

/** What floating point adds to a sum of shares must not make a suspect of the average. */
const ROUNDING = 1e-9;

function worstFirst(suspects: readonly Suspect[]): Suspect[] {
  return suspects.filter(({ excess }) => excess > ROUNDING).sort((a, b) => b.excess - a.excess);
}

/** @param values at least one */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return (upper + lower) / 2;
}
