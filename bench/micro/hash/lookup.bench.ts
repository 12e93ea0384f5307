/** What it costs to find a key's slot in a table on the board: by ketama's search, and by Maglev's one look. */
import { bench, describe } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { type HashTable, wordsOfPoints } from '../../../src/board/hash-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { seededRng } from '../../../src/core/rng.js';
import { MAGLEV_ENTRIES } from '../../../src/engine/hashing.js';
import { loadEngine } from '../../../src/engine/load-engine.js';

/** Look-ups timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
const MOST_POINTS = 1 << 18;
const ENDPOINTS = 256;

const names = Array.from({ length: ENDPOINTS }, (_, index) => `10.0.0.${index}:80`);
const slots = Uint16Array.from({ length: ENDPOINTS }, (_, index) => index);
const weights = new Uint32Array(ENDPOINTS).fill(100);
const rng = seededRng(1);
const keys = Uint32Array.from({ length: BATCH }, () => rng.below(2 ** 31) * 2);

const board = createBoard({
  endpointSlots: ENDPOINTS,
  upstreams: 1,
  turns: 1,
  hashTables: 2,
  hashTableWords: wordsOfPoints(MOST_POINTS),
  queueEntries: 0,
  queues: 1,
  routeBreakers: 0,
  routes: 1,
  workers: 1,
  listeners: 1,
  clientEntries: 16,
});
const [ring, slotTable] = attachBoard(board.buffer, 0).hashTables as [HashTable, HashTable];
const addon = loadEngine();
const built = [
  addon.buildKetama(names, slots, weights, MOST_POINTS),
  addon.buildMaglev(names, slots, weights, MAGLEV_ENTRIES),
];
for (const [table, { words, size }] of built.entries()) board.hashTables[table]?.publish(words, size);

function ketamaSlot(key: number): number {
  const size = ring.refresh();
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ring.pointAt(middle) < key) low = middle + 1;
    else high = middle;
  }
  return ring.slotOfPoint(low < size ? low : 0);
}

let sum = 0;

// budget: 150 ns: lookup over 256 endpoints > ketama
// budget: 150 ns: lookup over 256 endpoints > maglev
describe('lookup over 256 endpoints', () => {
  bench('ketama', () => {
    for (const key of keys) sum += ketamaSlot(key);
  });
  bench('maglev', () => {
    for (const key of keys) {
      const size = slotTable.refresh();
      sum += slotTable.slotAt(key % size);
    }
    if (sum < 0) throw new Error('never: keeps the look-ups');
  });
});
