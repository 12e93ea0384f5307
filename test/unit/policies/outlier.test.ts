/** Endpoints are ejected for failures in a row over all workers, a bounded share of them, and return by trial. */
import { describe, expect, it } from 'vitest';
import type { Circuit } from '../../../src/board/circuit-table.js';
import { ejectionMsOf, ejectionsLeft, mostEjectedOf } from '../../../src/policies/outlier.js';
import { failing, OUTLIER, WatchedUpstream } from './watched-upstream.js';

const three = [{}, {}, {}];
const ALL_GOOD = failing('');

/** Starts near the wrap of the clock, too. */
const STARTS = [1, 2 ** 31 - 500, -700];

describe('the share that may be ejected', () => {
  it.each([
    [0, 0.5, 0],
    [1, 1, 0],
    [2, 0.1, 1],
    [2, 1, 1],
    [3, 0.1, 1],
    [3, 0.5, 1],
    [3, 1, 2],
    [10, 0, 1],
    [10, 0.29, 2],
    [10, 0.5, 5],
    [10, 1, 9],
  ])('of %i endpoints and %f is %i', (endpoints, share, most) => {
    expect(mostEjectedOf(endpoints, share)).toBe(most);
  });
});

describe('the length of an ejection', () => {
  it('grows with each one up to the most', () => {
    expect([1, 2, 5, 6].map((count) => ejectionMsOf(count, OUTLIER))).toEqual([1_000, 2_000, 5_000, 5_000]);
  });

  it('forgets one ejection for each such time of good service', () => {
    const circuit: Circuit = { generation: 1, phase: 'closed', openings: 3, successes: 0, at: 1 };
    expect([0, 999, 1_000, 2_500, 9_000].map((ms) => ejectionsLeft(circuit, 1_000, 1 + ms))).toEqual([3, 3, 2, 1, 0]);
  });

  it('takes a service of more than 24 days for a long one', () => {
    const circuit: Circuit = { generation: 1, phase: 'closed', openings: 3, successes: 0, at: 1 };
    expect(ejectionsLeft(circuit, 1_000, (1 + 25 * 86_400_000) | 0)).toBe(0);
  });
});

