/** A session is admitted while its listener and its client stay within the limits; what is refused holds nothing. */
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { NO_ENTRY } from '../../../src/board/client-table.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { L4ListenerPlan, ListenerPlan } from '../../../src/config/plan.js';
import { type LimitedSession, SessionLimits } from '../../../src/policies/session-limits.js';
import { ADMIT } from '../../../src/policies/verdict.js';

const UNLIMITED: L4ListenerPlan['limits'] = { sessions: 0, sessionsPerClient: 0, newSessionsPerClient: null };

function limitsOf(...limits: Partial<L4ListenerPlan['limits']>[]) {
  const listeners = limits.map((each) => ({ mode: 'l4', limits: { ...UNLIMITED, ...each } }) as ListenerPlan);
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
    workers: 2,
    listeners: limits.length,
    clientEntries: 16,
  };
  const board = createBoard(capacities, [1, 2]);
  const workers = [0, 1].map((worker) => {
    const tables = attachBoard(board.buffer, worker);
    return { tables, limits: new SessionLimits(tables, numbered(listeners)) };
  });
  return { board, workers, one: workers[0]!.limits, two: workers[1]!.limits, tables: workers[0]!.tables };
}

/** From 10.0.0.`last`. */
const sessionFrom = (last: number): LimitedSession => ({
  word0: 0,
  word1: 0,
  word2: 0xffff,
  word3: 0x0a00_0000 + last,
  isCountedAtListener: false,
  clientEntry: NO_ENTRY,
});
const unixSession = (): LimitedSession => ({ ...sessionFrom(0), word2: 0, word3: 0 });

