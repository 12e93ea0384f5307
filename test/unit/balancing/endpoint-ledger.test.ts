/** Every attempt leaves load, waits, latency and counters as they should be. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PACED_BY_CLIENT, TO_LAST_BYTE, WITH_PEAK } from '../../../src/balancing/attempt-measure.js';
import { EndpointLedger, isFailingStatus } from '../../../src/balancing/endpoint-ledger.js';
import { upstreamOf } from './upstream-under-test.js';

function ledgerOf(endpoints = 1, measure?: number) {
  const upstream = upstreamOf(
    'least-conn',
    Array.from({ length: endpoints }, () => ({})),
  );
  const ledger = new EndpointLedger(upstream.worker, 64);
  const [endpoint] = upstream.plan.endpoints;
  const begin = (exchange: number, now: number, isRetry = false): void => {
    upstream.load(0, 1);
    ledger.begin(exchange, endpoint!, isRetry, now, measure);
  };
  const ageAt = (now: number): number =>
    upstream.attach(1).worker.waiting.oldestAgeMs(endpoint!.slot, endpoint!.generation, now);
  return { ...upstream, ledger, begin, ageAt, slot: endpoint!.slot, generation: endpoint!.generation };
}

describe('endpoint ledger', () => {
  it('gives the claim back at the end, and only once', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(3, 10);
    begin(4, 10);
    ledger.end(3, 20);
    ledger.end(3, 20);
    expect([board.load.inflight(slot), ledger.open]).toEqual([1, 1]);
  });

  it('refuses a second attempt of an exchange before the first has ended', () => {
    const { begin } = ledgerOf();
    begin(3, 10);
    expect(() => begin(3, 11)).toThrow(/no attempt open/);
  });

  it('refuses to settle what has not begun', () => {
    const { ledger } = ledgerOf();
    expect(() => ledger.firstByte(1, 200, 5, 5)).toThrow(/has an attempt open/);
    expect(() => ledger.fail(1, 5, 5)).toThrow(/has an attempt open/);
  });

  it('takes the time to first byte as a sample', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 10);
    ledger.firstByte(0, 200, 7_000, 17);
    ledger.firstByte(0, 200, 9_000, 19);
    expect([board.load.latencyUs(slot), board.load.latencyAt(slot)]).toEqual([7_000, 17]);
  });

  it('takes the time to connect as the sample of a session, whose claim stays until its end', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 10);
    ledger.connected(0, 700, 11);
    ledger.connected(0, 900, 12);
    expect([board.load.latencyUs(slot), board.load.latencyAt(slot), board.load.inflight(slot)]).toEqual([700, 11, 1]);
    ledger.end(0, 90_000);
    expect([board.load.latencyUs(slot), board.load.inflight(slot)]).toEqual([700, 0]);
  });

  it('refuses numbers that it has no room for', () => {
    const { worker, plan, load, board } = upstreamOf('least-conn', [{}]);
    const ledger = new EndpointLedger(worker, 2);
    load(0, 1);
    ledger.begin(1, plan.endpoints[0]!, false, 10);
    ledger.end(1, 11);
    expect(board.load.inflight(plan.endpoints[0]!.slot)).toBe(0);
    for (const outside of [-1, 2])
      expect(() => ledger.begin(outside, plan.endpoints[0]!, false, 12)).toThrow(/no attempt open/);
  });

  it('publishes since when the oldest attempt waits, in whatever order they are answered', () => {
    const { ledger, begin, ageAt } = ledgerOf();
    for (const exchange of [0, 1, 2]) begin(exchange, 100 + exchange * 10);
    expect(ageAt(200)).toBe(100);
    ledger.firstByte(1, 200, 1, 200);
    expect(ageAt(200)).toBe(100);
    ledger.end(0, 200);
    expect(ageAt(200)).toBe(80);
    ledger.fail(2, 1, 200);
    expect(ageAt(200)).toBe(0);
  });

  it('publishes the oldest wait whatever happens (naive reference: a list)', () => {
    const commands = fc.array(fc.tuple(fc.constantFrom('begin', 'answer', 'end'), fc.integer({ min: 0, max: 15 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(commands, (steps) => {
        const { ledger, begin, ageAt, board, slot } = ledgerOf();
        const open = new Map<number, { since: number; isWaiting: boolean }>();
        let now = 1000;
        for (const [kind, exchange] of steps) {
          now += 1;
          const attempt = open.get(exchange);
          if (kind === 'begin' && !attempt) {
            begin(exchange, now);
            open.set(exchange, { since: now, isWaiting: true });
          } else if (kind === 'answer' && attempt) {
            ledger.firstByte(exchange, 200, 100, now);
            attempt.isWaiting = false;
          } else if (kind === 'end') {
            ledger.end(exchange, now);
            open.delete(exchange);
          }
          const waiting = [...open.values()].filter(({ isWaiting }) => isWaiting).map(({ since }) => since);
          expect(ageAt(now + 5)).toBe(waiting.length === 0 ? 0 : now + 5 - Math.min(...waiting));
          expect(board.load.inflight(slot)).toBe(open.size);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('counts attempts, retries and failures of the endpoint', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 1);
    begin(1, 1, true);
    begin(2, 1);
    ledger.fail(0, 100, 2);
    ledger.firstByte(1, 503, 100, 2);
    ledger.firstByte(2, 404, 100, 2);
    for (const exchange of [0, 1, 2]) ledger.end(exchange, 3);
    expect(board.endpointFigures(slot)).toMatchObject({ attempts: 3, failures: 2, retries: 1 });
  });

  it('raises the estimate once for all that fail of one incident, and again for what began after it', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 1);
    ledger.firstByte(0, 200, 10_000, 11);
    for (const exchange of [1, 2, 3]) begin(exchange, 20);
    for (const exchange of [1, 2, 3]) ledger.fail(exchange, 5_000, 25);
    expect(board.load.latencyUs(slot)).toBe(20_000);
    begin(4, 26);
    ledger.fail(4, 1_000, 27);
    expect([board.load.latencyUs(slot), board.endpointFigures(slot).failures]).toEqual([40_000, 4]);
  });

  it.each([
    [200, false],
    [404, false],
    [429, false],
    [500, true],
    [501, false],
    [503, true],
    [505, false],
    [599, true],
  ])('takes a status of %i for trouble of the endpoint: %s', (status, isFailing) => {
    expect(isFailingStatus(status)).toBe(isFailing);
  });

  it('learns from a client that left that the endpoint is at least that slow', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 1);
    ledger.firstByte(0, 200, 1_000, 2);
    ledger.end(0, 2);
    begin(1, 10);
    ledger.end(1, 3_010);
    expect(board.load.latencyUs(slot)).toBeGreaterThan(100_000);
  });

  it('learns nothing from a client that left early', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 1);
    ledger.end(0, 6);
    expect(board.load.latencyUs(slot)).toBe(0);
  });

  it('leaves the next endpoint of a reused slot alone', () => {
    const { board, ledger, begin, slot, worker, ageAt } = ledgerOf();
    begin(0, 10);
    begin(1, 11);
    board.release(slot);
    let reused = board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true });
    while (reused.slot !== slot) reused = board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true });
    worker.claims.claim(slot, reused.generation, 0);
    ledger.begin(
      2,
      {
        ...reused,
        name: 'new',
        target: { kind: 'unix', path: '/s' },
        weight: 1,
        backup: false,
        level: 0,
        labels: {},
        maxConns: 0,
      },
      false,
      50,
    );
    ledger.fail(0, 5_000, 60);
    ledger.end(0, 60);
    ledger.firstByte(1, 200, 5_000, 61);
    ledger.end(1, 61);
    expect([board.load.inflight(slot), board.load.latencyUs(slot), board.endpointFigures(slot).failures]).toEqual([
      1, 0, 0,
    ]);
    expect(worker.waiting.oldestAgeMs(slot, reused.generation, 70)).toBe(20);
    expect(ageAt(70)).toBe(0);
  });
});

describe('endpoint ledger where the last byte counts', () => {
  it('takes one sample, of the time to the last byte', () => {
    const { board, ledger, begin, slot } = ledgerOf(1, TO_LAST_BYTE);
    begin(0, 10);
    ledger.firstByte(0, 200, 2_000, 12);
    expect([board.load.latencyUs(slot), ledger.isMeasuredByEnd(0)]).toEqual([0, true]);
    ledger.lastByte(0, 400_000, 410);
    ledger.lastByte(0, 900_000, 910);
    ledger.end(0, 910);
    expect([board.load.latencyUs(slot), board.load.latencyAt(slot)]).toEqual([400_000, 410]);
  });

  it('counts the age of those that wait up to their head: behind it the client may be who is slow', () => {
    const { ledger, begin, ageAt } = ledgerOf(1, TO_LAST_BYTE);
    begin(0, 10);
    expect(ageAt(11)).toBe(1);
    ledger.firstByte(0, 200, 2_000, 12);
    expect(ageAt(500)).toBe(0);
    begin(1, 600);
    expect(ageAt(650)).toBe(50);
    ledger.lastByte(0, 500_000, 660);
    expect(ageAt(670)).toBe(70);
  });

  it('takes a tunnel for measured once it stands, however long it lasts', () => {
    const { board, ledger, begin, slot, ageAt } = ledgerOf(1, TO_LAST_BYTE);
    begin(0, 10);
    expect([ledger.isMeasuredByHead(0, 101), ledger.isMeasuredByHead(0, 200)]).toEqual([true, false]);
    ledger.firstByte(0, 101, 2_000, 12);
    ledger.lastByte(0, 9_000_000, 9_010);
    ledger.end(0, 9_010);
    expect([board.load.latencyUs(slot), ageAt(9_011)]).toEqual([2_000, 0]);
  });

  it('takes a failing status at once, and a response that breaks off for a failure', () => {
    const { board, ledger, begin, slot } = ledgerOf(1, TO_LAST_BYTE);
    begin(0, 10);
    ledger.firstByte(0, 503, 10_000, 20);
    expect(board.load.latencyUs(slot)).toBe(60_000); // twice the unknown 30 ms
    ledger.lastByte(0, 10_000, 20);
    ledger.end(0, 20);
    begin(1, 30);
    ledger.firstByte(1, 200, 1_000, 31);
    ledger.fail(1, 100_000, 130);
    ledger.end(1, 130);
    expect([board.load.latencyUs(slot), board.endpointFigures(slot).failures]).toEqual([200_000, 2]);
  });

  it('learns from a client that left before the head, not from one that left amid a response that it may have read slowly', () => {
    const { board, ledger, begin, slot } = ledgerOf(1, TO_LAST_BYTE);
    begin(0, 10);
    ledger.firstByte(0, 200, 1_000, 11);
    expect(ledger.end(0, 2_010)).toBe(0);
    expect(board.load.latencyUs(slot)).toBe(0);
    begin(1, 3_000);
    expect(ledger.end(1, 5_000)).toBe(2_000_000);
    expect(board.load.latencyUs(slot)).toBe(2_000_000);
  });
});

describe('endpoint ledger with an attempt whose body its client sends at its own pace', () => {
  it('counts no age, and learns nothing when the client leaves, but takes the sample', () => {
    const { board, ledger, begin, slot, ageAt } = ledgerOf(1, PACED_BY_CLIENT);
    begin(0, 10);
    expect(ageAt(30_000)).toBe(0);
    expect(ledger.end(0, 30_000)).toBe(0);
    expect(board.load.latencyUs(slot)).toBe(0);
    begin(1, 40_000);
    ledger.firstByte(1, 200, 3_000, 50_000);
    ledger.end(1, 50_000);
    expect([board.load.latencyUs(slot), ageAt(60_000)]).toEqual([3_000, 0]);
  });
});

describe('endpoint ledger that keeps peaks', () => {
  it('takes a rise at once and lets a fall decay, beside the estimate', () => {
    const { board, ledger, begin, slot } = ledgerOf(1, WITH_PEAK);
    const samples = [
      [30_000, 1_000, 30_000],
      [10_000, 2_000, 28_097], // semantics.md 3
      [50_000, 2_001, 50_000],
    ];
    for (const [elapsedUs, now, peakUs] of samples) {
      begin(0, now! - 1);
      ledger.firstByte(0, 200, elapsedUs!, now!);
      ledger.end(0, now!);
      expect(board.load.peakUs(slot)).toBe(peakUs);
    }
    expect(board.load.latencyUs(slot)).toBeLessThan(40_000);
  });

  it('lets falls add up that are too small for a whole microsecond', () => {
    const { board, ledger, begin, slot } = ledgerOf(1, WITH_PEAK);
    for (let now = 1; now <= 10_001; now++) {
      begin(0, now);
      ledger.firstByte(0, 200, now === 1 ? 1_000 : 900, now);
      ledger.end(0, now);
    }
    // After DECAY_MS 1/e of the excess is left.
    expect(Math.abs(board.load.peakUs(slot) - (900 + 100 / Math.E))).toBeLessThanOrEqual(2);
  });

  it('raises the peak by a failure, however fast it came', () => {
    const { board, ledger, begin, slot } = ledgerOf(1, WITH_PEAK);
    begin(0, 1);
    ledger.firstByte(0, 200, 10_000, 11);
    ledger.end(0, 11);
    begin(1, 20);
    ledger.fail(1, 100, 21);
    expect(board.load.peakUs(slot)).toBe(20_000);
  });

  it('keeps none for upstreams that do not go by them', () => {
    const { board, ledger, begin, slot } = ledgerOf();
    begin(0, 1);
    ledger.firstByte(0, 200, 10_000, 11);
    expect(board.load.peakUs(slot)).toBe(0);
  });
});