describe('outlier detection', () => {
  it.each(STARTS)('ejects an endpoint after failures in a row over all workers (clock at %i)', (start) => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER }, { start });

    expect(upstream.serve(8, failing('b'))).toBe('abcabcab');
    expect(upstream.told()).toEqual(['b ejected gateway-failures-in-row 1000 1']);
    expect(upstream.serve(6, ALL_GOOD)).not.toContain('b');
  });

  it('begins the row anew with each success', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });

    upstream.serve(6, failing('b'));
    upstream.serve(3, ALL_GOOD);
    upstream.serve(6, failing('b'));

    expect(upstream.told()).toEqual([]);
    upstream.serve(3, failing('b'));
    expect(upstream.told()).toHaveLength(1);
  });

  it.each([
    [500, 'failures', true],
    [501, 'failures', false],
    [505, 'failures', false],
    [599, 'failures', true],
    [429, 'failures', false],
    [404, 'failures', false],
    [0, 'failures', true],
    [500, 'gateway', false],
    [502, 'gateway', true],
    [504, 'gateway', true],
    [0, 'gateway', true],
    [429, 'gateway', false],
  ])('takes status %i for one of the %s: %s', (status, kind, counts) => {
    const rows =
      kind === 'gateway'
        ? { gatewayFailuresInRow: 3, failuresInRow: 0 }
        : { gatewayFailuresInRow: 0, failuresInRow: 3 };
    const upstream = new WatchedUpstream(three, { outlier: { ...OUTLIER, ...rows } });

    upstream.serve(9, failing('b', status));

    expect(upstream.told().length > 0).toBe(counts);
  });

  it('lets 429 neither begin nor end a row', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });

    upstream.serve(6, failing('b'));
    upstream.serve(3, failing('b', 429));
    upstream.serve(3, failing('b'));

    expect(upstream.told()).toHaveLength(1);
  });

  it('does not blame an endpoint for a client that left', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    for (let request = 0; request < 12; request++) {
      const underway = upstream.begin()!;
      upstream.runtime(0).settleFailure(underway.attempting, 'SLUICE_CLIENT_GONE', 0, upstream.now);
    }

    expect(upstream.told()).toEqual([]);
  });

  it('never ejects more than its share, and says so once in ten seconds', () => {
    const upstream = new WatchedUpstream(three, {
      outlier: { ...OUTLIER, ejectionMs: 60_000, mostEjectionMs: 60_000 },
    });

    upstream.serve(60, failing('abc'));
    const told = upstream.told();

    expect(told.filter((line) => line.includes('ejected'))).toHaveLength(1);
    expect(told.filter((line) => line.includes('suppressed'))).toHaveLength(2);
    upstream.after(10_000);
    upstream.serve(60, failing('abc'));
    expect(upstream.told().filter((line) => line.includes('suppressed'))).toHaveLength(2);
    const suppressed = [0, 1, 2].map((endpoint) => upstream.health(endpoint).suppressedEjections);
    expect(Math.max(...suppressed)).toBeGreaterThan(5);
  });

  it('ejects the one of two that fails, and never the only one', () => {
    const two = new WatchedUpstream([{}, {}], { outlier: OUTLIER });
    two.serve(6, failing('a'));
    expect(two.told()).toEqual(['a ejected gateway-failures-in-row 1000 1']);

    const one = new WatchedUpstream([{}], { outlier: OUTLIER });
    one.serve(6, failing('a'));
    expect(one.told()).toEqual(['a suppressed gateway-failures-in-row']);
  });

  it('does not eject the last one that takes work', () => {
    const upstream = new WatchedUpstream(three, { outlier: { ...OUTLIER, mostEjected: 1 } });
    for (const endpoint of [1, 2])
      upstream.under.board.control.setHealthy(upstream.plan.endpoints[endpoint]!.slot, false);

    upstream.serve(6, failing('a'));

    expect(upstream.told()).toEqual(['a suppressed gateway-failures-in-row']);
  });

  it('counts backups among those that may take over', () => {
    const upstream = new WatchedUpstream([{}, { isBackup: true }], { outlier: OUTLIER });

    expect(upstream.serve(6, failing('a'))).toBe('aaabbb');
  });

  it.each(STARTS)('tries an endpoint with one request at a time when its time is over (clock at %i)', (start) => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER }, { start });
    upstream.serve(9, failing('b'));
    upstream.told();
    upstream.after(999);
    expect(upstream.serve(4, ALL_GOOD)).not.toContain('b');
    upstream.after(1);

    const trial = upstream.begin(1)!;
    expect(WatchedUpstream.at(trial)).toBe('b');
    expect(upstream.told()).toEqual(['b on-trial']);
    expect(upstream.serve(6, ALL_GOOD)).not.toContain('b');

    upstream.end(trial, 200);
    expect(upstream.told()).toEqual(['b returned']);
    expect(upstream.serve(6, ALL_GOOD)).toContain('b');
  });

  it('ejects for longer when the trial fails', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    upstream.serve(9, failing('b'));
    upstream.after(1_000);
    upstream.told();

    upstream.serve(3, failing('b'));

    expect(upstream.told()).toEqual(['b on-trial', 'b ejected trial-failed 2000 2']);
    expect(upstream.health(1)).toMatchObject({ ejection: 'ejected', ejectedForMs: 2_000, ejections: 2 });
  });

  it('gives a trial that tells nothing its place back', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    upstream.serve(9, failing('b'));
    upstream.after(1_000);
    const trial = upstream.begin(0)!;

    upstream.runtime(0).settleFailure(trial.attempting, 'SLUICE_CLIENT_GONE', 0, upstream.now);

    expect(WatchedUpstream.at(upstream.begin(1)!)).toBe('b');
  });

  it('holds nothing against an endpoint that was sent before it returned', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    const before = Array.from({ length: 12 }, () => upstream.begin()!).filter(
      (each) => WatchedUpstream.at(each) === 'b',
    );
    upstream.after(1);
    upstream.serve(9, failing('b'));
    upstream.after(1_000);
    upstream.serve(1, ALL_GOOD);
    expect(upstream.told().at(-1)).toBe('b returned');
    upstream.after(5);

    for (const each of before) upstream.end(each, 0);

    expect(upstream.told()).toEqual([]);
  });

  it('lets no late success of before an ejection bring the endpoint back', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    const before = Array.from({ length: 3 }, () => upstream.begin()!).find((each) => WatchedUpstream.at(each) === 'b')!;
    upstream.after(5);
    upstream.serve(9, failing('b'));
    upstream.told();

    upstream.end(before, 200);

    expect(upstream.told()).toEqual([]);
    expect(upstream.health(1).ejection).toBe('ejected');
  });

  it('picks ejected endpoints in panic, and takes one back that serves', () => {
    const upstream = new WatchedUpstream(
      [{}, {}, {}],
      { outlier: { ...OUTLIER, ejectionMs: 5_000, mostEjected: 0.7 } },
      { panicShare: 0.5 },
    );
    upstream.serve(12, failing('ab'));
    expect(upstream.told()).toHaveLength(2);
    upstream.after(10);

    const letters = upstream.serve(6, failing('b'));

    expect(letters).toContain('a');
    expect(upstream.told()).toEqual(['a returned']);
  });

  it('keeps clients that belong to an ejected endpoint away from it, in panic as well', () => {
    const upstream = new WatchedUpstream(
      [{}, {}, {}],
      { outlier: { ...OUTLIER, mostEjected: 0.7 } },
      { panicShare: 0.9 },
    );
    upstream.serve(9, failing('b'));

    const letters = Array.from({ length: 6 }, () => upstream.runtime(0)).map(() => {
      const underway = upstream.begin(0, 1)!;
      return WatchedUpstream.at(underway);
    });

    // Picked in turn like any other: not six times.
    expect(letters.filter((letter) => letter === 'b')).toHaveLength(2);
  });

  it('lets one that belongs to an endpoint on trial be the trial', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    upstream.serve(9, failing('b'));
    upstream.after(1_000);

    expect(WatchedUpstream.at(upstream.begin(0, 1)!)).toBe('b');
    expect(WatchedUpstream.at(upstream.begin(0, 1)!)).not.toBe('b');
  });

  it('begins a new endpoint of the slot clean, and ignores what was sent to the one before', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    const { board } = upstream.under;
    const before = Array.from({ length: 12 }, () => upstream.begin()!).filter(
      (each) => WatchedUpstream.at(each) === 'b',
    );
    upstream.serve(9, failing('b'));
    upstream.told();
    const { slot } = upstream.plan.endpoints[1]!;
    board.release(slot);
    const settings = { weight: 1, cap: 0, isBackup: false, isResolved: true };
    while (board.assign(0, settings).slot !== slot);

    for (const each of before) upstream.end(each, 0);

    expect(upstream.told()).toEqual([]);
    expect(upstream.health(1)).toMatchObject({ ejection: 'none', ejections: 0, ejectionsInRow: 0 });
    expect(board.endpointFigures(slot)).toMatchObject({ failures: 0, gatewayFailures: 0, successes: 0 });
  });

  it('gives a dead worker’s trial and lock back', () => {
    const upstream = new WatchedUpstream(three, { outlier: OUTLIER });
    upstream.serve(9, failing('b'));
    upstream.after(1_000);
    expect(WatchedUpstream.at(upstream.begin(1)!)).toBe('b');
    expect(upstream.workers[1]!.health.ejections.tryLock(0, 1)).toBe(true);
    expect(upstream.serve(2, ALL_GOOD)).not.toContain('b');

    upstream.under.board.reclaim(1);

    expect(WatchedUpstream.at(upstream.begin(0)!)).toBe('b');
    expect(upstream.workers[0]!.health.ejections.tryLock(0, 0)).toBe(true);
  });

  it('counts what the primary looks at in intervals', () => {
    const upstream = new WatchedUpstream([{}], { outlier: OUTLIER });
    for (const status of [200, 200, 500, 503, 0]) {
      const underway = upstream.begin()!;
      upstream.after(2);
      upstream.end(underway, status);
    }

    expect(upstream.under.board.endpointFigures(upstream.plan.endpoints[0]!.slot)).toMatchObject({
      attempts: 5,
      successes: 2,
      successUs: 4_000,
      failures: 3,
      gatewayFailures: 2,
      serverErrors: 2,
    });
  });
});
