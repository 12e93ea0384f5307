/** A circuit opens by share, by row or by latency, over all workers; it closes when probes succeed; and it does what a naive model does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BreakerTable, ROUTE_GENERATION } from '../../../src/board/breaker-table.js';
import type { Circuit } from '../../../src/board/circuit-table.js';
import { allocateBoard } from '../../../src/board/shared-memory.js';
import type { BreakerPlan } from '../../../src/config/resilience-plan.js';
import { tickAfter } from '../../../src/core/tick.js';
import { beganBefore, CircuitBreaker, opened, openMsOf } from '../../../src/policies/circuit-breaker.js';
import { BREAKER } from './watched-upstream.js';

const STARTS = [1, 2 ** 31 - 500, -700];

/** Breakers of as many workers over one table of one record. */
function breakersOf(plan: BreakerPlan, workers = 2) {
  const mapped = allocateBoard(
    {
      endpointSlots: 1,
      upstreams: 1,
      turns: 1,
      hashTables: 0,
      hashTableWords: 0,
      queueEntries: 0,
      queues: 1,
      routeBreakers: 1,
      routes: 1,
      workers,
      listeners: 1,
      clientEntries: 16,
    },
    [1, 2],
  );
  const events: string[] = [];
  const breakers = Array.from(
    { length: workers },
    () =>
      new CircuitBreaker(plan, new BreakerTable(mapped, 'routeBreaker'), {
        opened: (record, reason, openMs) => events.push(`${record} opened ${reason} ${openMs}`),
        halfOpened: (record) => events.push(`${record} half-open`),
        closed: (record) => events.push(`${record} closed`),
      }),
  );
  const facts = { isProbe: false, startedAt: 1 };
  let turn = 0;
  const next = (): CircuitBreaker => breakers[turn++ % workers]!;
  return {
    events,
    told: () => events.splice(0),
    phase: (now: number) => next().phase(0, now),
    succeed: (now: number, { isProbe = false, startedAt = now, elapsedUs = 1 } = {}) =>
      next().succeeded(0, ROUTE_GENERATION, elapsedUs, Object.assign(facts, { isProbe, startedAt }), now),
    fail: (now: number, { isProbe = false, startedAt = now, isCounted = false } = {}) =>
      next().failed(0, ROUTE_GENERATION, isCounted, Object.assign(facts, { isProbe, startedAt }), now),
    table: new BreakerTable(mapped, 'routeBreaker'),
  };
}

describe('the time that a circuit is open', () => {
  it('doubles with each opening in a row, up to the most', () => {
    expect([1, 2, 3, 4, 511].map((openings) => openMsOf(openings, BREAKER))).toEqual([1e3, 2e3, 4e3, 4e3, 4e3]);
  });

  it.each([
    [0, 3],
    [3_999, 3],
    [4_000, 1],
    [25 * 86_400_000, 1],
  ])('counts anew behind as long a closed time: after %i ms opening %i', (closedMs, openings) => {
    const closed: Circuit = { generation: 0, phase: 'closed', openings: 2, successes: 0, at: 1 };
    expect(opened(closed, BREAKER, (1 + closedMs) | 0).openings).toBe(openings);
  });
});

describe('what began before a state', () => {
  it.each([
    [1_000, 999, 1_500, true],
    [1_000, 1_000, 1_500, false],
    [1_000, 1_001, 1_500, false],
    [-5, -6, 3, true],
    [-5, -4, 3, false],
    // Closed for 25 days.
    [1_000, 25 * 86_400_000 + 900, 25 * 86_400_000 + 1_000, false],
  ])('at %i: begun at %i, now %i: %s', (at, startedAt, now, expected) => {
    const circuit: Circuit = { generation: 0, phase: 'closed', openings: 1, successes: 0, at: at | 0 };
    expect(beganBefore(circuit, startedAt | 0, now | 0)).toBe(expected);
  });
});

