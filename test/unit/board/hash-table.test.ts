/** Tables that hashes are looked up in: publishing and reading them, over their two halves. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import type { HashTable, HashTableWriter } from '../../../src/board/hash-table.js';
import { wordsOfPoints, wordsOfSlots } from '../../../src/board/hash-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const WORDS = 8;

function tables(count = 2): { writers: readonly HashTableWriter[]; readers: readonly HashTable[] } {
  const board = createBoard({
    endpointSlots: 64,
    upstreams: 1,
    turns: 1,
    hashTables: count,
    hashTableWords: WORDS,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  });
  return { writers: board.hashTables, readers: attachBoard(board.buffer, 0).hashTables };
}

const packed = (slots: readonly number[]): Int32Array => {
  const words = new Int32Array(wordsOfSlots(slots.length));
  new Uint16Array(words.buffer).set(slots);
  return words;
};

const ring = (points: readonly number[], slots: readonly number[]): Int32Array =>
  Int32Array.from([...points.map((point) => point | 0), ...packed(slots)]);

const slotsIn = (table: HashTable): number[] =>
  Array.from({ length: table.refresh() }, (_, entry) => table.slotAt(entry));

describe('hash table', () => {
  it('is empty before it is published', () => {
    const { readers } = tables();
    expect(readers.map((table) => [table.refresh(), table.epoch])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('gives slots of all 16 bits back, of an odd count too', () => {
    const { writers, readers } = tables();
    const slots = [0, 1, 65_535, 32_768, 32_767];
    writers[1]?.publish(packed(slots), slots.length);
    expect(slotsIn(readers[1] as HashTable)).toEqual(slots);
  });

  it('gives points back unsigned, each with its slot', () => {
    const { writers, readers } = tables();
    const table = readers[0] as HashTable;
    writers[0]?.publish(ring([1, 0x7fff_ffff, 0xffff_fffe], [9, 65_535, 7]), 3);
    const entries = Array.from({ length: table.refresh() }, (_, entry) => [
      table.pointAt(entry),
      table.slotOfPoint(entry),
    ]);
    expect(entries).toEqual([
      [1, 9],
      [0x7fff_ffff, 65_535],
      [0xffff_fffe, 7],
    ]);
  });

  it('shows each reader the latest table, whatever the ones before held', () => {
    const { writers, readers } = tables(1);
    const published = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9, 10], [11]];
    const seen = published.map((slots) => {
      writers[0]?.publish(packed(slots), slots.length);
      return slotsIn(readers[0] as HashTable);
    });
    expect(seen).toEqual(published);
  });

  it('keeps the table before the latest whole for who still walks it', () => {
    const { writers, readers } = tables(1);
    const table = readers[0] as HashTable;
    writers[0]?.publish(packed([1, 2, 3]), 3);
    table.refresh();
    writers[0]?.publish(packed([4, 5]), 2);
    expect([table.slotAt(0), table.slotAt(1), table.slotAt(2)]).toEqual([1, 2, 3]);
  });

  it('keeps the tables of a board apart, full ones too', () => {
    const { writers, readers } = tables(3);
    const full = [0, 1, 2].map((table) => Array.from({ length: 2 * WORDS }, (_, entry) => 100 * table + entry));
    for (const table of [0, 1, 2, 0, 1, 2]) writers[table]?.publish(packed(full[table] ?? []), 2 * WORDS);
    expect(readers.map(slotsIn)).toEqual(full);
  });

  it('refuses a table that it has no room for', () => {
    const { writers } = tables();
    expect(() => writers[0]?.publish(new Int32Array(WORDS + 1), 4)).toThrow('fits into 8');
    expect(() => writers[0]?.publish(new Int32Array(1), 3)).toThrow('a table of 3 entries in 1 words');
  });

  it('counts words of rings and of tables of slots', () => {
    expect([wordsOfPoints(3), wordsOfPoints(4), wordsOfSlots(65_537)]).toEqual([5, 6, 32_769]);
  });
});
