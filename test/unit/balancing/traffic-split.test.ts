/** A traffic split gives each target its weight of the keys, and moves no more of them than it must. */
import { describe, expect, it } from 'vitest';
import { TrafficSplit } from '../../../src/balancing/traffic-split.js';
import { keyOf, movedShare, sharesOf } from './hashed-keys.js';

const KEYS = 100_000;

/** Where keys go: indices of the weights. */
function sidesOf(weights: readonly number[], keys = KEYS, names: readonly string[] = ['a', 'b', 'c', 'd']): number[] {
  const targets = weights.map((weight, upstream) => ({ upstream, subset: -1, weight }));
  const split = new TrafficSplit({ key: { kind: 'client-ip' }, targets }, ({ upstream }) => names[upstream]!);
  return Array.from({ length: keys }, (_, key) => split.targetOf(keyOf(key)).upstream);
}

describe('traffic split', () => {
  it.each([[[95, 5]], [[50, 50]], [[1, 2, 3, 4]], [[99.5, 0.5]]])('splits by the weights %j, to 1 %%', (weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [target, share] of sharesOf(sidesOf(weights), weights.length).entries())
      expect(Math.abs(share - (weights[target] as number) / total)).toBeLessThan(0.01);
  });

  it('never picks a target of weight 0, and gives all to one that is alone', () => {
    expect(new Set(sidesOf([0, 1, 0], 20_000))).toEqual(new Set([1]));
    expect(sharesOf(sidesOf([3, 0, 1], 20_000), 3)[1]).toBe(0);
  });

  it('gives a target that stands there twice the weight of both', () => {
    const twice = sharesOf(sidesOf([30, 30, 40], KEYS, ['a', 'a', 'b']), 3);
    expect(Math.abs((twice[2] as number) - 0.4)).toBeLessThan(0.01);
  });

  it('refuses a split without any weight', () => {
    expect(() => sidesOf([0, 0], 1)).toThrow(/a target with a weight/);
  });

  it('moves keys only from the side that shrinks to the one that grows', () => {
    const before = sidesOf([95, 5], 20_000);
    const after = sidesOf([80, 20], 20_000);
    expect(before.filter((side, key) => side === 1 && after[key] === 0)).toEqual([]);
    expect(Math.abs(movedShare(before, after) - 0.15)).toBeLessThan(0.01);
  });

  it.each([
    [[4, 2, 2], [4, 2, 5], 'into', 2],
    [[4, 2, 2], [4, 0, 2], 'out of', 1],
  ])('from %j to %j moves keys %s target %i only', (weights, others, way, target) => {
    const before = sidesOf(weights, 20_000);
    const after = sidesOf(others, 20_000);
    const [changed, unchanged] = way === 'into' ? [after, before] : [before, after];
    expect(changed.filter((side, key) => side !== unchanged[key] && side !== target)).toEqual([]);
  });

  it('moves nothing when all weights grow alike, or targets change their places', () => {
    const before = sidesOf([1, 2, 3], 5_000);
    expect(sidesOf([10, 20, 30], 5_000)).toEqual(before);
    const turned = sidesOf([3, 2, 1], 5_000, ['c', 'b', 'a']);
    expect(turned.map((side) => 2 - side)).toEqual(before);
  });
});
