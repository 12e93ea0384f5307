/** What admitting and releasing a session costs while another thread does the same. */
import { bench, describe } from 'vitest';
import { ALL, boardOf, sessionsOf } from './limited-sessions.js';
import { startRivals } from './rivals.js';

const buffer = boardOf(4);
await startRivals(new URL('./session-rival-thread.mjs', import.meta.url), [{ buffer, worker: 1, listener: ALL }]);

// Both threads go through one lock without a pause.
// budget: 5000 ns: SessionLimits.admit and release, contended > *
describe('SessionLimits.admit and release, contended', () => {
  bench('1000 times, all limits, against one other thread', sessionsOf(buffer, ALL));
});
