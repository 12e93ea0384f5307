/** Explanations of picks tell what the pick goes by: with its own numbers, and every reason to leave an endpoint out. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { NO_ENDPOINT, NO_KEY, PickKey } from '../../../src/balancing/balancer.js';
import { EXCLUSIONS, PICK_REASONS, reasonOf } from '../../../src/balancing/explain.js';
import { LowestScoreBalancer } from '../../../src/balancing/lowest-score.js';
import { Predictive } from '../../../src/balancing/predictive.js';
import { BALANCER_NAMES, balancerFor } from '../../../src/balancing/registry.js';
import { NONE_TRIED, TriedSet } from '../../../src/balancing/tried-set.js';
import { UpstreamPicker } from '../../../src/balancing/upstream-picker.js';
import { WEIGHT_UNIT } from '../../../src/board/endpoint-control.js';
import type { BalancerName } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { keyOf } from './hashed-keys.js';
import { type UpstreamUnderTest, upstreamOf } from './upstream-under-test.js';

const NOW = 1;

/** Explains the next pick, then makes it. */
function explained(upstream: UpstreamUnderTest, how: { key?: PickKey; tried?: readonly number[]; now?: number } = {}) {
  const { key = NO_KEY, tried = [], now = NOW } = how;
  const set = tried.length === 0 ? NONE_TRIED : new TriedSet();
  for (const endpoint of tried) set.add(endpoint);
  const explanation = upstream.picker.explain(key, set, NO_ENDPOINT, now);
  const picked = upstream.picker.pick(key, set, now);
  return { ...explanation, picked, why: reasonOf(explanation, picked) };
}

const slotOf = (upstream: UpstreamUnderTest, endpoint: number): number => upstream.plan.endpoints[endpoint]!.slot;

describe('an explanation', () => {
  it('tells of a plain pick what each endpoint weighs, holds and scores', () => {
    const upstream = upstreamOf('least-conn', [{ weight: 2 }, { cap: 9 }, {}]);
    upstream.load(0, 3);
    upstream.load(1, 1);
    upstream.load(2, 2);
    const { endpoints, groups, ...rest } = explained(upstream);
    const plain = { exclusion: null, group: 0, bound: 0, pauseMs: 0 };
    expect(endpoints).toEqual([
      { ...plain, name: '127.0.0.1:9000', weight: 2, inflight: 3, cap: 0, score: 1.5 },
      { ...plain, name: '127.0.0.1:9001', weight: 1, inflight: 1, cap: 9, score: 1 },
      { ...plain, name: '127.0.0.1:9002', weight: 1, inflight: 2, cap: 0, score: 2 },
    ]);
    expect(groups[0]).toEqual({ isBackups: false, load: 100, ignoresHealth: false, comparesAll: true });
    expect(groups.at(-1)!.isBackups).toBe(true);
    expect(rest).toMatchObject({
      upstream: 'api',
      balance: 'least-conn',
      subset: null,
      picked: 1,
      why: 'lowest-score',
    });
  });

  it.each([
    ['disabled', ({ board }: UpstreamUnderTest, slot: number) => board.control.setEnabled(slot, false)],
    ['unhealthy', ({ board }: UpstreamUnderTest, slot: number) => board.control.setHealthy(slot, false)],
    ['unknown', ({ board }: UpstreamUnderTest, slot: number) => board.control.setUnknown(slot)],
    ['draining', ({ board }: UpstreamUnderTest, slot: number) => board.control.setDraining(slot, true)],
    ['unresolved', ({ board }: UpstreamUnderTest, slot: number) => board.control.setResolved(slot, false)],
    ['no-weight', ({ board }: UpstreamUnderTest, slot: number) => board.control.setWeight(slot, 0)],
    ['gone', ({ board }: UpstreamUnderTest, slot: number) => board.release(slot)],
    [
      'paused',
      ({ board, plan }: UpstreamUnderTest, slot: number) => {
        board.load.pauseUntil(slot, NOW + 3_000, NOW);
        board.upstreams.bumpControlEpoch(plan.index);
      },
    ],
    ['full', (upstream: UpstreamUnderTest) => upstream.load(1, 2)],
  ])('says of an endpoint that it is %s', (exclusion, spoil) => {
    const upstream = upstreamOf('round-robin', [{}, { cap: 2 }, {}]);
    spoil(upstream, slotOf(upstream, 1));
    const { endpoints } = explained(upstream);
    expect(endpoints.map((endpoint) => endpoint.exclusion)).toEqual([null, exclusion, null]);
    if (exclusion === 'paused') expect(endpoints[1]!.pauseMs).toBe(3_000);
  });

  it('says which endpoints were tried', () => {
    const { endpoints } = explained(upstreamOf('least-conn', [{}, {}]), { tried: [0] });
    expect(endpoints.map(({ exclusion, score }) => [exclusion, score])).toEqual([
      ['tried', null],
      [null, 0],
    ]);
  });

  it('says which endpoints are not of the subset', () => {
    const upstream = upstreamOf('round-robin', [{}, {}, {}]);
    const subset = { labels: { zone: 'a' }, endpoints: [0, 2], turn: 0 };
    const picker = new UpstreamPicker(upstream.plan, upstream.worker, seededRng(1), subset);
    const explanation = picker.explain(NO_KEY, NONE_TRIED, NO_ENDPOINT, NOW);
    expect(explanation.subset).toEqual({ zone: 'a' });
    expect(explanation.endpoints.map(({ exclusion }) => exclusion)).toEqual([null, 'not-in-subset', null]);
  });

  it('places endpoints in levels with their loads, backups behind', () => {
    const upstream = upstreamOf('round-robin', [{}, {}, { level: 1 }, { isBackup: true }]);
    upstream.board.control.setHealthy(slotOf(upstream, 0), false);
    const { endpoints, groups } = explained(upstream);
    expect(endpoints.map(({ group }) => group)).toEqual([-1, 0, 1, 2]);
    expect(groups.map(({ load, isBackups }) => [load, isBackups])).toEqual([
      [70, false],
      [30, false],
      [0, true],
    ]);
  });

  it('tells where health is ignored', () => {
    const upstream = upstreamOf('round-robin', [{}, {}], 2, { panicShare: 0.5 });
    for (const endpoint of [0, 1]) upstream.board.control.setHealthy(slotOf(upstream, endpoint), false);
    const { endpoints, groups } = explained(upstream);
    expect(groups[0]!.ignoresHealth).toBe(true);
    expect(endpoints.map(({ exclusion }) => exclusion)).toEqual([null, null]);
  });

  it('tells who is above the bound of bounded load', () => {
    const upstream = upstreamOf('rendezvous', [{}, {}, {}], 2, { loadFactor: 1.25 });
    upstream.load(0, 9);
    const { endpoints, picked } = explained(upstream, { key: keyOf(1) });
    // ceil(10 x 1.25) = 13 places: 4, 4 and 5.
    expect(endpoints.map(({ bound }) => bound)).toEqual([4, 4, 5]);
    expect(endpoints[0]!.exclusion).toBe('above-load-bound');
    expect(picked).not.toBe(0);
  });

  it('is of the state before the pick, and changes nothing of it', () => {
    const upstream = upstreamOf('round-robin', [{}, {}, {}]);
    expect([0, 1, 2].map(() => explained(upstream).picked)).toEqual([0, 1, 2]);
    expect(explained(upstream).endpoints.map(({ inflight }) => inflight)).toEqual([1, 1, 1]);
  });

  it('has an endpoint of another upstream count for nothing, whose slot it had', () => {
    const upstream = upstreamOf('round-robin', [{}, {}]);
    upstream.board.load.begin(slotOf(upstream, 0), 2_000);
    expect(explained(upstream).endpoints[0]!.inflight).toBe(0);
  });
});

