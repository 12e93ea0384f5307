/** Which endpoints a worker may pick now: levels, panic, pauses and subsets, with the clock in the test's hand. */
import { describe, expect, it } from 'vitest';
import { NO_ENDPOINT, NO_KEY, PickKey } from '../../../src/balancing/balancer.js';
import { NONE_TRIED, TriedSet } from '../../../src/balancing/tried-set.js';
import { UpstreamPicker } from '../../../src/balancing/upstream-picker.js';
import type { PickingPlan } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { tickAfter } from '../../../src/core/tick.js';
import { type EndpointUnderTest, letterOf, type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

const PANIC = { panicShare: 0.5 };
const own: EndpointUnderTest = { level: 0 };
const next: EndpointUnderTest = { level: 1 };
const backup: EndpointUnderTest = { isBackup: true };

function roundRobinOf(endpoints: readonly EndpointUnderTest[], picking: Partial<PickingPlan> = {}): UpstreamUnderTest {
  return upstreamOf('round-robin', endpoints, 2, picking);
}

function sicken({ board, plan }: UpstreamUnderTest, ...endpoints: number[]): void {
  for (const endpoint of endpoints) board.control.setHealthy(plan.endpoints[endpoint]!.slot, false);
}

/** Picks, each of which ends at once, so that only rules decide; sorted letters of whom they met. */
function metBy(upstream: UpstreamUnderTest, picks = 60, now = 1): string {
  const met = new Set<string>();
  for (let pick = 0; pick < picks; pick++) met.add(letterOf(pickAndEnd(upstream, now)));
  return [...met].sort().join('');
}

function pickAndEnd({ picker, plan, worker }: UpstreamUnderTest, now = 1): number {
  const endpoint = picker.pick(NO_KEY, NONE_TRIED, now);
  if (endpoint !== NO_ENDPOINT) worker.claims.end(plan.endpoints[endpoint]!.slot, plan.endpoints[endpoint]!.generation);
  return endpoint;
}

function sharesOf(upstream: UpstreamUnderTest, picks: number): number[] {
  const counts = upstream.plan.endpoints.map(() => 0);
  for (let pick = 0; pick < picks; pick++) counts[pickAndEnd(upstream)]! += 1;
  return counts.map((count) => count / picks);
}

describe('levels of an upstream', () => {
  it('keep all work in the first while it is healthy and has room', () => {
    expect(metBy(roundRobinOf([own, own, next, next, backup]))).toBe('ab');
  });

  it('lend work to the next level by the health of the first', () => {
    const upstream = roundRobinOf([own, own, own, own, next, next]);
    sicken(upstream, 2, 3);
    const shares = sharesOf(upstream, 4000);
    expect(shares[0]! + shares[1]!).toBeCloseTo(0.7, 1);
    expect(shares[2]! + shares[3]!).toBe(0);
  });

  it('give each endpoint of a level its exact turn, however many picks the others take', () => {
    const upstream = roundRobinOf([own, own, own, own, next, next]);
    sicken(upstream, 2, 3);
    const [a, b, , , e, f] = sharesOf(upstream, 1000).map((share) => Math.round(share * 1000));
    expect(Math.abs(a! - b!)).toBeLessThanOrEqual(1);
    expect(Math.abs(e! - f!)).toBeLessThanOrEqual(1);
  });

  it('spill over to the next ones in order when full, and to backups last', () => {
    const capped = [own, next, { level: 2 }, backup].map((endpoint) => ({ ...endpoint, cap: 1 }));
    expect(roundRobinOf(capped).picks(5)).toBe('abcd-');
  });

  it('go back to the first one when the drawn one is full', () => {
    const upstream = roundRobinOf([own, own, { ...next, cap: 1 }]);
    sicken(upstream, 1);
    expect(upstream.picks(200).replaceAll('a', '')).toBe('c');
  });

  it.each([[[own, next, next]], [[own, backup, backup]]])(
    'share the spill of a full level evenly (%j)',
    (endpoints) => {
      const upstream = roundRobinOf(
        endpoints.map((endpoint, index) => (index === 0 ? { ...endpoint, cap: 1 } : endpoint)),
      );
      expect(upstream.picks(7)).toBe('abcbcbc');
    },
  );

  it('keep a key at its level where the balancer picks by the key', () => {
    const upstream = upstreamOf('rendezvous', [own, own, own, own, next, next], 2);
    sicken(upstream, 2, 3);
    const key = new PickKey();
    const levels = new Set<number>();
    for (let client = 0; client < 200; client++) {
      key.hash = Math.imul(client, 0x85ebca6b);
      const first = upstream.picker.pick(key, NONE_TRIED, 1);
      levels.add(upstream.plan.endpoints[first]!.level);
      expect([1, 2, 3].map(() => upstream.picker.pick(key, NONE_TRIED, 1))).toEqual([first, first, first]);
    }
    expect(levels.size).toBe(2);
  });

  it('count heads, not weights', () => {
    const upstream = roundRobinOf([{ ...own, weight: 100 }, own, next]);
    sicken(upstream, 0);
    const { view } = upstream.picker;
    view.refresh(1);
    expect([view.loadOf(0), view.loadOf(1)]).toEqual([70, 30]);
  });

  it.each([
    ['disabled', ({ board, plan }: UpstreamUnderTest) => board.control.setEnabled(plan.endpoints[0]!.slot, false)],
    ['draining', ({ board, plan }: UpstreamUnderTest) => board.control.setDraining(plan.endpoints[0]!.slot, true)],
    ['unresolved', ({ board, plan }: UpstreamUnderTest) => board.control.setResolved(plan.endpoints[0]!.slot, false)],
    ['without weight', ({ board, plan }: UpstreamUnderTest) => board.control.setWeight(plan.endpoints[0]!.slot, 0)],
  ])('do not count an endpoint that is %s as an unhealthy one', (_state, spoil) => {
    const upstream = roundRobinOf([own, own, next]);
    spoil(upstream);
    expect(metBy(upstream)).toBe('b');
  });
});

describe('panic of an upstream', () => {
  it('ignores health where too few are healthy, and heeds it again', () => {
    const upstream = roundRobinOf([own, own, own], PANIC);
    sicken(upstream, 1, 2);
    expect(metBy(upstream)).toBe('abc');
    expect([upstream.picker.view.isPanicking, upstream.picker.view.levels[0]!.ignoresHealth]).toEqual([true, true]);
    upstream.board.control.setHealthy(upstream.plan.endpoints[1]!.slot, true);
    expect(metBy(upstream)).toBe('ab');
    expect(upstream.picker.view.isPanicking).toBe(false);
  });

  it('picks from the first level when nobody is healthy anywhere', () => {
    const upstream = roundRobinOf([own, own, next], PANIC);
    sicken(upstream, 0, 1, 2);
    expect(metBy(upstream)).toBe('ab');
    expect(upstream.pick([0, 1])).toBe(2);
  });

  it('picks nobody unhealthy at a share of 0', () => {
    const upstream = roundRobinOf([own, backup]);
    sicken(upstream, 0, 1);
    expect(metBy(upstream)).toBe('-');
  });

  it('leaves work to healthy backups first', () => {
    const upstream = roundRobinOf([own, own, own, backup], PANIC);
    sicken(upstream, 1, 2);
    expect(metBy(upstream)).toBe('a');
    sicken(upstream, 0);
    expect(metBy(upstream)).toBe('d');
    sicken(upstream, 3);
    expect(metBy(upstream)).toBe('abc');
    expect(upstream.pick([0, 1, 2])).toBe(3);
  });

  it('picks nobody who is disabled, draining, unresolved, without weight or gone', () => {
    const upstream = roundRobinOf([own, own, own, own, own, own], PANIC);
    const { board, plan } = upstream;
    sicken(upstream, 0, 1, 2, 3, 4, 5);
    board.control.setEnabled(plan.endpoints[1]!.slot, false);
    board.control.setDraining(plan.endpoints[2]!.slot, true);
    board.control.setResolved(plan.endpoints[3]!.slot, false);
    board.control.setWeight(plan.endpoints[4]!.slot, 0);
    board.release(plan.endpoints[5]!.slot);
    expect(metBy(upstream)).toBe('a');
  });
});

describe.each([1, 2 ** 31 - 5_000, -5_000])('pause of an endpoint (clock at %i)', (start) => {
  const at = (ms: number): number => tickAfter(start, ms);
  function pause({ board, plan }: UpstreamUnderTest, endpoint: number, untilMs: number, nowMs: number): void {
    const { slot } = plan.endpoints[endpoint]!;
    if (board.load.pauseUntil(slot, at(untilMs), at(nowMs))) board.upstreams.bumpControlEpoch(plan.index);
  }

  it('keeps all workers away until it ends', () => {
    const upstream = roundRobinOf([own, own]);
    const other = { ...upstream, ...upstream.attach(1) };
    expect(metBy(upstream, 4, at(0))).toBe('ab');
    pause(upstream, 0, 10_000, 0);
    expect([metBy(upstream, 4, at(0)), metBy(other, 4, at(9_999))]).toEqual(['b', 'b']);
    expect([metBy(upstream, 4, at(10_000)), metBy(other, 4, at(10_000))]).toEqual(['ab', 'ab']);
  });

  it('ends for each endpoint by itself', () => {
    const upstream = roundRobinOf([own, own, own]);
    pause(upstream, 0, 4_000, 0);
    pause(upstream, 1, 8_000, 1_000);
    expect(metBy(upstream, 6, at(2_000))).toBe('c');
    expect(metBy(upstream, 6, at(4_000))).toBe('ac');
    expect(metBy(upstream, 6, at(8_001))).toBe('abc');
  });

  it('is extended without another rebuild, never cut short', () => {
    const upstream = roundRobinOf([own, own]);
    const { slot } = upstream.plan.endpoints[0]!;
    pause(upstream, 0, 4_000, 0);
    expect(metBy(upstream, 4, at(1_000))).toBe('b');
    expect(upstream.board.load.pauseUntil(slot, at(9_000), at(1_000))).toBe(false);
    expect(upstream.board.load.pauseUntil(slot, at(2_000), at(1_000))).toBe(false);
    expect(metBy(upstream, 4, at(5_000))).toBe('b');
    expect(metBy(upstream, 4, at(9_000))).toBe('ab');
  });

  it('counts for nobody when everybody of the level is paused', () => {
    const upstream = roundRobinOf([own, own, next, backup]);
    pause(upstream, 0, 5_000, 0);
    pause(upstream, 1, 9_000, 0);
    expect(metBy(upstream, 6, at(1_000))).toBe('ab');
    expect(metBy(upstream, 6, at(5_000))).toBe('a');
  });

  it('ends early for a request that nobody else can have', () => {
    const upstream = roundRobinOf([own, { level: 0, cap: 1 }, own]);
    pause(upstream, 0, 5_000, 0);
    pause(upstream, 2, 5_000, 0);
    upstream.load(0, 1);
    expect(letterOf(upstream.pick([1], at(1_000)))).toBe('c');
    expect(letterOf(upstream.pick([1, 2], at(1_000)))).toBe('a');
    expect(letterOf(upstream.pick([], at(1_000)))).toBe('b');
    expect(letterOf(upstream.pick([], at(1_000)))).toBe('c');
    sicken(upstream, 0, 2);
    expect(letterOf(upstream.pick([], at(1_000)))).toBe('-');
  });

  it('of the last healthy endpoint counts for nothing beside sick ones', () => {
    const upstream = roundRobinOf([own, own, own], PANIC);
    sicken(upstream, 0, 1);
    pause(upstream, 2, 5_000, 0);
    expect(metBy(upstream, 9, at(1_000))).toBe('abc');
  });

  it('is heeded in panic while another healthy endpoint is awake, or while nobody is healthy', () => {
    const upstream = roundRobinOf([own, own, own, own, own], PANIC);
    sicken(upstream, 0, 1, 2);
    pause(upstream, 4, 5_000, 0);
    expect(metBy(upstream, 9, at(1_000))).toBe('abcd');
    sicken(upstream, 3, 4);
    expect(metBy(upstream, 9, at(1_000))).toBe('abcd');
  });

  it('moves no load to the next level', () => {
    const upstream = roundRobinOf([own, own, next]);
    pause(upstream, 0, 5_000, 0);
    expect(metBy(upstream, 60, at(1_000))).toBe('b');
  });

  it('is not seen again when the clock has wrapped', () => {
    const upstream = roundRobinOf([own, own]);
    pause(upstream, 0, 1_000, 0);
    expect(metBy(upstream, 4, at(500))).toBe('b');
    expect(metBy(upstream, 4, at(2_000))).toBe('ab');
    expect(upstream.board.load.pausedUntil(upstream.plan.endpoints[0]!.slot)).toBe(0);
  });

  it('that is so old that it seems to lie ahead counts for nothing, and can be set anew', () => {
    const upstream = roundRobinOf([own, own]);
    pause(upstream, 0, 1_000_000_000, 999_999_000); // a turn of the clock before that
    expect(metBy(upstream, 4, at(0))).toBe('ab');
    pause(upstream, 0, 1_000, 0);
    expect(metBy(upstream, 4, at(0))).toBe('b');
  });
});

describe('subset of an upstream', () => {
  const subsets = [
    { labels: { zone: 'a' }, endpoints: [0, 1, 4], turn: 1 },
    { labels: { zone: 'b' }, endpoints: [2, 3], turn: 2 },
  ];
  function subsetOf(upstream: UpstreamUnderTest, subset: number): UpstreamUnderTest {
    const picker = new UpstreamPicker(upstream.plan, upstream.worker, seededRng(9), subsets[subset]!);
    return { ...upstream, picker, pick: (tried = [], now = 1) => picker.pick(NO_KEY, triedSetOf(tried), now) };
  }
  const triedSetOf = (endpoints: readonly number[]): TriedSet => {
    const tried = new TriedSet();
    for (const endpoint of endpoints) tried.add(endpoint);
    return tried;
  };

  it('is picked from in its own exact turn, whatever the others take', () => {
    const upstream = roundRobinOf([own, own, own, own, backup], { subsets });
    const [whole, a, b] = [upstream, subsetOf(upstream, 0), subsetOf(upstream, 1)];
    const letters = { whole: '', a: '', b: '' };
    for (let round = 0; round < 4; round++) {
      letters.whole += letterOf(pickAndEnd(whole));
      letters.a += letterOf(pickAndEnd(a));
      letters.b += letterOf(pickAndEnd(b));
    }
    expect(letters).toEqual({ whole: 'abcd', a: 'abab', b: 'cdcd' });
  });

  it('has levels, backups and panic of its own', () => {
    const upstream = roundRobinOf([own, { level: 1 }, own, own, backup], { subsets, ...PANIC });
    const [a, b] = [subsetOf(upstream, 0), subsetOf(upstream, 1)];
    sicken(upstream, 0);
    expect([metBy(a), metBy(b)]).toEqual(['b', 'cd']);
    sicken(upstream, 1, 2, 3);
    expect([metBy(a), metBy(b)]).toEqual(['e', 'cd']);
    expect([a.picker.view.isPanicking, b.picker.view.isPanicking]).toEqual([false, true]);
  });

  it('gives a client no endpoint outside of it', () => {
    const a = subsetOf(roundRobinOf([own, own, own, own, backup], { subsets }), 0);
    expect([0, 2].map((endpoint) => a.picker.claimPreferred(endpoint, NONE_TRIED, 1))).toEqual([0, NO_ENDPOINT]);
  });
});

describe('endpoint that a client belongs to', () => {
  it.each([
    ['of a lower level', 1],
    ['that is a backup', 2],
  ])('is claimed, also one %s', (_name, endpoint) => {
    const upstream = roundRobinOf([own, next, backup]);
    expect(upstream.picker.claimPreferred(endpoint, NONE_TRIED, 1)).toBe(endpoint);
    expect(upstream.board.load.inflight(upstream.plan.endpoints[endpoint]!.slot)).toBe(1);
  });

  it.each([
    ['disabled', ({ board, plan }: UpstreamUnderTest) => board.control.setEnabled(plan.endpoints[0]!.slot, false)],
    ['unhealthy', (upstream: UpstreamUnderTest) => sicken(upstream, 0)],
    ['draining', ({ board, plan }: UpstreamUnderTest) => board.control.setDraining(plan.endpoints[0]!.slot, true)],
    ['unresolved', ({ board, plan }: UpstreamUnderTest) => board.control.setResolved(plan.endpoints[0]!.slot, false)],
    ['without weight', ({ board, plan }: UpstreamUnderTest) => board.control.setWeight(plan.endpoints[0]!.slot, 0)],
    ['gone', ({ board, plan }: UpstreamUnderTest) => board.release(plan.endpoints[0]!.slot)],
    ['full', (upstream: UpstreamUnderTest) => upstream.load(0, 3)],
    [
      'paused',
      ({ board, plan }: UpstreamUnderTest) => {
        board.load.pauseUntil(plan.endpoints[0]!.slot, 5_000, 1);
        board.upstreams.bumpControlEpoch(0);
      },
    ],
  ])('is left when it is %s', (_state, spoil) => {
    const upstream = roundRobinOf([{ cap: 3 }, own, own], PANIC);
    spoil(upstream);
    expect(upstream.picker.claimPreferred(0, NONE_TRIED, 1)).toBe(NO_ENDPOINT);
  });

  it('is left when it has been tried', () => {
    const tried = new TriedSet();
    tried.add(0);
    expect(roundRobinOf([own, own]).picker.claimPreferred(0, tried, 1)).toBe(NO_ENDPOINT);
  });

  it('is not followed in panic while it is unhealthy', () => {
    const upstream = roundRobinOf([own, own, own], PANIC);
    sicken(upstream, 0, 1);
    expect(metBy(upstream)).toBe('abc');
    expect([0, 2].map((endpoint) => upstream.picker.claimPreferred(endpoint, NONE_TRIED, 1))).toEqual([NO_ENDPOINT, 2]);
  });
});
