/** peak-ewma goes by the cost that slow answers leave behind. Stories with a clock moved by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WITH_PEAK } from '../../../src/balancing/attempt-measure.js';
import { NO_KEY } from '../../../src/balancing/balancer.js';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { type Behaviour, play, type Story, shareOf, upstreamOf } from './upstream-under-test.js';

const answersAfter =
  (afterMs: number): Behaviour =>
  () => ({ afterMs });

function tell(story: Story) {
  const upstream = upstreamOf(
    'peak-ewma',
    story.endpoints.map(() => ({})),
  );
  return play(upstream, new EndpointLedger(upstream.worker, 100_000), story);
}

/** An upstream whose endpoints have had one sample each, of the given µs, at tick 1; 0: none. */
function sampled(samplesUs: readonly number[], weights = samplesUs.map(() => 1)) {
  const upstream = upstreamOf(
    'peak-ewma',
    weights.map((weight) => ({ weight })),
  );
  const ledger = new EndpointLedger(upstream.worker, 8);
  samplesUs.forEach((elapsedUs, index) => {
    if (elapsedUs === 0) return;
    upstream.load(index, 1);
    ledger.begin(0, upstream.plan.endpoints[index]!, false, 1, WITH_PEAK);
    ledger.firstByte(0, 200, elapsedUs, 1);
    ledger.end(0, 1);
  });
  return { ...upstream, ledger };
}

describe('peak-ewma', () => {
  it('weighs the peak by what is in flight', () => {
    const upstream = sampled([10_000, 25_000]);
    expect(upstream.picks(3)).toBe('aab'); // 10, 20, then 30 against 25
  });

  it('weighs by weight', () => {
    expect(sampled([10_000, 15_000], [1, 3]).picks(3)).toBe('bba'); // 10/1 against 15/3, 30/3 (either), 45/3
  });

  it('goes by a peak rather than by the average', () => {
    const upstream = sampled([20_000, 20_000]);
    const { ledger, plan, load } = upstream;
    for (const [index, samples] of [
      [0, [400_000, 1_000, 1_000, 1_000, 1_000]],
      [1, [80_000, 80_000, 80_000, 80_000, 80_000]],
    ] as const) {
      for (const elapsedUs of samples) {
        load(index, 1);
        ledger.begin(1, plan.endpoints[index]!, false, 2, WITH_PEAK);
        ledger.firstByte(1, 200, elapsedUs, 2);
        ledger.end(1, 2);
      }
    }
    expect(upstream.board.load.latencyUs(plan.endpoints[0]!.slot)).toBeLessThan(60_000);
    expect(upstream.picks(4)).toBe('bbbb');
  });

  it('sends one request to an endpoint nothing is known of, and a second only after the first is answered', () => {
    const upstream = sampled([10_000, 0]);
    expect(upstream.picks(1)).toBe('b');
    expect(upstream.picks(30)).toBe('a'.repeat(30));
  });

  it('starts cold with several workers, all of which are served evenly', () => {
    const upstream = upstreamOf('peak-ewma', [{}, {}, {}], 4);
    const pickers = [upstream.picker, ...[1, 2, 3].map((worker) => upstream.attach(worker).picker)];
    const counts = [0, 0, 0];
    for (let round = 0; round < 30; round++) {
      for (const picker of pickers) counts[picker.pick(NO_KEY, NONE_TRIED, 1)]! += 1;
    }
    expect(counts.reduce((sum, count) => sum + count)).toBe(120);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
  });

  it('picks the lower score of any two (naive reference: the formula)', () => {
    const facts = fc.record({
      sampleUs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9_000_000 })),
      weight: fc.integer({ min: 1, max: 9 }),
      inflight: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(facts, facts, fc.integer({ min: 1, max: 60_000 }), (a, b, now) => {
        const upstream = sampled([a.sampleUs, b.sampleUs], [a.weight, b.weight]);
        upstream.load(0, a.inflight);
        upstream.load(1, b.inflight);
        const scores = [a, b].map(({ sampleUs, weight, inflight }) => {
          if (sampleUs === 0) return inflight === 0 ? 0 : 1e15 * (1 + inflight / (weight * 100));
          const faded = now - 1 <= 100 ? sampleUs : sampleUs * Math.exp(-(now - 1) / 10_000);
          return (faded * (1 + inflight)) / (weight * 100);
        });
        const picked = upstream.pick([], now);
        expect(scores[picked]! <= scores[1 - picked]! * (1 + 1e-9)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it.each([1, 2 ** 31 - 3_000])('turns away from an endpoint that slows down, at once (clock at %i)', (start) => {
    const slowsDown: Behaviour = (ms) => ({ afterMs: ms < 3_000 ? 150 : 800 });
    const told = tell({
      endpoints: [slowsDown, ...[150, 150, 150].map(answersAfter)],
      rate: 40,
      durationMs: 12_000,
      start,
    });
    expect(shareOf(told, 0, 0, 3_000)).toBeGreaterThan(0.18);
    expect(shareOf(told, 0, 4_000, 8_000)).toBeLessThan(0.05);
  });

  it('gives an endpoint that fails at once less than 5 % after one second, and tries it again', () => {
    const fails: Behaviour = () => ({ afterMs: 1, isFailure: true });
    const told = tell({ endpoints: [fails, ...[10, 10, 10].map(answersAfter)], rate: 200, durationMs: 20_000 });
    expect(shareOf(told, 0, 1_000, 20_000)).toBeLessThan(0.05);
    expect(shareOf(told, 0, 6_000, 20_000)).toBeGreaterThan(0);
  });
});
