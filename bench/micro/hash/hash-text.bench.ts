/** What it costs to hash a key: in one call of the addon, and in TypeScript by the reference. */
import { bench, describe } from 'vitest';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { crc32 } from '../../../test/reference/hash/crc32.js';
import { xxHash64 } from '../../../test/reference/hash/xxhash64.js';

/** Hashes timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

const addon = loadEngine();
const words = new Int32Array(2);

/** Keys that differ, so that nothing can be kept of the one before. */
const keysOf = (length: number): string[] =>
  Array.from({ length: BATCH }, (_, index) => String(index).padStart(length, 'k'));

// budget: 150 ns: hashText > 16 bytes
// budget: 200 ns: hashText > 64 bytes
describe('hashText', () => {
  for (const length of [16, 64]) {
    const keys = keysOf(length);
    bench(`${length} bytes`, () => {
      for (const key of keys) addon.hashText(key, words);
    });
  }
});

// budget: 150 ns: crc32Text > 16 bytes
describe('crc32Text', () => {
  const keys = keysOf(16);
  let sum = 0;
  bench('16 bytes', () => {
    for (const key of keys) sum ^= addon.crc32Text(key);
    if (sum === 1 / 3) throw new Error('never: keeps the calls');
  });
});

// What one call saves; for comparison only, in whole numbers without a limit (xxHash64) and bit by bit (CRC-32).
// budget: 100000 ns: the reference in TypeScript > xxHash64, 16 bytes
// budget: 100000 ns: the reference in TypeScript > xxHash64, 64 bytes
// budget: 10000 ns: the reference in TypeScript > CRC-32, 16 bytes
describe('the reference in TypeScript', () => {
  for (const length of [16, 64]) {
    const keys = keysOf(length);
    bench(`xxHash64, ${length} bytes`, () => {
      for (const key of keys) xxHash64(Buffer.from(key, 'latin1'));
    });
  }
  const keys = keysOf(16);
  bench('CRC-32, 16 bytes', () => {
    for (const key of keys) crc32(Buffer.from(key, 'latin1'));
  });
});
