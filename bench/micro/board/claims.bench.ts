/** What a claim and its end cost, alone and while another thread claims the same endpoint; and what counting costs. */
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, bench, describe } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';

/** Operations timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

const board = createBoard({ endpointSlots: 64, upstreams: 1, workers: 2, listeners: 1, clientEntries: 16 });
const { slot, generation } = board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true });
const { claims, stripe } = attachBoard(board.buffer, 0);

function claimAndEnd(): void {
  for (let operation = 0; operation < BATCH; operation++) {
    claims.claim(slot, generation, 0);
    claims.end(slot, generation);
  }
}

// Budget: 100 ns for a claim and its end, i.e. 10 000 batches a second.
describe('ClaimJournal.claim and end, alone', () => {
  bench('1000 times', claimAndEnd);
});

// Budget: 400 ns for a claim and its end, i.e. 2 500 batches a second.
describe('ClaimJournal.claim and end, contended', () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  let rival: Worker;

  beforeAll(async () => {
    rival = new Worker(new URL('./rival-thread.mjs', import.meta.url), {
      workerData: { buffer: board.buffer, worker: 1, slot, generation, stop: stop.buffer },
    });
    await new Promise((resolve) => rival.once('message', resolve));
  });

  afterAll(async () => {
    const end = new Promise((resolve) => rival.once('exit', resolve));
    Atomics.store(stop, 0, 1);
    await end;
  });

  bench('1000 times against one other thread', claimAndEnd);
});

// Budget: 10 ns for all three, i.e. 100 000 batches a second.
describe('WorkerStripe counters', () => {
  bench('1000 times response, bytes and attempt', () => {
    for (let operation = 0; operation < BATCH; operation++) {
      stripe.countResponse(200);
      stripe.countBytesToClient(operation);
      stripe.countAttempt(slot, false);
    }
  });
});
