/** Which endpoints are ejected by the counts of an interval. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IntervalFacts, successBound, suspectsOf } from '../../../src/control/outlier-statistics.js';

const NO_RULES = { failureRatio: null, successRate: null, latency: null };

/** So many of a hundred succeed, in `ms` each. */
const of = (successes: number, ms = 10, requests = 100): IntervalFacts => ({
  successes,
  failures: requests - successes,
  successUs: successes * ms * 1_000,
});

describe('failure ratio', () => {
  const rules = { ...NO_RULES, failureRatio: { above: 0.85, leastRequests: 50 } };

  it('names those above it, the worst first', () => {
    expect(suspectsOf([of(100), of(14), of(15), of(0)], rules).map(({ index, reason }) => [index, reason])).toEqual([
      [3, 'failure-ratio'],
      [1, 'failure-ratio'],
    ]);
  });

  it('needs as many requests as it says', () => {
    expect(suspectsOf([of(0, 0, 49), of(0, 0, 0)], rules)).toEqual([]);
    expect(suspectsOf([of(0, 0, 50)], rules).length).toBe(1);
  });
});

describe('success rate', () => {
  const rules = { ...NO_RULES, successRate: { deviations: 1.9, leastRequests: 100, leastEndpoints: 5 } };

  it("has Envoy's bound: the mean less 1.9 standard deviations", () => {
    // mean 0.9, variance (4 x 0.1^2 + 0.4^2) / 5 = 0.04
    expect(successBound([1, 1, 1, 1, 0.5], 1.9)).toBeCloseTo(0.9 - 1.9 * 0.2, 10);
  });

  it('names who is below it', () => {
    expect(suspectsOf([of(100), of(100), of(100), of(50), of(100)], rules).map(({ index }) => index)).toEqual([3]);
  });

  it('names nobody where all are alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 5, max: 20 }), (successes, count) => {
        expect(suspectsOf(new Array(count).fill(of(successes)), rules)).toEqual([]);
      }),
    );
  });

  it.each([
    ['too few endpoints', [of(100), of(100), of(100), of(0)]],
    ['too few endpoints with enough requests', [of(100), of(100), of(100), of(0), of(99, 10, 99)]],
    ['too few endpoints that are judged', [of(100), of(100), of(100), of(0), null]],
  ])('names nobody of %s', (_why, facts) => {
    expect(suspectsOf(facts, rules)).toEqual([]);
  });
});

describe('latency', () => {
  const rules = { ...NO_RULES, latency: { factor: 3, leastRequests: 50, leastEndpoints: 3 } };

  it('names who takes more than so many times the median', () => {
    expect(suspectsOf([of(100, 10), of(100, 31), of(100, 10), of(100, 90)], rules)).toEqual([
      { index: 3, reason: 'latency', excess: 90_000 - 3 * 20_500 },
    ]);
  });

  it('needs as many endpoints with as many answers as it says', () => {
    expect(suspectsOf([of(100, 10), of(100, 900)], rules)).toEqual([]);
    expect(suspectsOf([of(100, 10), of(100, 10), of(49, 900)], rules)).toEqual([]);
    expect(suspectsOf([of(100, 10), of(100, 10), of(50, 900)], rules).length).toBe(1);
  });
});

describe('several rules', () => {
  it('name an endpoint once, by the first that finds it', () => {
    const rules = {
      failureRatio: { above: 0.5, leastRequests: 1 },
      successRate: { deviations: 1, leastRequests: 1, leastEndpoints: 1 },
      latency: { factor: 2, leastRequests: 1, leastEndpoints: 1 },
    };
    expect(suspectsOf([of(100), of(100), of(10, 90)], rules).map(({ index, reason }) => [index, reason])).toEqual([
      [2, 'failure-ratio'],
    ]);
  });
});
