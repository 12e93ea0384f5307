/** Shares that follow latency and errors, alone and in a loop where latency follows the share. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECAY_MS, foldSample } from '../../../../src/balancing/latency.js';
import { NO_SAMPLE } from '../../../../src/board/endpoint-load.js';
import {
  LEAST_PERFORMANCE_SHARE,
  MOST_PERFORMANCE_SHARE,
  MOST_STEP,
  type PerformanceFacts,
  stepPerformance,
  UNJUDGED,
} from '../../../../src/control/weights/performance.js';
import { seededRng } from '../../../../src/core/rng.js';

const busy = (latencyUs: number, failures = 0): PerformanceFacts => ({ latencyUs, attempts: 100, failures });
const QUIET: PerformanceFacts = { latencyUs: null, attempts: 0, failures: 0 };

/** Shares after each of so many periods with the same facts. */
function sharesOver(periods: number, facts: readonly PerformanceFacts[], before = facts.map(() => UNJUDGED)) {
  const history: number[][] = [];
  let states = before;
  for (let period = 0; period < periods; period++) {
    states = stepPerformance(states, facts);
    history.push(states.map(({ share }) => share));
  }
  return { history, states, last: states.map(({ share }) => share) };
}

describe('performance weights', () => {
  it('leave equal endpoints equal, and at 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 10_000_000 }), (count, latencyUs) => {
        const { last } = sharesOver(
          30,
          Array.from({ length: count }, () => busy(latencyUs)),
        );
        expect(last).toEqual(last.map(() => 1));
      }),
      { numRuns: 50 },
    );
  });

  it('stay within their bounds and their steps, whatever comes', () => {
    const facts = fc.record({
      latencyUs: fc.option(fc.integer({ min: 1, max: 2 ** 30 })),
      attempts: fc.nat(200),
      failures: fc.nat(200),
    });
    fc.assert(
      fc.property(fc.array(fc.array(facts, { minLength: 3, maxLength: 3 }), { maxLength: 40 }), (periods) => {
        let states = [UNJUDGED, UNJUDGED, UNJUDGED];
        for (const each of periods) {
          const next = stepPerformance(states, each);
          for (const [index, { share }] of next.entries()) {
            expect(share).toBeGreaterThanOrEqual(LEAST_PERFORMANCE_SHARE);
            expect(share).toBeLessThanOrEqual(MOST_PERFORMANCE_SHARE);
            expect(Math.abs(Math.log(share / states[index]!.share))).toBeLessThanOrEqual(MOST_STEP + 1e-9);
          }
          states = next;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('bring an endpoint that is three times as slow to about a third', () => {
    const { last } = sharesOver(60, [busy(10_000), busy(10_000), busy(10_000), busy(30_000)]);
    expect(last.slice(0, 3)).toEqual([1, 1, 1]);
    expect(last[3]).toBeGreaterThan(0.3);
    expect(last[3]).toBeLessThan(0.4);
  });

  it('leave a tenth to the slowest, and give no more than twice its weight to the fastest', () => {
    const { last } = sharesOver(120, [busy(10_000), busy(10_000), busy(10_000_000), busy(10)]);
    expect(last[2]).toBeLessThan(0.12);
    expect(last[3]).toBeGreaterThan(1.7);
  });

  it('take away what fails, though it is as fast as the others', () => {
    const { last } = sharesOver(60, [busy(10_000), busy(10_000), busy(10_000, 50)]);
    expect(last[2]).toBeGreaterThan(0.49);
    expect(last[2]).toBeLessThan(0.6);
  });

  it('collect requests until there are enough for a judgement', () => {
    const few = (latencyUs: number) => ({ latencyUs, attempts: 3, failures: 0 });
    const { history } = sharesOver(4, [few(10_000), few(10_000), few(90_000)]);
    expect(history.map((shares) => shares[2]! < 1)).toEqual([false, false, false, true]);
  });

  it('go back to 1 when nothing is known any more', () => {
    const { states } = sharesOver(60, [busy(10_000), busy(10_000), busy(90_000)]);
    const { history } = sharesOver(90, [QUIET, QUIET, QUIET], states);
    expect(history[8]![2]).toBe(states[2]!.share);
    expect(history[89]).toEqual([1, 1, 1]);
  });

  it('judge a slow trickle that begins after a quiet time', () => {
    const few = (latencyUs: number) => ({ latencyUs, attempts: 3, failures: 0 });
    const { states } = sharesOver(30, [QUIET, QUIET, QUIET]);
    const { last } = sharesOver(80, [few(10_000), few(10_000), few(30_000)], states);
    expect(last[2]).toBeGreaterThan(0.3);
    expect(last[2]).toBeLessThan(0.5);
  });

  it('bring a slow endpoint back once it is as fast as the others', () => {
    const { states } = sharesOver(60, [busy(10_000), busy(10_000), busy(50_000)]);
    const { last } = sharesOver(120, [busy(10_000), busy(10_000), busy(10_000)], states);
    expect(last[2]).toBeGreaterThan(0.85);
  });
});

/**
 * A fleet under a constant stream of requests, each endpoint an M/M/1 queue: its latency rises with its share. The estimates are those of the
 * data plane. Speeds are relative; `load` is the part of the fleet's capacity in use.
 */
function closedLoop(speeds: readonly number[], load: number, requestsPerSecond: number, seconds: number) {
  const rng = seededRng(7);
  const capacity = speeds.reduce((sum, speed) => sum + speed, 0);
  const estimates = speeds.map(() => NO_SAMPLE);
  let states = speeds.map(() => UNJUDGED);
  const history: number[][] = [];
  for (let second = 0; second < seconds; second++) {
    const total = states.reduce((sum, { share }) => sum + share, 0);
    const facts = speeds.map((speed, index) => {
      const part = states[index]!.share / total;
      const used = Math.min((load * capacity * part) / speed, 0.98);
      const meanUs = 10_000 / speed / (1 - used);
      const requests = Math.round(requestsPerSecond * part);
      for (let request = 0; request < requests; request++) {
        const sampleUs = -meanUs * Math.log((rng.nextBits() + 1) / 2 ** 31);
        estimates[index] = foldSample(estimates[index]!, sampleUs, Math.min(1_000 / requests, DECAY_MS));
      }
      return { latencyUs: estimates[index]!, attempts: requests, failures: 0 };
    });
    states = stepPerformance(states, facts);
    const sum = states.reduce((all, { share }) => all + share, 0);
    history.push(states.map(({ share }) => share / sum));
  }
  return history;
}

describe('performance weights of a fleet whose latency follows its load', () => {
  it.each([0.3, 0.7, 0.9])('settle without a swing at %s of capacity', (load) => {
    const tail = closedLoop([1, 1, 1, 0.5], load, 400, 400).slice(-150);
    for (const [index, speed] of [1, 1, 1, 0.5].entries()) {
      const parts = tail.map((shares) => shares[index]!);
      const [low, high] = [Math.min(...parts), Math.max(...parts)];
      expect(high - low).toBeLessThan(0.15 * high);
      // In proportion to what they can do, within the dead band.
      expect((low + high) / 2).toBeGreaterThan((0.85 * speed) / 3.5);
      expect((low + high) / 2).toBeLessThan((1.15 * speed) / 3.5);
    }
  });

  it('keep equal endpoints within a tenth of each other', () => {
    for (const shares of closedLoop([1, 1, 1, 1], 0.6, 400, 300).slice(50))
      for (const share of shares) expect(Math.abs(share - 0.25)).toBeLessThan(0.025);
  });

  it('find the proportions of a fleet of 1 : 2 : 3', () => {
    const tail = closedLoop([1, 2, 3], 0.6, 400, 300).slice(-100);
    const mean = [0, 1, 2].map((index) => tail.reduce((sum, shares) => sum + shares[index]!, 0) / tail.length);
    for (const [index, part] of [1 / 6, 2 / 6, 3 / 6].entries())
      expect(Math.abs(mean[index]! - part)).toBeLessThan(0.15 * part);
  });
});
