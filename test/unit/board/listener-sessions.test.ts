/** Sessions of a listener are counted over all workers, up to its limit. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const capacities = {
  endpointSlots: 64,
  upstreams: 1,
  turns: 1,
  hashTables: 0,
  hashTableWords: 0,
  queueEntries: 0,
  queues: 1,
  routeBreakers: 0,
  routes: 1,
  workers: 3,
  listeners: 2,
  clientEntries: 16,
};

function listenersOf() {
  const board = createBoard(capacities);
  return { board, tables: [0, 1, 2].map((worker) => attachBoard(board.buffer, worker).listenerSessions) };
}

describe('listener sessions', () => {
  it('admits up to the limit, over all workers, and again after a release', () => {
    const { tables } = listenersOf();
    expect([0, 1, 2, 0].map((worker) => tables[worker]!.claim(1, 3))).toEqual([true, true, true, false]);
    expect(tables.map((table) => table.open(1))).toEqual([3, 3, 3]);
    tables[2]!.release(1);
    expect(tables[0]!.claim(1, 3)).toBe(true);
    expect(tables[1]!.claim(1, 3)).toBe(false);
  });

  it('counts each listener by itself', () => {
    const { tables } = listenersOf();
    expect([tables[0]!.claim(0, 1), tables[0]!.claim(1, 1), tables[1]!.claim(0, 1)]).toEqual([true, true, false]);
  });

  it('fails loudly when a session is given back twice', () => {
    const { tables } = listenersOf();
    tables[0]!.claim(0, 5);
    tables[1]!.claim(0, 5);
    tables[0]!.release(0);
    expect(() => tables[0]!.release(0)).toThrow(/was counted at its listener/);
  });

  it('loses the sessions of a dead worker, and only those', () => {
    const { board, tables } = listenersOf();
    for (const worker of [0, 0, 1]) tables[worker]!.claim(0, 3);
    board.reclaim(0);
    expect(tables[1]!.open(0)).toBe(1);
    expect([1, 2, 1].map((worker) => tables[worker]!.claim(0, 3))).toEqual([true, true, false]);
  });
});