/** Makes scores differ: load, latency and age of its estimate. */
function loadUnevenly(upstream: UpstreamUnderTest): void {
  upstream.plan.endpoints.forEach(({ slot }, endpoint) => {
    upstream.load(endpoint, (endpoint * 7) % 5);
    upstream.board.load.replaceLatency(slot, 0, 1_000 * (endpoint + 1), NOW);
  });
}

/** What of LowestScoreBalancer is its own business. */
interface Scoring {
  readonly score: Float64Array;
  scoreOf(...facts: unknown[]): void;
}

const scoring = BALANCER_NAMES.filter((name) => balancerFor(name) instanceof LowestScoreBalancer);

describe.each(scoring)('the scores of %s', (balance) => {
  it('are those that its picks compare', () => {
    const upstream = upstreamOf(balance, [{ weight: 3 }, {}, { weight: 2 }, {}, {}]);
    loadUnevenly(upstream);
    const now = NOW + 50;
    const explained = upstream.picker.explain(keyOf(3), NONE_TRIED, NO_ENDPOINT, now).endpoints;
    const scores = new Map<number, Set<number>>();
    const prototype = Object.getPrototypeOf(balancerFor(balance)) as Scoring;
    const { scoreOf } = prototype;
    vi.spyOn(prototype, 'scoreOf').mockImplementation(function (this: Scoring, ...facts) {
      scoreOf.apply(this, facts);
      const position = facts[2] as number;
      scores.set(position, (scores.get(position) ?? new Set()).add(this.score[0]! * WEIGHT_UNIT));
    });
    for (let pick = 0; pick < 200; pick++) {
      const { slot, generation } = upstream.plan.endpoints[upstream.picker.pick(keyOf(3), NONE_TRIED, now)]!;
      upstream.worker.claims.end(slot, generation);
    }
    expect([...scores].sort(([a], [b]) => a - b)).toEqual(explained.map(({ score }, at) => [at, new Set([score])]));
    expect(new Set(explained.map(({ score }) => score)).size).toBeGreaterThan(2);
  });
});

