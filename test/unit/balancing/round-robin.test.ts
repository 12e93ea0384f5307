/** round-robin follows the smooth order, over workers and around endpoints that cannot be picked. */
import { describe, expect, it } from 'vitest';
import { NO_KEY } from '../../../src/balancing/balancer.js';
import { NONE_TRIED } from '../../../src/balancing/tried-set.js';
import { letterOf, upstreamOf } from './upstream-under-test.js';

const weighted = (...weights: number[]) => weights.map((weight) => ({ weight }));

describe('round-robin', () => {
  // Test vectors of semantics.md 1.
  it.each([
    [[5, 1, 1], 'aabacaa'],
    [[3, 2, 1], 'abacba'],
    [[4, 3, 2, 1], 'abcabdacba'],
    [[1, 1, 1], 'abcabc'],
  ])('picks weights %j in the order %s', (weights, order) => {
    expect(upstreamOf('round-robin', weighted(...weights)).picks(order.length)).toBe(order);
  });

  it('is one order over all workers', () => {
    const upstream = upstreamOf('round-robin', weighted(5, 1, 1));
    const other = upstream.attach(1);
    const picks = Array.from({ length: 14 }, (_, turn) =>
      (turn % 3 === 0 ? other : upstream).picker.pick(NO_KEY, NONE_TRIED, 1),
    );
    expect(picks.map(letterOf).join('')).toBe('aabacaaaabacaa');
  });

  it('gives the turn of an endpoint that is full to the one after it', () => {
    const upstream = upstreamOf('round-robin', [{ cap: 1 }, {}, {}]);
    expect(upstream.picks(9)).toBe('abcbbcbbc');
  });

  it('has the next endpoint take the place of one that is unhealthy', () => {
    const upstream = upstreamOf('round-robin', weighted(1, 1, 1));
    upstream.board.control.setHealthy(upstream.plan.endpoints[1]!.slot, false);
    expect(upstream.picks(4)).toBe('acac');
  });
});
