/** The rate limit lets through what it says, and never more. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalAfter, intervalUsFor, mayArrive, NO_ARRIVAL } from '../../../src/core/gcra.js';

/** The same limit as a bucket of tokens in whole numbers: 256 x interval units a token, 256 units filled in each µs. */
class NaiveBucket {
  #units: bigint;
  #lastUs: number;
  readonly #perToken: bigint;
  readonly #most: bigint;

  constructor(intervalUs: number, burst: number, startUs: number) {
    this.#perToken = BigInt(intervalUs * 256);
    this.#most = this.#perToken * BigInt(burst);
    this.#units = this.#most;
    this.#lastUs = startUs;
  }

  takes(nowUs: number): boolean {
    const filled = this.#units + 256n * BigInt(nowUs - this.#lastUs);
    this.#units = filled > this.#most ? this.#most : filled;
    this.#lastUs = nowUs;
    if (this.#units < this.#perToken) return false;
    this.#units -= this.#perToken;
    return true;
  }
}

/** What gets through of arrivals at these times, and when. */
function admitted(timesUs: readonly number[], perSecond: number, burst: number): number[] {
  const intervalUs = intervalUsFor(perSecond);
  let arrivalUs = NO_ARRIVAL;
  return timesUs.filter((nowUs) => {
    if (!mayArrive(arrivalUs, nowUs, intervalUs, burst)) return false;
    arrivalUs = arrivalAfter(arrivalUs, nowUs, intervalUs);
    return true;
  });
}

const limits = fc.record({
  perSecond: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 5 })),
  burst: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1_000_000 })),
});
/** Times that begin anywhere within a year of uptime. */
const arrivals = fc
  .tuple(
    fc.integer({ min: 1, max: 3e13 }),
    fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3_000_000 })), {
      maxLength: 200,
    }),
  )
  .map(([startUs, gapsUs]) => {
    let nowUs = startUs;
    return gapsUs.map((gapUs) => {
      nowUs += gapUs;
      return nowUs;
    });
  });

describe('GCRA', () => {
  it('lets a burst through at once, then one in each interval', () => {
    const at = (second: number, times = 1): number[] => Array.from({ length: times }, () => second * 1_000_000);
    expect(admitted([...at(100, 5), ...at(100.09), ...at(100.1, 2), ...at(100.2)], 10, 3)).toEqual([
      ...at(100, 3),
      ...at(100.1),
      ...at(100.2),
    ]);
  });

  it('has a whole burst again after a quiet time, and no more than that', () => {
    const times = [...Array.from({ length: 4 }, () => 5e6), ...Array.from({ length: 4 }, () => 900e6)];
    expect(admitted(times, 1, 2)).toEqual([5e6, 5e6, 900e6, 900e6]);
  });

  it.each([
    [1, 1_000_000],
    [10, 100_000],
    [3, 333_333 + 86 / 256],
    [100_000, 10],
    [70_000, 14 + 74 / 256],
  ])('takes for %i a second an interval of %d µs, rounded up to 1/256', (perSecond, intervalUs) => {
    expect(intervalUsFor(perSecond)).toBe(intervalUs);
  });

  it('decides like a bucket of tokens counted in whole numbers', () => {
    fc.assert(
      fc.property(limits, arrivals, ({ perSecond, burst }, timesUs) => {
        const naive = new NaiveBucket(intervalUsFor(perSecond), burst, timesUs[0] ?? 0);
        expect(admitted(timesUs, perSecond, burst)).toEqual(timesUs.filter((nowUs) => naive.takes(nowUs)));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('never lets more than burst + rate x time through, in any window', () => {
    fc.assert(
      fc.property(limits, arrivals, ({ perSecond, burst }, timesUs) => {
        const through = admitted(timesUs, perSecond, burst);
        for (let from = 0; from < through.length; from++) {
          for (let to = from; to < through.length; to++) {
            const windowUs = BigInt((through[to] as number) - (through[from] as number));
            const count = BigInt(to - from + 1);
            expect(count * 1_000_000n <= BigInt(burst) * 1_000_000n + BigInt(perSecond) * windowUs).toBe(true);
          }
        }
      }),
      { seed: 8, numRuns: 100 },
    );
  });
});
