/** ketama finds the point of a key on the ring, and walks on past endpoints that may not take it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, PickKey } from '../../../src/balancing/balancer.js';
import { NONE_TRIED, TriedSet } from '../../../src/balancing/tried-set.js';
import { wordsOfPoints } from '../../../src/board/hash-table.js';
import { homesOf, movedShare } from './hashed-keys.js';
import { type EndpointUnderTest, letterOf, type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

interface Point {
  readonly at: number;
  /** Letter of the endpoint. */
  readonly of: string;
}

/** Publishes a ring. @param points in rising order */
function publish(upstream: UpstreamUnderTest, points: readonly Point[]): void {
  const words = new Int32Array(wordsOfPoints(points.length));
  const slots = new Uint16Array(words.buffer, 4 * points.length);
  for (const [index, { at, of }] of points.entries()) {
    words[index] = at;
    slots[index] = upstream.plan.endpoints[of.charCodeAt(0) - 97]!.slot;
  }
  upstream.board.hashTables[0]!.publish(words, points.length);
}

function ringOf(endpoints: readonly EndpointUnderTest[], points: readonly Point[], loadFactor = 0): UpstreamUnderTest {
  const upstream = upstreamOf('ketama', endpoints, 2, { hashTable: 0, loadFactor });
  publish(upstream, points);
  return upstream;
}

function pickAt(upstream: UpstreamUnderTest, hash: number, tried: readonly number[] = []): string {
  const key = new PickKey();
  key.hash = hash;
  const set = new TriedSet();
  for (const endpoint of tried) set.add(endpoint);
  return letterOf(upstream.picker.pick(key, tried.length === 0 ? NONE_TRIED : set, 1));
}

const RING: readonly Point[] = [
  { at: 10, of: 'a' },
  { at: 20, of: 'b' },
  { at: 0x8000_0000, of: 'c' },
  { at: 0xffff_fff0, of: 'a' },
];

describe('ketama', () => {
  it.each([
    [0, 'a'],
    [10, 'a'],
    [11, 'b'],
    [20, 'b'],
    [21, 'c'],
    [0x7fff_ffff, 'c'],
    [0x8000_0000, 'c'],
    [0x8000_0001, 'a'],
    [0xffff_fff0, 'a'],
    [0xffff_fff1, 'a'],
    [-1, 'a'],
  ])('gives hash %i to the first point at or behind it, round the ring: %s', (hash, letter) => {
    expect(pickAt(ringOf([{}, {}, {}], RING), hash)).toBe(letter);
  });

  it('finds the same point as a search from the front (naive reference)', () => {
    const points = fc.uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(points, fc.integer({ min: 0, max: 0xffff_ffff }), (values, hash) => {
        const sorted = [...values].sort((a, b) => a - b);
        const ring = sorted.map((at, index) => ({ at, of: 'abcde'[index % 5]! }));
        const upstream = ringOf([{}, {}, {}, {}, {}], ring);
        expect(pickAt(upstream, hash)).toBe((ring.find(({ at }) => at >= hash) ?? ring[0]!).of);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['bunched at the lowest hashes', (index: number) => index],
    ['bunched at the highest hashes', (index: number) => 0xffff_ff00 + index],
    ['in two bunches', (index: number) => (index < 100 ? index : 0xff00_0000 + index)],
    ['evenly', (index: number) => index * 0x0147_ae14],
  ])('finds it where points lie %s', (_, pointOf) => {
    const ring = Array.from({ length: 200 }, (_, index) => ({ at: pointOf(index), of: 'abcde'[index % 5]! }));
    const upstream = ringOf([{}, {}, {}, {}, {}], ring);
    const hashes = ring.flatMap(({ at }) => [at - 1, at, at + 1]).concat(0, 0x7fff_ffff, 0xffff_ffff);
    const expected = hashes.map((hash) => (ring.find(({ at }) => at >= hash >>> 0) ?? ring[0]!).of);
    expect(hashes.map((hash) => pickAt(upstream, hash)).join('')).toBe(expected.join(''));
  });

  it('walks on past endpoints that are tried, full or unhealthy', () => {
    const upstream = ringOf([{}, { cap: 1 }, {}], RING);
    expect(pickAt(upstream, 5, [0])).toBe('b');
    expect(pickAt(upstream, 15)).toBe('c');
    upstream.board.control.setHealthy(upstream.plan.endpoints[2]!.slot, false);
    expect(pickAt(upstream, 15)).toBe('a');
    expect(pickAt(upstream, 15, [0])).toBe('-');
  });

  it('walks on past an endpoint above its bound, and comes back to it when all are', () => {
    const upstream = ringOf([{}, {}, {}], RING, 1.25);
    upstream.load(1, 2);
    expect(pickAt(upstream, 15)).toBe('c');
    const lone = ringOf([{}, { cap: 1 }], [RING[0]!, RING[1]!], 1.1);
    lone.load(1, 1);
    lone.load(0, 10);
    expect(pickAt(lone, 5)).toBe('a');
  });

  it('takes the points of its own endpoints only: backups come when no primary will do', () => {
    const upstream = ringOf([{ cap: 1 }, { isBackup: true }, { isBackup: true }], RING);
    expect([pickAt(upstream, 15), pickAt(upstream, 15), pickAt(upstream, 21)]).toEqual(['a', 'b', 'c']);
  });

  it('picks as rendezvous hashing does until a table is there, and turns to a new table at once', () => {
    const upstream = upstreamOf('ketama', [{}, {}, {}], 2, { hashTable: 0 });
    const reference = upstreamOf('rendezvous', [{}, {}, {}]);
    expect(homesOf(upstream, 50)).toEqual(homesOf(reference, 50));
    publish(upstream, RING);
    expect(pickAt(upstream, 15)).toBe('b');
    publish(upstream, [{ at: 5, of: 'c' }]);
    expect(pickAt(upstream, 15)).toBe('c');
  });

  it('picks an endpoint that has no points when it is the last one left', () => {
    const upstream = ringOf([{}, {}, {}], [{ at: 1, of: 'a' }]);
    expect(pickAt(upstream, 15, [0, 1])).toBe('c');
    expect(pickAt(upstream, 15, [0, 1, 2])).toBe(letterOf(NO_ENDPOINT));
  });

  it('moves only the keys of an endpoint that is away', () => {
    const points = Array.from({ length: 400 }, (_, index) => ({
      at: Math.floor((index * 2 ** 32) / 400),
      of: 'abcdefgh'[(index * 37) % 8]!,
    }));
    const upstream = ringOf(
      Array.from({ length: 8 }, () => ({})),
      points,
    );
    const before = homesOf(upstream, 4000);
    upstream.board.control.setHealthy(upstream.plan.endpoints[3]!.slot, false);
    const after = homesOf(upstream, 4000);
    expect(before.filter((home, key) => home !== 3 && home !== after[key])).toEqual([]);
    expect(movedShare(before, after)).toBeLessThan(1 / 8 + 0.02);
  });
});