describe('circuit breaker', () => {
  it.each(STARTS)('opens at the share of failures, from the least number of requests on (clock at %i)', (start) => {
    const breaker = breakersOf(BREAKER);
    const at = (ms: number): number => tickAfter(start, ms);
    breaker.fail(at(0));
    breaker.fail(at(50));
    breaker.succeed(at(60));
    expect(breaker.phase(at(60))).toBe('closed');
    breaker.fail(at(70));

    expect(breaker.told()).toEqual(['0 opened error-ratio 1000']);
    expect(breaker.phase(at(1_069))).toBe('open');
    expect(breaker.phase(at(1_070))).toBe('half-open');
    expect(breaker.told()).toEqual(['0 half-open']);
  });

  it('forgets what is older than its window', () => {
    const breaker = breakersOf(BREAKER);
    for (let count = 0; count < 3; count++) breaker.fail(1);
    breaker.fail(1_200);
    expect(breaker.events).toEqual([]);
    for (let count = 0; count < 3; count++) breaker.fail(1_300);
    expect(breaker.events).toHaveLength(1);
  });

  it('does not open below the share', () => {
    const breaker = breakersOf(BREAKER);
    for (let count = 0; count < 100; count++) {
      breaker.succeed(10);
      if (count % 3 === 2) breaker.fail(10);
    }
    expect(breaker.events).toEqual([]);
  });

  it('opens after failures in a row, which a success ends', () => {
    const breaker = breakersOf({ ...BREAKER, errorRatio: 0, failuresInRow: 3 });
    breaker.fail(1);
    breaker.fail(1);
    breaker.succeed(2);
    breaker.fail(3);
    breaker.fail(3);
    expect(breaker.events).toEqual([]);
    breaker.fail(4);
    expect(breaker.events).toEqual(['0 opened failures-in-row 1000']);
  });

  it('opens when a quantile of the latency is too high', () => {
    const breaker = breakersOf({
      ...BREAKER,
      errorRatio: 0,
      latency: { quantile: 0.9, aboveMs: 100 },
      leastRequests: 20,
    });
    for (let count = 0; count < 30; count++) breaker.succeed(1, { elapsedUs: 100_000 });
    for (let count = 0; count < 3; count++) breaker.succeed(1, { elapsedUs: 100_001 });
    expect(breaker.events).toEqual([]);
    breaker.succeed(1, { elapsedUs: 900_000 });
    expect(breaker.events).toEqual(['0 opened latency 1000']);
  });

  it('counts an attempt once that breaks off behind its success', () => {
    const breaker = breakersOf(BREAKER);
    for (let count = 0; count < 4; count++) breaker.succeed(1);
    breaker.fail(1, { isCounted: true });
    expect(breaker.events).toEqual([]);
    breaker.fail(1, { isCounted: true });
    expect(breaker.events).toEqual(['0 opened error-ratio 1000']);
  });

  it('closes when as many probes have succeeded, and forgets the window', () => {
    const breaker = breakersOf({ ...BREAKER, probes: 2 });
    for (let count = 0; count < 4; count++) breaker.fail(1);
    expect(breaker.phase(1_001)).toBe('half-open');
    breaker.succeed(1_002, { isProbe: true });
    expect(breaker.phase(1_002)).toBe('half-open');
    breaker.succeed(1_003, { isProbe: true });
    expect(breaker.told()).toEqual(['0 opened error-ratio 1000', '0 half-open', '0 closed']);
    for (let count = 0; count < 3; count++) breaker.fail(1_004);
    expect(breaker.told()).toEqual([]);
  });

  it('opens for longer when a probe fails', () => {
    const breaker = breakersOf(BREAKER);
    for (let count = 0; count < 4; count++) breaker.fail(1);
    breaker.phase(1_001);
    breaker.fail(1_010, { isProbe: true, startedAt: 1_005 });
    expect(breaker.told().at(-1)).toBe('0 opened probe-failed 2000');
    expect(breaker.phase(3_009)).toBe('open');
    expect(breaker.phase(3_010)).toBe('half-open');
  });

  it('lets nothing decide but probes of this half-open time', () => {
    const breaker = breakersOf(BREAKER);
    for (let count = 0; count < 4; count++) breaker.fail(1);
    breaker.phase(1_001);
    breaker.told();

    breaker.succeed(1_010, { startedAt: 1_005 });
    breaker.fail(1_010, { startedAt: 1_005 });
    breaker.succeed(1_010, { startedAt: 900, isProbe: true });
    breaker.fail(1_010, { startedAt: 900, isProbe: true });

    expect(breaker.told()).toEqual([]);
  });

  it('ignores failures of what began before it closed', () => {
    const breaker = breakersOf({ ...BREAKER, failuresInRow: 1 });
    breaker.fail(1);
    breaker.phase(1_001);
    breaker.succeed(1_002, { isProbe: true, startedAt: 1_001 });
    breaker.told();

    breaker.fail(1_010, { startedAt: 1 });
    expect(breaker.told()).toEqual([]);
    breaker.fail(1_010, { startedAt: 1_002 });
    expect(breaker.told()).toHaveLength(1);
  });

  it('ignores what belongs to another endpoint of its slot', () => {
    const breaker = breakersOf({ ...BREAKER, failuresInRow: 1 });
    breaker.table.begin(0, 7);
    breaker.fail(1);
    expect(breaker.events).toEqual([]);
  });

  // Not over the wrap of the unsigned clock, once in 49 days, where its window begins anew.
  it('does what a naive model does', () => {
    const step = fc.record({
      afterMs: fc.nat(250),
      kind: fc.constantFrom('succeed', 'fail', 'slow', 'ask'),
    });
    const plan = fc.record({
      errorRatio: fc.constantFrom(0, 0.3, 0.5, 1),
      leastRequests: fc.integer({ min: 1, max: 6 }),
      failuresInRow: fc.constantFrom(0, 2, 4),
      probes: fc.integer({ min: 1, max: 3 }),
      latency: fc.constantFrom(null, { quantile: 0.5, aboveMs: 10 }),
      windowMs: fc.constantFrom(400, 1_000),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2 ** 31 - 5_000),
        plan,
        fc.array(step, { maxLength: 120 }),
        (start, settings, steps) => {
          const full: BreakerPlan = { ...BREAKER, openMs: 300, mostOpenMs: 1_200, ...settings };
          const breaker = breakersOf(full);
          const model = new NaiveBreaker(full);
          let ms = 0;
          for (const { afterMs, kind } of steps) {
            ms += afterMs;
            const now = tickAfter(start, ms);
            expect(breaker.phase(now)).toBe(model.phase(ms));
            const isProbe = model.phase(ms) === 'half-open';
            if (kind === 'fail') breaker.fail(now, { isProbe });
            else if (kind !== 'ask') breaker.succeed(now, { isProbe, elapsedUs: kind === 'slow' ? 20_000 : 1 });
            // The window's buckets follow the clock.
            if (kind !== 'ask') model.settle(kind, ms, (now >>> 0) / (full.windowMs / 10));
            expect(breaker.phase(now)).toBe(model.phase(ms));
          }
          expect(breaker.events).toEqual(model.events);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The same rules, as plainly as they can be said, for one thread and a clock that does not wrap. */
class NaiveBreaker {
  readonly events: string[] = [];
  readonly #plan: BreakerPlan;
  #settled: { kind: string; bucket: number }[] = [];
  #row = 0;
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #until = 0;
  #closedAt = Number.NEGATIVE_INFINITY;
  #openings = 0;
  #successes = 0;

  constructor(plan: BreakerPlan) {
    this.#plan = plan;
  }

  phase(ms: number): string {
    if (this.#state === 'open' && ms >= this.#until) {
      this.#state = 'half-open';
      this.#successes = 0;
      this.events.push('0 half-open');
    }
    return this.#state;
  }

  settle(kind: string, ms: number, bucketAt: number): void {
    const { errorRatio, leastRequests, failuresInRow, latency, probes } = this.#plan;
    const isFailure = kind === 'fail';
    if (this.phase(ms) === 'open') return;
    if (this.#state === 'half-open') {
      if (isFailure) return this.#open(ms, 'probe-failed');
      this.#successes += 1;
      if (this.#successes < probes) return;
      this.#state = 'closed';
      this.#closedAt = ms;
      this.#settled = [];
      this.#row = 0;
      this.events.push('0 closed');
      return;
    }
    const bucket = Math.floor(bucketAt);
    this.#settled.push({ kind, bucket });
    this.#row = isFailure ? this.#row + 1 : 0;
    const window = this.#settled.filter((each) => each.bucket > bucket - 10);
    const share = (which: string): number => window.filter((each) => each.kind === which).length / window.length;
    const isEnough = window.length >= leastRequests;
    if (isFailure && failuresInRow > 0 && this.#row >= failuresInRow) return this.#open(ms, 'failures-in-row');
    if (isFailure && errorRatio > 0 && isEnough && share('fail') >= errorRatio) return this.#open(ms, 'error-ratio');
    if (kind === 'slow' && latency && isEnough && share('slow') > 1 - latency.quantile) this.#open(ms, 'latency');
  }

  #open(ms: number, reason: string): void {
    const { openMs, mostOpenMs } = this.#plan;
    if (this.#state === 'closed' && ms - this.#closedAt >= mostOpenMs) this.#openings = 0;
    this.#openings += 1;
    const lasts = Math.min(openMs * 2 ** (this.#openings - 1), mostOpenMs);
    this.#state = 'open';
    this.#until = ms + lasts;
    this.events.push(`0 opened ${reason} ${lasts}`);
  }
}
