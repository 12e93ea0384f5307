/** Claims are counted exactly, capped, and belong to one generation. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { REFUSED_CHANGED, REFUSED_FULL, REFUSED_GENERATION } from '../../../src/board/claim-journal.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };

function boardOfTwoWorkers() {
  const board = createBoard({
    endpointSlots: 64,
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
  const { slot, generation } = board.assign(0, settings);
  return { board, slot, generation, one: attachBoard(board.buffer, 0), two: attachBoard(board.buffer, 1) };
}

describe('claim journal', () => {
  it('counts claims of all workers and what each holds', () => {
    const { board, slot, generation, one, two } = boardOfTwoWorkers();
    expect([one, two, one].map(({ claims }) => claims.claim(slot, generation, 0))).toEqual([1, 2, 3]);
    expect(board.load.inflight(slot)).toBe(3);
    expect([one, two].map(({ claims }) => claims.held(slot, generation))).toEqual([2, 1]);
    two.claims.end(slot, generation);
    expect(board.load.inflight(slot)).toBe(2);
  });

  it('refuses a claim above the cap, over all workers', () => {
    const { board, slot, generation, one, two } = boardOfTwoWorkers();
    expect([one.claims.claim(slot, generation, 2), two.claims.claim(slot, generation, 2)]).toEqual([1, 2]);
    expect(one.claims.claim(slot, generation, 2)).toBe(REFUSED_FULL);
    expect(one.claims.claimIfUnchanged(slot, generation, 2, 2)).toBe(REFUSED_FULL);
    expect(board.load.inflight(slot)).toBe(2);
  });

  it('takes a compared claim only while the count is what was compared', () => {
    const { slot, generation, one, two } = boardOfTwoWorkers();
    expect(one.claims.claimIfUnchanged(slot, generation, 0, 0)).toBe(1);
    expect(two.claims.claimIfUnchanged(slot, generation, 0, 0)).toBe(REFUSED_CHANGED);
    expect(two.claims.claimIfUnchanged(slot, generation, 1, 0)).toBe(2);
  });

  it('never credits a reused slot with an end of its former endpoint', () => {
    const { board, slot, generation, one } = boardOfTwoWorkers();
    one.claims.claim(slot, generation, 0);
    board.release(slot);
    const reused = untilAssigned(board, slot);
    expect(reused.generation).not.toBe(generation);
    one.claims.claim(slot, reused.generation, 0);
    one.claims.end(slot, generation);
    expect(board.load.inflight(slot)).toBe(1);
    expect(one.claims.held(slot, reused.generation)).toBe(1);
  });

  it('refuses claims with the generation of a former endpoint', () => {
    const { board, slot, generation, one } = boardOfTwoWorkers();
    board.release(slot);
    untilAssigned(board, slot);
    expect(one.claims.claim(slot, generation, 0)).toBe(REFUSED_GENERATION);
    expect(one.claims.claimIfUnchanged(slot, generation, 0, 0)).toBe(REFUSED_GENERATION);
    expect(board.load.inflight(slot)).toBe(0);
  });

  it('fails loudly when a claim is given back twice', () => {
    const { slot, generation, one } = boardOfTwoWorkers();
    one.claims.claim(slot, generation, 0);
    one.claims.end(slot, generation);
    expect(() => one.claims.end(slot, generation)).toThrow(/was counted/);
  });
});

/** Takes slots until the wanted one comes round: the one free for longest is given out first. */
function untilAssigned(board: ReturnType<typeof createBoard>, wanted: number) {
  for (;;) {
    const assignment = board.assign(0, settings);
    if (assignment.slot === wanted) return assignment;
  }
}
