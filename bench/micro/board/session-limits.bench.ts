/** What the limits of a session cost: admitting and releasing one, by limit and number of workers. */
import { bench, describe } from 'vitest';
import { ALL, boardOf, listenerWith, sessionsOf } from './limited-sessions.js';

// A new connection costs the engine some 65 us.
// budget: 1000 ns: SessionLimits.admit and release, alone > *
describe('SessionLimits.admit and release, alone', () => {
  bench('1000 times, no limit', sessionsOf(boardOf(4), listenerWith({})));
  bench('1000 times, sessions of the listener', sessionsOf(boardOf(4), listenerWith({ sessions: 1_000_000 })));
  bench('1000 times, sessions of a client', sessionsOf(boardOf(4), listenerWith({ sessionsPerClient: 100 })));
  for (const workers of [1, 4, 32])
    bench(`1000 times, all limits, ${workers} workers`, sessionsOf(boardOf(workers), ALL));
});
