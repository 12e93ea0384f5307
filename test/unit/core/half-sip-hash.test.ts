/** The keyed hash against the vectors of its reference. */
import { describe, expect, it } from 'vitest';
import { halfSipHash } from '../../../src/core/half-sip-hash.js';
import { seededRng } from '../../../src/core/rng.js';

/** Key and message are the bytes 0, 1, 2 … read as little-endian words. */
const KEY_LOW = 0x03020100;
const KEY_HIGH = 0x07060504;

describe('HalfSipHash-1-3', () => {
  it('gives what Linux gives for twelve bytes (lib/test_siphash.c)', () => {
    expect(halfSipHash(0x03020100, 0x07060504, 0x0b0a0908, KEY_LOW, KEY_HIGH)).toBe(0x6b28096c);
  });

  it('changes about half of its bits with any bit of key or message', () => {
    const rng = seededRng(1);
    const flips: number[] = [];
    for (let round = 0; round < 2_000; round++) {
      const words = Array.from({ length: 5 }, () => rng.nextBits() | 0) as [number, number, number, number, number];
      const before = halfSipHash(...words);
      words[rng.below(5)]! ^= 1 << rng.below(31);
      flips.push(bitsOf(before ^ halfSipHash(...words)));
    }
    const mean = flips.reduce((sum, bits) => sum + bits) / flips.length;
    expect(mean).toBeGreaterThan(15.8);
    expect(mean).toBeLessThan(16.2);
    expect(Math.min(...flips)).toBeGreaterThan(2);
  });

  it('spreads neighbouring addresses evenly over buckets', () => {
    const buckets = new Uint32Array(64);
    for (let address = 0; address < 6_400; address++)
      buckets[Math.floor((halfSipHash(3, 0, 0x0a00_0000 + address, 11, 22) / 2 ** 32) * 64)]! += 1;
    // Mean 100, deviation 10: six of them either way.
    expect(Math.min(...buckets)).toBeGreaterThan(40);
    expect(Math.max(...buckets)).toBeLessThan(160);
  });
});

function bitsOf(word: number): number {
  let bits = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}
