/** A keyed hash of three words: whoever does not know the key cannot choose inputs that meet in one bucket. */

/** Message words; the fourth block holds the length in its highest byte. */
const WORDS = 3;
const LENGTH_BLOCK = (WORDS * 4) << 24;
/** One round for each block, and three at the end. */
const COMPRESSION_ROUNDS = WORDS + 1;
const ROUNDS = COMPRESSION_ROUNDS + 3;

/**
 * HalfSipHash-1-3 (Aumasson, Bernstein: SipHash; the 32-bit variant with the rounds that Linux uses for its hash tables,
 * lib/siphash.c). Pure. HOT (bench/micro/board/session-limits.bench.ts): allocates nothing.
 *
 * @param keyLow  the key's first 32 bits
 * @param keyHigh its other 32 bits
 * @returns 0 .. 2^32 - 1
 */
export function halfSipHash(word0: number, word1: number, word2: number, keyLow: number, keyHigh: number): number {
  let v0 = keyLow;
  let v1 = keyHigh;
  let v2 = keyLow ^ 0x6c796765;
  let v3 = keyHigh ^ 0x74656462;
  for (let round = 0; round < ROUNDS; round++) {
    const isCompression = round < COMPRESSION_ROUNDS;
    const block = round === 0 ? word0 : round === 1 ? word1 : round === 2 ? word2 : LENGTH_BLOCK;
    if (isCompression) v3 ^= block;
    else if (round === COMPRESSION_ROUNDS) v2 ^= 0xff;
    v0 = (v0 + v1) | 0;
    v1 = rotated(v1, 5) ^ v0;
    v0 = rotated(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotated(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotated(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotated(v1, 13) ^ v2;
    v2 = rotated(v2, 16);
    if (isCompression) v0 ^= block;
  }
  return (v1 ^ v3) >>> 0;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
