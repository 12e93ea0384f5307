/** Exchanges, their hedges and sessions have numbers of their own in the ledger, and those that do not come cost no memory. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { HEDGE_OFFSET, MAX_EXCHANGES } from '../../../src/engine/engine.js';
import { FIRST_SESSION_NUMBER, MAX_SESSIONS } from '../../../src/engine/session-engine.js';
import { ATTEMPT_NUMBERS } from '../../../src/worker/attempt-numbers.js';
import { upstreamOf } from '../balancing/upstream-under-test.js';

describe('attempt numbers', () => {
  it('of sessions lie behind those of hedges, and all have room', () => {
    expect(FIRST_SESSION_NUMBER).toBe(HEDGE_OFFSET + MAX_EXCHANGES);
    expect(ATTEMPT_NUMBERS).toBe(FIRST_SESSION_NUMBER + MAX_SESSIONS);
  });

  it('cost next to no memory until they come', () => {
    const { worker } = upstreamOf('least-conn', [{}]);
    const before = process.memoryUsage.rss();
    const ledgers = Array.from({ length: 16 }, () => new EndpointLedger(worker, ATTEMPT_NUMBERS));
    const perLedger = (process.memoryUsage.rss() - before) / ledgers.length;
    // 24 bytes a number were they written: 7.5 MiB.
    expect(perLedger).toBeLessThan(1_000_000);
    expect(ledgers.every(({ open }) => open === 0)).toBe(true);
  });
});
