/** What a claim and its end cost, alone and while all other threads claim the same endpoint; and what counting costs. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, bench, describe } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';

/** Operations timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;

/** One for each processor but the one that is timed, as workers have them. */
const RIVALS = Math.max(1, availableParallelism() - 1);

const board = createBoard({ endpointSlots: 64, upstreams: 1, workers: 1 + RIVALS, listeners: 1, clientEntries: 16 });
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

// budget: 400 ns: ClaimJournal.claim and end, contended > *
describe('ClaimJournal.claim and end, contended', () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  let rivals: Worker[];

  beforeAll(async () => {
    rivals = Array.from(
      { length: RIVALS },
      (_, rival) =>
        new Worker(new URL('./rival-thread.mjs', import.meta.url), {
          workerData: { buffer: board.buffer, worker: 1 + rival, slot, generation, stop: stop.buffer },
        }),
    );
    await Promise.all(rivals.map((rival) => new Promise((resolve) => rival.once('message', resolve))));
  });

  afterAll(async () => {
    const ends = rivals.map((rival) => new Promise((resolve) => rival.once('exit', resolve)));
    Atomics.store(stop, 0, 1);
    await Promise.all(ends);
  });

  bench('1000 times against all other threads', claimAndEnd);
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
