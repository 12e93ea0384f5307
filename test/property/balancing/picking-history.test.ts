/** The judge of histories finds what is wrong with those that were made so. */
import { describe, expect, it } from 'vitest';
import { judge, type Swap } from './picking-history.js';

const EQUAL = [1, 1];

/** One swap after the other, each with the tickets behind the ones before it. */
function oneByOne(...steps: readonly (readonly ['pick' | 'end', number, number])[]): Swap[] {
  return steps.map(([kind, endpoint, level], step) => {
    return { kind, endpoint, level, comparedAt: step * 3, before: step * 3 + 1, after: step * 3 + 2 };
  });
}

describe('the judge of histories', () => {
  it('finds nothing wrong with picks in turn', () => {
    const swaps = oneByOne(['pick', 0, 0], ['pick', 1, 0], ['end', 0, 1], ['pick', 0, 0], ['pick', 1, 1]);
    expect(judge(swaps, EQUAL)).toEqual({ impossible: [], wrong: [], overtaken: 0 });
  });

  it('finds a pick of an endpoint that had more than another', () => {
    const swaps = oneByOne(['pick', 0, 0], ['pick', 0, 1]);
    expect(judge(swaps, EQUAL).wrong).toEqual([{ pick: swaps[1], better: 1 }]);
  });

  it('weighs what is in flight', () => {
    const picks = [0, 1, 2, 3, 4].map((level) => ['pick', 0, level] as const);
    const swaps = oneByOne(['pick', 1, 0], ...picks);
    // One to three: 3 of 3 is no more than 1 of 1, but 4 of 3 is.
    expect(judge(swaps, [3, 1]).wrong).toEqual([{ pick: swaps[5], better: 1 }]);
  });

  it('lets a pick be right at a moment before something ended elsewhere, and counts it as overtaken', () => {
    // Both have one; compared at 6, endpoint 1 ends between 7 and 8, claimed between 9 and 10.
    const swaps: Swap[] = [
      ...oneByOne(['pick', 0, 0], ['pick', 1, 0]),
      { kind: 'end', endpoint: 1, comparedAt: 7, before: 7, after: 8, level: 1 },
      { kind: 'pick', endpoint: 0, comparedAt: 6, before: 9, after: 10, level: 1 },
    ];
    expect(judge(swaps, EQUAL)).toEqual({ impossible: [], wrong: [], overtaken: 1 });
  });

  it('finds a pick that went by what had ended before it was compared', () => {
    const swaps: Swap[] = [
      ...oneByOne(['pick', 0, 0], ['pick', 1, 0]),
      { kind: 'end', endpoint: 1, comparedAt: 6, before: 6, after: 7, level: 1 },
      { kind: 'pick', endpoint: 0, comparedAt: 8, before: 9, after: 10, level: 1 },
    ];
    expect(judge(swaps, EQUAL).wrong).toEqual([{ pick: swaps[3], better: 1 }]);
  });

  it('takes the doubt about a swap that is under way for the balancer', () => {
    // Endpoint 1 may have been claimed at any moment from 1 to 9, endpoint 0 twice meanwhile.
    const swaps: Swap[] = [
      { kind: 'pick', endpoint: 1, comparedAt: 0, before: 1, after: 9, level: 0 },
      { kind: 'pick', endpoint: 0, comparedAt: 2, before: 3, after: 4, level: 0 },
      { kind: 'pick', endpoint: 0, comparedAt: 5, before: 6, after: 7, level: 1 },
    ];
    expect(judge(swaps, EQUAL).wrong).toEqual([]);
    const third: Swap = { kind: 'pick', endpoint: 0, comparedAt: 10, before: 11, after: 12, level: 2 };
    expect(judge([...swaps, third], EQUAL).wrong).toEqual([{ pick: third, better: 1 }]);
  });

  it('finds a claim that was counted twice, or lost', () => {
    const twice = oneByOne(['pick', 0, 0], ['pick', 1, 0], ['pick', 0, 0]);
    expect(judge(twice, EQUAL).impossible).toEqual([twice[2]]);
    const lost = oneByOne(['pick', 0, 0], ['end', 0, 2]);
    expect(judge(lost, EQUAL).impossible).toEqual([lost[1]]);
  });
});
