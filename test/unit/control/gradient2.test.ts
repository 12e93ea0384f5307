/** The arithmetic of adaptive caps. */
import { describe, expect, it } from 'vitest';
import { beginGradient2, type Gradient2State, limitAfter, stepGradient2 } from '../../../src/control/gradient2.js';

const bounds = { least: 20, most: 200, initial: 20 };
const window = { successes: 100, failures: 0, meanUs: 20_000, inFlight: 20 };

/** A state that knows that 20 ms is usual. */
const settled = (limit: number): Gradient2State => ({
  limit,
  longUs: 20_000,
  windows: 10,
  slowWindows: 0,
  trial: null,
});

function stepped(state: Gradient2State, facts: Partial<typeof window>, windows = 1): Gradient2State {
  let next = state;
  for (let step = 0; step < windows; step++)
    next = stepGradient2(next, { ...window, inFlight: next.limit, ...facts }, bounds);
  return next;
}

describe('gradient2', () => {
  it('takes limit 20, usual 20 ms and 40 ms now to 19.8', () => {
    expect(limitAfter(20, 20_000, 40_000)).toBeCloseTo(19.8, 10);
  });

  it('halves at the most, before smoothing', () => {
    expect(limitAfter(100, 20_000, 2_000_000)).toBeCloseTo(0.8 * 100 + 0.2 * 54, 10);
  });

  it('grows while latency is as usual, up to its bound', () => {
    expect(stepped(settled(20), {}).limit).toBeCloseTo(20.8, 10);
    expect(stepped(settled(20), {}, 1_000).limit).toBe(200);
  });

  it('does not grow while less than half of it is in use', () => {
    expect(stepped(settled(100), { inFlight: 49 }).limit).toBe(100);
    expect(stepped(settled(100), { inFlight: 50 }).limit).toBeGreaterThan(100);
  });

  it('shrinks by a tenth with a window of failures, down to its bound', () => {
    expect(stepped(settled(100), { successes: 94, failures: 6 }).limit).toBeCloseTo(90, 10);
    expect(stepped(settled(100), { successes: 0, failures: 10 }, 100).limit).toBe(20);
  });

  it('takes one failure of twenty for no overload', () => {
    expect(stepped(settled(100), { successes: 95, failures: 5 }).limit).toBeGreaterThan(100);
  });

  it('takes the mean of its first windows for usual', () => {
    let state = beginGradient2(bounds);
    for (const meanUs of [10_000, 20_000, 30_000]) state = stepped(state, { meanUs });
    expect([state.longUs, state.windows]).toEqual([20_000, 3]);
  });

  it('does not take for usual what it may have caused', () => {
    expect(stepped(settled(200), { meanUs: 40_000 }).longUs).toBe(20_000);
  });

  it('learns that an endpoint has become slow by itself: it is as slow with half of the limit', () => {
    const slow = stepped(settled(100), { meanUs: 60_000 }, 100);
    expect([slow.longUs, slow.limit, slow.trial]).toEqual([20_000, 20, null]);
    const learnt = stepped(slow, { meanUs: 60_000 }, 30);
    expect([Math.round(learnt.longUs), learnt.trial]).toEqual([60_000, null]);
    expect(stepped(learnt, { meanUs: 60_000 }, 100).limit).toBeGreaterThan(90);
  });

  it('keeps what is usual where the endpoint is as fast as ever with half of the limit, and then its limit', () => {
    const slow = stepped({ ...settled(100), slowWindows: 99 }, { meanUs: 30_100 });
    expect([slow.limit, slow.trial?.limitBefore]).toEqual([50, 100]);
    const tried = stepped(stepped(slow, { meanUs: 31_000 }), { meanUs: 20_000 }, 2);
    expect([tried.limit, tried.longUs, tried.trial]).toEqual([100, 20_000, null]);
  });

  it('learns fast that an endpoint has become much faster', () => {
    expect(stepped(settled(100), { meanUs: 5_000 }, 40).longUs).toBeLessThan(11_000);
  });
});
