/** The nearest name: distances, and which typo finds what. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from '../../../src/config/nearest-name.js';

const word = fc.string({ maxLength: 12 });

describe('edit distance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['ca', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['least-con', 'least-conn', 1],
  ])('of %j and %j', (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  it('is symmetric, zero for equal words only, and at most the longer length', () => {
    fc.assert(
      fc.property(word, word, (from, to) => {
        const distance = editDistance(from, to);
        expect(distance).toBe(editDistance(to, from));
        expect(distance === 0).toBe(from === to);
        expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length));
      }),
    );
  });
});

describe('nearest name', () => {
  const keys = ['connect', 'firstByte', 'idle'];
  it.each([
    ['conect', 'connect'],
    ['conn', 'connect'],
    ['connectTimeout', 'connect'],
    ['first_byte', 'firstByte'],
    ['first-byte', 'firstByte'],
    ['FIRSTBYTE', 'firstByte'],
    ['ilde', 'idle'],
    ['xyz', null],
    ['', null],
    ['i', null],
    ['a'.repeat(100), null],
  ])('of %j among the timeouts', (mistyped, meant) => {
    expect(nearestName(mistyped, keys)).toBe(meant);
  });

  it.each([
    ['least-con', 'least-conn'],
    ['leastconn', 'least-conn'],
    ['least_time', 'least-time'],
    ['roundrobin', 'round-robin'],
    ['rr', null],
    ['round', 'round-robin'],
  ])('of %j among the balancers', (mistyped, meant) => {
    expect(nearestName(mistyped, ['round-robin', 'least-conn', 'least-time'])).toBe(meant);
  });

  it('never throws and names one of the known names', () => {
    fc.assert(
      fc.property(word, fc.array(word), (mistyped, known) => {
        const nearest = nearestName(mistyped, known);
        if (nearest !== null) expect(known).toContain(nearest);
      }),
    );
  });
});
