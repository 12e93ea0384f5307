/** What endpoints say of themselves, told by the front end: whom the next requests reach, and what the board keeps. */
import { describe, expect, it } from 'vitest';
import { ENDPOINT_DONE, FIRST_BYTE, finished, frontEndOf, progress, request, served } from './scripted-front-end.js';

const overloaded = (n: number, retryAfter: string, status = 503) =>
  progress(n, FIRST_BYTE | ENDPOINT_DONE, { status, elapsedUs: 500, retryAfter });

describe('Retry-After', () => {
  it.each([429, 503])('of a %i keeps requests away until then', async (status) => {
    const { batch, slots, time } = frontEndOf(2);
    const [first] = batch(request(0));
    batch(overloaded(0, '3', status), finished(0));
    const other = slots.find((slot) => slot !== first);
    for (const n of [1, 2, 3]) {
      expect(batch(request(n))).toEqual([other]);
      batch(served(n));
    }
    await time.pass(3_001);
    const slotsAfter = [4, 5].flatMap((n) => batch(request(n)));
    expect(new Set(slotsAfter)).toEqual(new Set(slots));
  });

  it('that is none keeps nobody away', () => {
    const { batch, slots } = frontEndOf(2);
    batch(request(0));
    batch(overloaded(0, 'soon'), finished(0));
    expect(new Set([1, 2].flatMap((n) => batch(request(n))))).toEqual(new Set(slots));
  });
});

describe('a report of load', () => {
  it('is kept on the board for the endpoint that gave it', () => {
    const { batch, slots, board } = frontEndOf(2, { upstream: { weights: { kind: 'reported' } } });
    const [slot] = batch(request(0));
    batch({ ...served(0), report: 'TEXT cpu_utilization=0.25, rps_fractional=40, eps=2' });
    expect(board.reports.latest(slot!)).toMatchObject({ utilization: 0.25, rate: 40, errorRate: 2 });
    expect(board.reports.latest(slots.find((other) => other !== slot)!)).toBeNull();
  });

  it('that is malformed leaves the one before it', () => {
    const { batch, board } = frontEndOf(1, { upstream: { weights: { kind: 'reported' } } });
    const [slot] = batch(request(0));
    batch({ ...served(0), report: 'TEXT cpu_utilization=0.25' });
    batch(request(0));
    batch({ ...served(0), report: 'BIN abc' });
    expect(board.reports.latest(slot!)?.utilization).toBe(0.25);
  });

  it('is nothing to an upstream that takes none', () => {
    const { batch, board } = frontEndOf(1);
    const [slot] = batch(request(0));
    batch({ ...served(0), report: 'TEXT cpu_utilization=0.25' });
    expect(board.reports.latest(slot!)).toBeNull();
  });
});
