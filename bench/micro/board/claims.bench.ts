/** What a claim and its end cost a thread that is alone, and what counting costs. */
import { bench, describe } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';

/** Operations timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

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
  workers: 1,
  listeners: 1,
  clientEntries: 16,
});
const { slot, generation } = board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true });
const { claims, stripe } = attachBoard(board.buffer, 0);

function claimAndEnd(): void {
  for (let operation = 0; operation < BATCH; operation++) {
    claims.claim(slot, generation, 0);
    claims.end(slot, generation);
  }
}

// budget: 100 ns: ClaimJournal.claim and end, alone > *
describe('ClaimJournal.claim and end, alone', () => {
  bench('1000 times', claimAndEnd);
});

// budget: 10 ns: WorkerStripe counters > *
describe('WorkerStripe counters', () => {
  bench('1000 times response, bytes and attempt', () => {
    for (let operation = 0; operation < BATCH; operation++) {
      stripe.countResponse(200);
      stripe.countBytesToClient(operation);
      stripe.countAttempt(slot, false);
    }
  });
});
