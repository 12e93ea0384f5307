/** The oldest wait on an endpoint is known to all workers. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';

const SLOT = 5;
const GENERATION = 1;

function threeWorkers() {
  const { buffer } = createBoard({
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
    listeners: 1,
    clientEntries: 16,
  });
  return [0, 1, 2].map((worker) => attachBoard(buffer, worker).waiting);
}

describe('waiting table', () => {
  it.each([1000, 2 ** 31 - 20, -30])('gives the age of the oldest wait of any worker (clock at %i)', (start) => {
    const [one, two, three] = threeWorkers();
    const at = (ms: number): number => (start + ms) | 0;
    one!.publish(SLOT, GENERATION, at(10));
    two!.publish(SLOT, GENERATION, at(0));
    expect([one, two, three].map((waiting) => waiting!.oldestAgeMs(SLOT, GENERATION, at(50)))).toEqual([50, 50, 50]);
    two!.publish(SLOT, GENERATION, 0);
    expect([one, two, three].map((waiting) => waiting!.oldestAgeMs(SLOT, GENERATION, at(60)))).toEqual([50, 50, 50]);
    one!.publish(SLOT, GENERATION, 0);
    expect(three!.oldestAgeMs(SLOT, GENERATION, at(70))).toBe(0);
  });

  it('does not take the wait on a former endpoint for one on the new', () => {
    const [one, two] = threeWorkers();
    one!.publish(SLOT, GENERATION, 100);
    expect(two!.oldestAgeMs(SLOT, GENERATION + 1, 200)).toBe(0);
    expect(one!.oldestAgeMs(SLOT, GENERATION + 1, 200)).toBe(0);
  });

  it('is never negative when another thread’s clock is ahead', () => {
    const [one, two] = threeWorkers();
    one!.publish(SLOT, GENERATION, 101);
    expect(two!.oldestAgeMs(SLOT, GENERATION, 100)).toBe(0);
  });
});
