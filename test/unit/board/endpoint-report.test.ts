/** What endpoints report of themselves, from the worker that read it to the primary. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';

function oneEndpoint() {
  const board = createBoard({
    endpointSlots: 2,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers: 2,
    listeners: 1,
    clientEntries: 16,
  });
  const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };
  const { slot, generation } = board.assign(0, settings);
  return { board, slot, generation, settings };
}

describe('endpoint reports', () => {
  it('are absent until an endpoint has reported', () => {
    const { board, slot } = oneEndpoint();
    expect(board.reports.latest(slot)).toBeNull();
  });

  it('come from any worker to the primary, the latest in place of the one before', () => {
    const { board, slot, generation } = oneEndpoint();
    attachBoard(board.buffer, 0).reports.store(slot, generation, 0.5, 120, 2, 1_000.5);
    attachBoard(board.buffer, 1).reports.store(slot, generation, 0.75, 90, 0, 2_000);
    expect(board.reports.latest(slot)).toEqual({ utilization: 0.75, rate: 90, errorRate: 0, at: 2_000 });
    expect(board.reports.latest(1 - slot)).toBeNull();
  });

  it('do not pass from an endpoint to the next one of its slot', () => {
    const { board, slot, generation, settings } = oneEndpoint();
    const { reports } = attachBoard(board.buffer, 0);
    reports.store(slot, generation, 0.5, 120, 2, 1_000);
    board.release(slot);
    board.assign(0, settings); // the other slot, which has been free for longer
    const next = board.assign(0, settings);
    expect(next.slot).toBe(slot);
    expect(reports.latest(slot)).toBeNull();
    reports.store(slot, generation, 0.9, 10, 0, 2_000); // a late response of the former endpoint
    expect(reports.latest(slot)).toBeNull();
  });
});
