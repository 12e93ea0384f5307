/** The verdicts of the laboratory's self-check, over made rounds of a machine as noisy as those it was written on. */
import { describe, expect, it } from 'vitest';
import { SELF_CHECK, selfCheckCandidates, selfCheckVerdicts } from '../../../bench/load/self-check.mjs';
import { seededRng } from '../../../src/core/rng.js';
import { Pipeline } from '../../../src/l7/pipeline.js';
import { resultOf } from './made-results.js';

const verdictsOf = (own: number[], planted: number[], again: number[]) =>
  selfCheckVerdicts(resultOf({ sluice: own, 'sluice + 2 µs': planted, 'sluice again': again }));
const verdicts = (own: number[], planted: number[], again: number[]) =>
  verdictsOf(own, planted, again).map(({ isGood }) => isGood);

/** Costs around 26 µs: 3 µs up and down that a whole round shares, 2 µs of each its own, and one in six disturbed by up to 10. */
function noisyRun(seed: number, plantedUs: number, againUs = 0, rounds = SELF_CHECK.rounds): boolean[] {
  const rng = seededRng(seed);
  const upTo = (us: number) => rng.below(1_000 * us) / 1_000;
  const cost = (round: number) => 26 + 3 * Math.sin(round / 4) + upTo(4) - 2 + (rng.below(6) === 0 ? upTo(10) : 0);
  const costs = (moreUs: number) => Array.from({ length: rounds }, (_, round) => cost(round) + moreUs);
  return verdicts(costs(0), costs(plantedUs), costs(againUs));
}

/** In how many of 100 made runs a verdict is good. */
function goodRuns(verdict: 0 | 1, runOf: (seed: number) => boolean[]): number {
  return Array.from({ length: 100 }, (_, seed) => runOf(seed + 1)[verdict]).filter(Boolean).length;
}

describe('the self-check', () => {
  const own = [20, 21, 19, 25, 20, 22];
  const more = (us: number) => own.map((cost) => cost + us);

  it('runs the planted candidate between the plain ones', () => {
    expect(selfCheckCandidates('/here', []).map(({ name }) => name)).toEqual([
      'sluice',
      'sluice + 2 µs',
      'sluice again',
    ]);
  });

  it('plants its work in a step that the pipeline has', () => {
    expect(Pipeline.prototype.begin).toBeTypeOf('function');
  });

  it('passes where sluice is even with itself and the planted work is found', () => {
    expect(verdicts(own, more(2.2), [21, 20, 20, 24, 21, 21])).toEqual([true, true]);
  });

  it('fails where one of two equals is always dearer', () => {
    expect(verdicts(own, more(3), more(1))[0]).toBe(false);
  });

  it('fails where the planted work is lost in the noise', () => {
    expect(verdicts(own, [22, 20, 21, 24, 22, 23], own)[1]).toBe(false);
  });

  it('fails where much more is found than was planted, and says so', () => {
    expect(verdictsOf(own, more(20), own)[1]).toEqual({
      isGood: false,
      sentence:
        '2 µs planted in each request: found 20.00 µs, in 95 of 100 runs 20.00 to 20.00; by the cheap quarter of the rounds 20.00 µs: MORE than was planted',
    });
  });

  it('does not take disturbed rounds for too much work', () => {
    const disturbed = more(2.5).map((cost, round) => (round % 2 === 0 ? cost + 15 : cost));
    expect(verdicts(own, disturbed, own)[1]).toBe(true);
  });

  it('finds 2 µs on a noisy machine, which eleven rounds seldom did', () => {
    expect(goodRuns(1, (seed) => noisyRun(seed, 2))).toBeGreaterThanOrEqual(95);
    expect(goodRuns(1, (seed) => noisyRun(seed, 2, 0, 11))).toBeLessThan(50);
  });

  it('finds nothing where nothing was planted', () => {
    expect(goodRuns(1, (seed) => noisyRun(seed, 0))).toBeLessThanOrEqual(3);
  });

  it('calls equals even, and those that are 2 µs apart not', () => {
    expect(goodRuns(0, (seed) => noisyRun(seed, 2))).toBeGreaterThanOrEqual(97);
    expect(goodRuns(0, (seed) => noisyRun(seed, 2, 2))).toBeLessThan(20);
  });
});
