/** least-time sends work where it is answered first, and is not fooled. Stories with a clock moved by hand. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { type Behaviour, play, type Story, shareOf, upstreamOf } from './upstream-under-test.js';

const answersAfter =
  (afterMs: number): Behaviour =>
  () => ({ afterMs });

function tell(story: Story, weights: readonly number[] = story.endpoints.map(() => 1)) {
  const upstream = upstreamOf(
    'least-time',
    weights.map((weight) => ({ weight })),
  );
  const ledger = new EndpointLedger(upstream.worker, 200_000);
  return { upstream, ledger, told: play(upstream, ledger, story) };
}

describe.each([1, 2 ** 31 - 3_000, -3_000])('least-time (clock at %i)', (start) => {
  it('gives a slow endpoint less', () => {
    const endpoints = [10, 10, 10, 100].map(answersAfter);
    const { told, ledger } = tell({ endpoints, rate: 200, durationMs: 10_000, start });
    expect(shareOf(told, 3, 1_000, 10_000)).toBeLessThan(0.05);
    expect(ledger.open).toBe(0);
  });

  it('turns away from an endpoint that slows down, within two seconds', () => {
    const slowsDown: Behaviour = (ms) => ({ afterMs: ms < 3_000 ? 150 : 800 });
    const endpoints = [slowsDown, answersAfter(150), answersAfter(150), answersAfter(150)];
    const { told } = tell({ endpoints, rate: 40, durationMs: 20_000, start });
    expect(shareOf(told, 0, 0, 3_000)).toBeGreaterThan(0.2);
    expect(shareOf(told, 0, 5_000, 20_000)).toBeLessThan(0.05);
  });

  it('notices a stalled endpoint before it answers', () => {
    const stalls: Behaviour = (ms) => ({ afterMs: ms < 2_000 ? 10 : Infinity });
    const { told } = tell({
      endpoints: [stalls, answersAfter(10), answersAfter(10)],
      rate: 300,
      durationMs: 4_000,
      start,
    });
    expect(shareOf(told, 0, 0, 2_000)).toBeGreaterThan(0.25);
    expect(shareOf(told, 0, 2_100, 4_000)).toBeLessThan(0.01);
  });

  it('gives an endpoint that fails at once less than 5 % after one second', () => {
    const fails: Behaviour = () => ({ afterMs: 1, isFailure: true });
    const { told } = tell({
      endpoints: [fails, ...[10, 10, 10].map(answersAfter)],
      rate: 200,
      durationMs: 20_000,
      start,
    });
    expect(shareOf(told, 0, 1_000, 20_000)).toBeLessThan(0.01);
  });

  it('gives an endpoint that answers 500 at once less than 5 % after one second', () => {
    const answers500: Behaviour = () => ({ afterMs: 1, status: 500 });
    const { told } = tell({
      endpoints: [answers500, ...[10, 10, 10].map(answersAfter)],
      rate: 200,
      durationMs: 20_000,
      start,
    });
    expect(shareOf(told, 0, 1_000, 20_000)).toBeLessThan(0.01);
  });

  it('is not flooded into an endpoint that fails at once while the others are busy', () => {
    const fails: Behaviour = () => ({ afterMs: 1, isFailure: true });
    const { told } = tell({
      endpoints: [fails, ...[200, 200, 200].map(answersAfter)],
      rate: 1_000,
      durationMs: 20_000,
      start,
    });
    expect(shareOf(told, 0, 1_000, 20_000)).toBeLessThan(0.01);
  });

  it('tries a slow endpoint again, and gives it its share back once it is fast', () => {
    const recovers: Behaviour = (ms) => ({ afterMs: ms < 5_000 ? 500 : 10 });
    const { told } = tell({
      endpoints: [recovers, ...[10, 10, 10].map(answersAfter)],
      rate: 100,
      durationMs: 70_000,
      start,
    });
    expect(shareOf(told, 0, 2_000, 5_000)).toBeLessThan(0.05);
    expect(shareOf(told, 0, 60_000, 70_000)).toBeGreaterThan(0.2);
  });
});

describe('least-time after an outage of all endpoints', () => {
  const downUntil =
    (upAt: number): Behaviour =>
    (ms) => ({ afterMs: 1, isFailure: ms >= 3_000 && ms < upAt });

  it.each([
    [500, 5_000, 7_000],
    [500, 5_300, 7_000],
    [3_000, 5_010, 7_000],
    [500, 7_000, 7_000],
    [50, 5_300, 16_000],
    [10, 5_000, 22_000],
    [10, 5_600, 22_000],
  ])('gives each its share back (%i requests/s, the second is up at %i ms, after %i ms)', (rate, upAt, withinMs) => {
    const { told } = tell({ endpoints: [5_000, upAt].map(downUntil), rate, durationMs: 60_000 });
    for (const endpoint of [0, 1]) {
      expect(shareOf(told, endpoint, 0, 3_000)).toBeGreaterThan(0.25);
      for (let from = 5_000 + withinMs; from < 60_000; from += 3_000) {
        expect(shareOf(told, endpoint, from, from + 3_000), `from ${from} ms`).toBeGreaterThan(0.25);
      }
    }
  });

  it('gives the last two of five their share back although the others are fast already', () => {
    const { told } = tell({
      endpoints: [5_000, 5_000, 5_100, 5_600, 7_000].map(downUntil),
      rate: 1_000,
      durationMs: 20_000,
    });
    for (const endpoint of [0, 1, 2, 3, 4]) expect(shareOf(told, endpoint, 15_000, 20_000)).toBeGreaterThan(0.1);
  });
});

describe('least-time', () => {
  it.each([
    [1, 10, 200],
    [100, 10, 200],
    [100, 200, 1_000],
    [1_000, 200, 1_000],
    [10_000, 10, 200],
  ])('keeps trials rare of one that fails after %i ms (peers %i ms, %i requests/s)', (failsAfterMs, peersMs, rate) => {
    const fails: Behaviour = () => ({ afterMs: failsAfterMs, isFailure: true });
    const { told } = tell({
      endpoints: [fails, ...[1, 2, 3].map(() => answersAfter(peersMs))],
      rate,
      durationMs: 60_000,
    });
    expect(shareOf(told, 0, 2_000, 60_000)).toBeLessThan(0.02);
    // Still tried: it could be back.
    expect(shareOf(told, 0, 40_000, 60_000)).toBeGreaterThan(0);
  });

  it('spreads a cold start like least-conn', () => {
    expect([...upstreamOf('least-time', [{}, {}, {}, {}]).picks(8)].sort().join('')).toBe('aabbccdd');
    expect(
      upstreamOf('least-time', [{ weight: 3 }, {}])
        .picks(400)
        .replaceAll('b', '').length,
    ).toBe(300);
  });

  it('never gives an endpoint nothing is known of more than its fair share', () => {
    const upstream = upstreamOf('least-time', [{}, {}, {}, {}]);
    const ledger = new EndpointLedger(upstream.worker, 100_000);
    const joins = upstream.plan.endpoints[3]!.slot;
    upstream.board.control.setHealthy(joins, false);
    const known = [40, 40, 40].map(answersAfter);
    play(upstream, ledger, { endpoints: known, rate: 500, durationMs: 3_000 });
    upstream.board.control.setHealthy(joins, true);
    const told = play(upstream, ledger, {
      endpoints: [...known, answersAfter(900)],
      rate: 500,
      durationMs: 900,
      start: 3_500,
    });
    expect(shareOf(told, 3, 0, 900)).toBeLessThan(0.25);
    expect(shareOf(told, 3, 0, 900)).toBeGreaterThan(0);
  });

  it('lets endpoints that are nearly equal take turns', () => {
    const upstream = upstreamOf('least-time', [{}, {}, {}]);
    for (const [index, { slot }] of upstream.plan.endpoints.entries()) {
      upstream.board.load.replaceLatency(slot, 0, 10_300 + index * 50, 1);
    }
    expect([...upstream.picks(9)].sort().join('')).toBe('aaabbbccc');
  });

  it('weighs', () => {
    const { told } = tell({ endpoints: [20, 20].map(answersAfter), rate: 2_000, durationMs: 2_000 }, [3, 1]);
    expect(shareOf(told, 0, 500, 2_000)).toBeCloseTo(0.75, 1);
  });

  it('prefers the faster of two drawn in a large upstream', () => {
    const endpoints = Array.from({ length: 32 }, (_, index) => answersAfter(index === 0 ? 200 : 10));
    const { told } = tell({ endpoints, rate: 1_000, durationMs: 10_000 });
    expect(shareOf(told, 0, 2_000, 10_000)).toBeLessThan(0.005);
  });

  it('sees a stall that another worker suffers', () => {
    const upstream = upstreamOf('least-time', [{}, {}]);
    for (const { slot } of upstream.plan.endpoints) upstream.board.load.replaceLatency(slot, 0, 5_000, 1);
    const other = upstream.attach(1);
    const [stalled] = upstream.plan.endpoints;
    other.worker.claims.claim(stalled!.slot, stalled!.generation, 0);
    new EndpointLedger(other.worker, 8).begin(0, stalled!, false, 10);
    upstream.load(1, 5);
    expect(upstream.pick([], 12)).toBe(0);
    expect(upstream.pick([], 90)).toBe(1);
  });
});
