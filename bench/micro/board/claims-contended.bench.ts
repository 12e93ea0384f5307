/** What a claim and its end cost while all other threads claim the same endpoint. */
import { availableParallelism } from 'node:os';
import { bench, describe } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { startRivals } from './rivals.js';

/** Operations timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

/** One for each processor but the one that is timed, as workers have them. */
const RIVALS = Math.max(1, availableParallelism() - 1);

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
  workers: 1 + RIVALS,
  listeners: 1,
  clientEntries: 16,
});
const { slot, generation } = board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true });
const { claims } = attachBoard(board.buffer, 0);

await startRivals(
  new URL('./rival-thread.mjs', import.meta.url),
  Array.from({ length: RIVALS }, (_, rival) => ({ buffer: board.buffer, worker: 1 + rival, slot, generation })),
);

// budget: 400 ns: ClaimJournal.claim and end, contended > *
describe('ClaimJournal.claim and end, contended', () => {
  bench('1000 times against all other threads', () => {
    for (let operation = 0; operation < BATCH; operation++) {
      claims.claim(slot, generation, 0);
      claims.end(slot, generation);
    }
  });
});
