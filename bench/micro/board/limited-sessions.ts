/** Sessions at a limited listener, for the benches of their limits. */
import { createBoard } from '../../../src/board/board.js';
import { NO_ENTRY } from '../../../src/board/client-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { L4ListenerPlan, ListenerPlan } from '../../../src/config/plan.js';
import { type LimitedSession, SessionLimits } from '../../../src/policies/session-limits.js';

/** Sessions timed as one: the harness itself costs more than one of them. */
const BATCH = 1_000;
const CLIENTS = 1_000;

/** @param limits of the only listener */
export function listenerWith(limits: Partial<L4ListenerPlan['limits']>): ListenerPlan {
  const unlimited = { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: null };
  return { mode: 'l4', limits: { ...unlimited, ...limits } } as ListenerPlan;
}

/** Every limit there is. */
export const ALL = listenerWith({
  sessions: 1_000_000,
  sessionsPerClient: 100,
  newSessionsPerClient: { perSecond: 100_000, burst: 1_000_000 },
});

export function boardOf(workers: number): SharedArrayBuffer {
  return createBoard({
    endpointSlots: 64,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers,
    listeners: 1,
    clientEntries: 65_536,
  }).buffer;
}

/** A batch of sessions of many clients, each admitted and released. */
export function sessionsOf(buffer: SharedArrayBuffer, listener: ListenerPlan): () => void {
  const limits = new SessionLimits(attachBoard(buffer, 0), [{ ...listener, number: 0 }]);
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
