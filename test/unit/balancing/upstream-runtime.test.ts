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

  describe('told to retry later', () => {
    const pickAt = (runtime: UpstreamRuntime, now: number): number => {
      const other = attempting(7);
      const slot = runtime.pick(other, now);
      runtime.settleEnd(other, now);
      return slot;
    };

    it.each([
      ['for the time of the header', 5, 5_000],
      ['for fractions of it, too', 1.5, 1_500],
      ['for a minute at most', 86_400, 60_000],
    ])('leaves the endpoint alone %s', (_name, seconds, pauseMs) => {
      const { runtime, slots } = runtimeOf(2);
      const exchange = attempting(0);
      const paused = runtime.pick(exchange, 10);
      runtime.settleFirstByte(exchange, 503, 500, 11);
      runtime.settleRetryAfter(exchange, seconds, 11);
      runtime.settleEnd(exchange, 11);
      const rest = slots.find((slot) => slot !== paused);
      expect([12, 12, 10 + pauseMs, 10 + pauseMs].map((now) => pickAt(runtime, now))).toEqual(Array(4).fill(rest));
      expect([pickAt(runtime, 11 + pauseMs), pickAt(runtime, 11 + pauseMs)].sort()).toEqual([...slots].sort());
    });

    it.each([0, -3, 0.4, Number.NaN])('changes nothing for %s seconds', (seconds) => {
      const { board, runtime } = runtimeOf(2);
      const exchange = attempting(0);
      const slot = runtime.pick(exchange, 10);
      const epoch = board.upstreams.controlEpoch(0);
      runtime.settleRetryAfter(exchange, seconds, 11);
      expect([board.load.pausedUntil(slot), board.upstreams.controlEpoch(0)]).toEqual([0, epoch]);
    });

    it('makes the workers look again once, however many answers say so', () => {
      const { board, runtime } = runtimeOf(1);
      const exchange = attempting(0);
      runtime.pick(exchange, 10);
      const epoch = board.upstreams.controlEpoch(0);
      for (let now = 11; now < 1_000; now++) runtime.settleRetryAfter(exchange, 5, now);
      expect(board.upstreams.controlEpoch(0)).toBe(epoch + 1);
      expect(board.load.pausedUntil(runtime.plan.endpoints[0]!.slot)).toBe(5_999);
    });

    it('blames no endpoint that has got the slot meanwhile, and none after the end', () => {
      const { board, runtime, slots } = runtimeOf(1);
      const exchange = attempting(0);
      runtime.pick(exchange, 10);
      board.load.begin(slots[0]!, 2_000);
      runtime.settleRetryAfter(exchange, 5, 11);
      expect(board.load.pausedUntil(slots[0]!)).toBe(0);
      runtime.settleEnd(exchange, 11);
      runtime.settleRetryAfter(exchange, 5, 11);
      expect(board.load.pausedUntil(slots[0]!)).toBe(0);
    });
  });
});
