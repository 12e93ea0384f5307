/** What it costs to build a table: ketama and Maglev, of few endpoints and of many. */
import { bench, describe } from 'vitest';
import { MAGLEV_ENTRIES } from '../../../src/engine/hashing.js';
import { loadEngine } from '../../../src/engine/load-engine.js';

const addon = loadEngine();
const MOST_POINTS = 1 << 18;

const membersOf = (count: number): [names: string[], slots: Uint16Array, weights: Uint32Array] => [
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`),
  Uint16Array.from({ length: count }, (_, index) => index),
  new Uint32Array(count).fill(100),
];

// A build counts as a thousand operations: 1 ns here is 1 µs of a build.
// budget: 1000 ns: tables of 10 endpoints > buildKetama
// budget: 20000 ns: tables of 10 endpoints > buildMaglev
// budget: 100000 ns: tables of 1000 endpoints > buildKetama
// budget: 40000 ns: tables of 1000 endpoints > buildMaglev
describe.each([10, 1_000])('tables of %i endpoints', (count) => {
  const members = membersOf(count);
  bench('buildKetama', () => void addon.buildKetama(...members, MOST_POINTS));
  bench('buildMaglev', () => void addon.buildMaglev(...members, MAGLEV_ENTRIES));
});
