/** Exchanges and sessions have numbers of their own in the ledger, and only those that can come. */
import { describe, expect, it } from 'vitest';
import type { ListenerPlan } from '../../../src/config/plan.js';
import { MAX_EXCHANGES } from '../../../src/engine/engine.js';
import { MAX_SESSIONS } from '../../../src/engine/session-engine.js';
import { attemptNumbersFor } from '../../../src/worker/attempt-numbers.js';

const listenersOf = (...modes: ListenerPlan['mode'][]) => modes.map((mode) => ({ mode }) as ListenerPlan);

describe('attempt numbers', () => {
  it.each([
    ['exchanges only', listenersOf('l7', 'l7'), { first: 0, count: MAX_EXCHANGES }],
    ['sessions only', listenersOf('l4'), { first: MAX_EXCHANGES, count: MAX_SESSIONS }],
    ['both', listenersOf('l4', 'l7'), { first: 0, count: MAX_EXCHANGES + MAX_SESSIONS }],
  ])('are those of %s', (_name, listeners, numbers) => {
    expect(attemptNumbersFor({ listeners })).toEqual(numbers);
  });
});