describe('the scores of predictive while it predicts', () => {
  const keyOfClass = (routeClass: number) => Object.assign(new PickKey(), { routeClass });

  it('are the times that its picks compare, for the class of the request', () => {
    const { picker, plan, worker } = upstreamOf('predictive', [{ weight: 2 }, {}, {}]);
    const { view } = picker;
    const balancer = new Predictive();
    for (const { slot } of plan.endpoints) worker.load.replaceLatency(slot, 0, 10_000, NOW);
    // Requests of one class take a hundred times as long as those of the other: what least-time has no word for.
    for (let sample = 0; sample < 600; sample++) {
      const routeClass = sample % 2;
      const elapsedUs = routeClass === 0 ? 1_000 : 100_000;
      balancer.settled(view, sample % 3, keyOfClass(routeClass), 0, elapsedUs, false, NOW + sample);
    }
    expect(balancer.predicts).toBe(true);

    const group = view.levels[0]!;
    const now = NOW + 700;
    const scoresOf = (routeClass: number) =>
      [0, 1, 2].map((at) => balancer.scoreFor(view, group, at, 0, keyOfClass(routeClass), now));
    const logarithms: number[] = [];
    const prototype = Predictive.prototype as unknown as Scoring;
    const { scoreOf } = prototype;
    vi.spyOn(prototype, 'scoreOf').mockImplementation(function (this: Scoring, ...facts) {
      scoreOf.apply(this, facts);
      logarithms.push(this.score[0]!);
    });
    for (const routeClass of [1, 0]) {
      const scores = scoresOf(routeClass);
      logarithms.length = 0;
      balancer.pickFrom(view, group, keyOfClass(routeClass), NONE_TRIED, seededRng(1), now);
      expect(logarithms.map((value) => 2 ** value * WEIGHT_UNIT)).toEqual(scores);
      for (const { slot, generation } of plan.endpoints)
        while (worker.load.inflight(slot) > 0) worker.claims.end(slot, generation);
    }
    expect(scoresOf(1)[1]! / scoresOf(0)[1]!).toBeGreaterThan(30);
  });
});

describe('docs/operations.md', () => {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

  it.each([...EXCLUSIONS, ...PICK_REASONS])('says what %s means', (name) => {
    expect(page).toContain(`\`${name}\``);
  });
});

describe('why an endpoint was picked', () => {
  const reasons: [BalancerName, string][] = [
    ['round-robin', 'turn'],
    ['random', 'drawn-by-weight'],
    ['first', 'first-with-room'],
    ['random-two', 'lower-score-of-two-drawn'],
    ['hash', 'hash'],
    ['ip-hash', 'hash'],
    ['ketama', 'hash'],
    ['maglev', 'hash'],
    ['rendezvous', 'highest-rank'],
    ['least-conn', 'lowest-score-and-turn'],
    ['least-time', 'lowest-score-and-turn'],
  ];
  it.each(reasons)('is for %s: %s', (balance, reason) => {
    expect(explained(upstreamOf(balance, [{}, {}, {}])).why).toBe(reason);
  });

  it('is for least-conn over many endpoints the draw of two', () => {
    const many = Array.from({ length: 20 }, () => ({}));
    expect(explained(upstreamOf('least-conn', many)).why).toBe('lower-score-of-two-drawn');
  });

  it('is affinity where the client belongs to it', () => {
    const { picker } = upstreamOf('round-robin', [{}, {}]);
    const explanation = picker.explain(NO_KEY, NONE_TRIED, 1, NOW);
    expect(reasonOf(explanation, picker.claimPreferred(1, NONE_TRIED, NOW))).toBe('affinity');
    expect(reasonOf(explanation, 0)).toBe('turn');
  });

  it('is the highest rank with rendezvous: that endpoint has it', () => {
    const upstream = upstreamOf('rendezvous', [{}, { weight: 3 }, {}, {}]);
    for (let number = 0; number < 50; number++) {
      const { endpoints, picked } = explained(upstream, { key: keyOf(number) });
      const scores = endpoints.map(({ score }) => score!);
      expect(scores.indexOf(Math.max(...scores))).toBe(picked);
    }
  });

  it('is the hash beyond the bound where nobody has a place below it', () => {
    const upstream = upstreamOf('hash', [{}, {}], 2, { loadFactor: 1.25 });
    upstream.load(0, 1);
    const explanation = upstream.picker.explain(NO_KEY, NONE_TRIED, NO_ENDPOINT, NOW);
    const full = explanation.endpoints.map((endpoint) => ({ ...endpoint, exclusion: 'above-load-bound' as const }));
    expect(reasonOf({ ...explanation, endpoints: full }, 0)).toBe('hash-beyond-load-bound');
  });

  it('says where another worker changed the counts between explanation and pick', () => {
    const upstream = upstreamOf('least-conn', [{}, {}]);
    upstream.load(1, 1);
    const explanation = upstream.picker.explain(NO_KEY, NONE_TRIED, NO_ENDPOINT, NOW);
    upstream.load(0, 2);
    expect(reasonOf(explanation, upstream.pick())).toBe('lowest-score-by-then');
  });

  it('is that nobody was eligible where none was picked', () => {
    const { why, picked } = explained(upstreamOf('round-robin', [{ isResolved: false }]));
    expect([picked, why]).toEqual([NO_ENDPOINT, 'nobody-eligible']);
  });
});