describe('session limits', () => {
  it('admit everything where nothing is limited, and touch nothing that workers share', () => {
    const { board, one } = limitsOf({});
    const before = new Uint8Array(board.buffer).slice();
    const session = sessionFrom(1);
    expect(one.admit(session, 0, 1_000)).toBe(ADMIT);
    one.release(session, 0);
    expect(Buffer.compare(before, Buffer.from(board.buffer))).toBe(0);
  });

  it('refuse above the sessions of the listener, over all workers', () => {
    const { one, two } = limitsOf({ sessions: 2 });
    const first = sessionFrom(1);
    expect([one.admit(first, 0, 0), two.admit(sessionFrom(2), 0, 0), one.admit(sessionFrom(3), 0, 0)]).toEqual([
      ADMIT,
      ADMIT,
      'SLUICE_SESSION_LIMIT',
    ]);
    one.release(first, 0);
    expect(two.admit(sessionFrom(3), 0, 0)).toBe(ADMIT);
  });

  it('refuse above the sessions of a client, and let others in', () => {
    const { one, two } = limitsOf({ sessionsPerClient: 1 });
    expect([one.admit(sessionFrom(1), 0, 0), two.admit(sessionFrom(1), 0, 0), two.admit(sessionFrom(2), 0, 0)]).toEqual(
      [ADMIT, 'SLUICE_CLIENT_SESSION_LIMIT', ADMIT],
    );
  });

  it('refuse a client that comes too fast', () => {
    const { one, two } = limitsOf({ newSessionsPerClient: { perSecond: 10, burst: 2 } });
    const admit = (nowUs: number) => two.admit(sessionFrom(1), 0, nowUs);
    one.admit(sessionFrom(1), 0, 5_000_000);
    expect([admit(5_000_000), admit(5_000_000), admit(5_099_999), admit(5_100_000)]).toEqual([
      ADMIT,
      'SLUICE_CLIENT_RATE_LIMIT',
      'SLUICE_CLIENT_RATE_LIMIT',
      ADMIT,
    ]);
  });

  it('give back the place at the listener when the client is refused', () => {
    const { one, tables } = limitsOf({
      sessions: 5,
      sessionsPerClient: 1,
      newSessionsPerClient: { perSecond: 1, burst: 2 },
    });
    const admitted = sessionFrom(1);
    one.admit(admitted, 0, 5_000_000);
    const refused = sessionFrom(1);
    expect(one.admit(refused, 0, 5_000_000)).toBe('SLUICE_CLIENT_SESSION_LIMIT');
    expect([tables.listenerSessions.open(0), refused.isCountedAtListener, refused.clientEntry]).toEqual([
      1,
      false,
      NO_ENTRY,
    ]);
    one.release(admitted, 0);
    // The refusal has used up no rate: the second of the burst is still there, a third is not.
    const second = sessionFrom(1);
    expect(one.admit(second, 0, 5_000_000)).toBe(ADMIT);
    one.release(second, 0);
    expect(one.admit(sessionFrom(1), 0, 5_000_000)).toBe('SLUICE_CLIENT_RATE_LIMIT');
    expect(tables.listenerSessions.open(0)).toBe(0);
  });

  it('use up no rate with what the listener refuses', () => {
    const { one, two } = limitsOf({ sessions: 1, newSessionsPerClient: { perSecond: 1, burst: 1 } });
    const other = sessionFrom(2);
    one.admit(other, 0, 5_000_000);
    expect(two.admit(sessionFrom(1), 0, 5_000_000)).toBe('SLUICE_SESSION_LIMIT');
    one.release(other, 0);
    expect(two.admit(sessionFrom(1), 0, 5_000_000)).toBe(ADMIT);
  });

  it('are each listener’s own', () => {
    const { one } = limitsOf({ sessions: 1, sessionsPerClient: 1 }, { sessionsPerClient: 1 }, {});
    expect([0, 1, 2, 0].map((listener) => one.admit(sessionFrom(1), listener, 0))).toEqual([
      ADMIT,
      ADMIT,
      ADMIT,
      'SLUICE_SESSION_LIMIT',
    ]);
  });

  it('hold for client connections of L7, too, and say where nothing is limited', () => {
    const board = createBoard(
      {
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
        listeners: 2,
        clientEntries: 16,
      },
      [1, 2],
    );
    const listeners = [
      { mode: 'l7', limits: { ...UNLIMITED, sessions: 1 } },
      { mode: 'l7', limits: UNLIMITED },
    ] as ListenerPlan[];
    const limits = new SessionLimits(attachBoard(board.buffer, 0), numbered(listeners));
    expect([limits.isLimited(0), limits.isLimited(1), limits.isLimited(2)]).toEqual([true, false, false]);
    expect([sessionFrom(1), sessionFrom(2)].map((session) => limits.admit(session, 0, 0))).toEqual([
      ADMIT,
      'SLUICE_SESSION_LIMIT',
    ]);
  });

  it('limit clients of a UNIX socket, which have no address, only together', () => {
    const { one } = limitsOf({ sessions: 2, sessionsPerClient: 1, newSessionsPerClient: { perSecond: 1, burst: 1 } });
    expect([unixSession(), unixSession(), unixSession()].map((session) => one.admit(session, 0, 0))).toEqual([
      ADMIT,
      ADMIT,
      'SLUICE_SESSION_LIMIT',
    ]);
  });

  it('say so when no place is left to count a client', () => {
    const { one, tables } = limitsOf({ sessions: 99, sessionsPerClient: 1 });
    for (let client = 0; client < 16; client++) expect(one.admit(sessionFrom(client), 0, 0)).toBe(ADMIT);
    expect(one.admit(sessionFrom(16), 0, 0)).toBe('SLUICE_CLIENT_TABLE_FULL');
    expect(tables.listenerSessions.open(0)).toBe(16);
  });

  it('give a session back once, however often it is released', () => {
    const { one, tables } = limitsOf({ sessions: 3, sessionsPerClient: 3 });
    const sessions = [sessionFrom(1), sessionFrom(1)];
    for (const session of sessions) one.admit(session, 0, 0);
    const entry = sessions[0]!.clientEntry;
    for (let time = 0; time < 2; time++) one.release(sessions[0]!, 0);
    expect([tables.listenerSessions.open(0), tables.clients.sessions(entry)]).toEqual([1, 1]);
  });
});

/** Each listener by its place in the list. */
function numbered(listeners: readonly ListenerPlan[]): ListenerPlan[] {
  return listeners.map((listener, number) => ({ ...listener, number }));
}
