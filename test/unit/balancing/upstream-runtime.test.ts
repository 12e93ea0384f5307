/** One upstream picks for exchanges and sessions and settles what became of their attempts. */
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, NO_KEY } from '../../../src/balancing/balancer.js';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { type Attempting, UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import { NO_SUBSET, type PickingPlan } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { upstreamOf } from './upstream-under-test.js';

function runtimeOf(endpoints: number, parts: Partial<PickingPlan> = {}) {
  const {
    board,
    plan: plain,
    worker,
  } = upstreamOf(
    'round-robin',
    Array.from({ length: endpoints }, () => ({})),
  );
  const plan = { ...plain, ...parts };
  const ledger = new EndpointLedger(worker, 8);
  const runtime = new UpstreamRuntime(plan, { board: worker, ledger, rng: seededRng(1) });
  const slots = plan.endpoints.map(({ slot }) => slot);
  return { board, runtime, ledger, slots, inflight: () => slots.map((slot) => board.load.inflight(slot)) };
}

const attempting = (id: number): Attempting => ({
  id,
  subset: NO_SUBSET,
  key: NO_KEY,
  preferred: NO_ENDPOINT,
  endpoint: NO_ENDPOINT,
  attempts: 0,
  tried: null,
});

describe('upstream runtime', () => {
  it('tries another endpoint after a failure, and none when all are tried', () => {
    const { board, runtime, slots, inflight } = runtimeOf(2);
    const session = attempting(3);
    const first = runtime.pick(session, 10);
    runtime.settleFailure(session, 'SLUICE_CONNECT_REFUSED', 500, 11);
    const second = runtime.pick(session, 11);
    expect([first, second].sort()).toEqual([...slots].sort());
    expect(inflight().reduce((sum, count) => sum + count)).toBe(1);
    runtime.settleFailure(session, 'SLUICE_CONNECT_TIMEOUT', 500, 12);
    expect(runtime.pick(session, 12)).toBe(NO_ENDPOINT);
    expect(inflight()).toEqual([0, 0]);
    expect(slots.map((slot) => board.endpointFigures(slot).failures)).toEqual([1, 1]);
    expect(board.totals().traffic.retries).toBe(1);
  });

  it('passes an endpoint over without blame when the attempt could not begin there', () => {
    const { board, runtime, slots } = runtimeOf(1);
    const session = attempting(0);
    runtime.pick(session, 10);
    runtime.settleUnusable(session, 10);
    expect(runtime.pick(session, 10)).toBe(NO_ENDPOINT);
    expect(board.endpointFigures(slots[0]!).failures).toBe(0);
  });

  it('holds the claim of a connected session until it ends, whatever is settled twice', () => {
    const { board, runtime, slots, inflight } = runtimeOf(1);
    const session = attempting(0);
    runtime.pick(session, 10);
    runtime.settleConnected(session, 800, 11);
    expect([inflight(), board.load.latencyUs(slots[0]!)]).toEqual([[1], 800]);
    runtime.settleEnd(session, 99);
    runtime.settleEnd(session, 99);
    expect(inflight()).toEqual([0]);
  });

  it.each([
    ['raises the estimate of an endpoint that resets before its first byte', false, true],
    ['leaves the estimate alone when it resets after it', true, false],
  ])('%s, and counts a failure', (_name, hasAnswered, isRaised) => {
    const { board, runtime, slots } = runtimeOf(1);
    const session = attempting(0);
    runtime.pick(session, 10);
    runtime.settleConnected(session, 800, 11);
    runtime.settleReset(session, hasAnswered, 12);
    runtime.settleEnd(session, 12);
    expect(board.endpointFigures(slots[0]!).failures).toBe(1);
    expect(board.load.latencyUs(slots[0]!) > 800).toBe(isRaised);
  });

  it('measures up to the last byte where the plan says so, and gives the claim back there', () => {
    const { board, runtime, slots, inflight } = runtimeOf(1, { latencyOf: 'last-byte' });
    const exchange = attempting(0);
    runtime.pick(exchange, 10);
    runtime.settleFirstByte(exchange, 200, 800, 11);
    runtime.settleLastByte(exchange, 90_000, 100);
    runtime.settleLastByte(exchange, 95_000, 105);
    expect([inflight(), board.load.latencyUs(slots[0]!)]).toEqual([[0], 90_000]);
  });

  it('measures up to the first byte elsewhere, and a session up to its connection in any case', () => {
    const first = runtimeOf(1);
    const exchange = attempting(0);
    first.runtime.pick(exchange, 10);
    first.runtime.settleFirstByte(exchange, 200, 800, 11);
    first.runtime.settleLastByte(exchange, 90_000, 100);
    expect([first.inflight(), first.board.load.latencyUs(first.slots[0]!)]).toEqual([[0], 800]);
    const last = runtimeOf(1, { latencyOf: 'last-byte' });
    const session = attempting(1);
    last.runtime.pick(session, 10);
    last.runtime.settleConnected(session, 700, 11);
    last.runtime.settleEnd(session, 9_000);
    expect(last.board.load.latencyUs(last.slots[0]!)).toBe(700);
  });

  it('gives the claim of an attempt back at its last byte although no head was told', () => {
    const { board, runtime, slots, inflight } = runtimeOf(1, { latencyOf: 'last-byte' });
    const exchange = attempting(0);
    runtime.pick(exchange, 10);
    runtime.settleLastByte(exchange, 5_000_000, 11);
    expect([inflight(), board.load.latencyUs(slots[0]!)]).toEqual([[0], 0]);
  });
});
