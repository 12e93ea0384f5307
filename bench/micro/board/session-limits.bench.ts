/** What the limits of a session cost: admitting and releasing one, by limit and number of workers, and while another thread does the same. */
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, bench, describe } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { NO_ENTRY } from '../../../src/board/client-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { L4ListenerPlan, ListenerPlan } from '../../../src/config/plan.js';
import { type LimitedSession, SessionLimits } from '../../../src/policies/session-limits.js';

/** Sessions timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
const CLIENTS = 1_000;

/** @param limits of the only listener */
function listenerWith(limits: Partial<L4ListenerPlan['limits']>): ListenerPlan {
  const unlimited = { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: null };
  return { mode: 'l4', limits: { ...unlimited, ...limits } } as ListenerPlan;
}

const ALL = listenerWith({
  sessions: 1_000_000,
  sessionsPerClient: 100,
  newSessionsPerClient: { perSecond: 100_000, burst: 1_000_000 },
});

function boardOf(workers: number): SharedArrayBuffer {
  return createBoard({ endpointSlots: 64, upstreams: 1, workers, listeners: 1, clientEntries: 65_536 }).buffer;
}

/** A batch of sessions of many clients, each admitted and released. */
function sessionsOf(buffer: SharedArrayBuffer, listener: ListenerPlan): () => void {
  const limits = new SessionLimits(attachBoard(buffer, 0), [listener]);
  const sessions = Array.from({ length: CLIENTS }, (_, client) => ({
    word0: 0,
    word1: 0,
    word2: 0xffff,
    word3: 0x0a00_0000 + client,
    isCountedAtListener: false,
    clientEntry: NO_ENTRY,
  }));
  let nowUs = 1_000_000;
  return () => {
    nowUs += 10_000;
    for (let operation = 0; operation < BATCH; operation++) {
      const session = sessions[operation % CLIENTS] as LimitedSession;
      limits.admit(session, 0, nowUs);
      limits.release(session, 0);
    }
  };
}

// A new connection costs the engine some 65 us.
// budget: 1000 ns: SessionLimits.admit and release, alone > *
describe('SessionLimits.admit and release, alone', () => {
  bench('1000 times, no limit', sessionsOf(boardOf(4), listenerWith({})));
  bench('1000 times, sessions of the listener', sessionsOf(boardOf(4), listenerWith({ sessions: 1_000_000 })));
  bench('1000 times, sessions of a client', sessionsOf(boardOf(4), listenerWith({ sessionsPerClient: 100 })));
  for (const workers of [1, 4, 32])
    bench(`1000 times, all limits, ${workers} workers`, sessionsOf(boardOf(workers), ALL));
});

// Both threads go through one lock without a pause.
// budget: 5000 ns: SessionLimits.admit and release, contended > *
describe('SessionLimits.admit and release, contended', () => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const buffer = boardOf(4);
  let rival: Worker;

  beforeAll(async () => {
    rival = new Worker(new URL('./session-rival-thread.mjs', import.meta.url), {
      workerData: { buffer, worker: 1, listener: ALL, stop: stop.buffer },
    });
    await new Promise((resolve) => rival.once('message', resolve));
  });

  afterAll(async () => {
    const end = new Promise((resolve) => rival.once('exit', resolve));
    Atomics.store(stop, 0, 1);
    await end;
  });

  bench('1000 times, all limits, against one other thread', sessionsOf(buffer, ALL));
});
