/** Loads of levels and panic follow the examples of Envoy's documentation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capacityOf, healthOf, type LevelCount, loadsOf, panicOf, WHOLE } from '../../../src/balancing/levels.js';

const NONE: LevelCount = { total: 0, healthy: 0 };
/** A level of 100 endpoints. */
const percent = (healthy: number): LevelCount => ({ total: 100, healthy });

const anyLevel = fc
  .record({ total: fc.nat(40), healthyShare: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ total, healthyShare }) => ({ total, healthy: Math.round(total * healthyShare) }));
const anyLevels = fc.array(anyLevel, { minLength: 1, maxLength: 6 });

describe('health of a level', () => {
  // Test vector of semantics.md 6.
  it.each([
    [100, 100],
    [72, 100],
    [50, 70],
    [5, 7],
    [0, 0],
  ])('with %i %% of its endpoints healthy is %i %%', (healthy, health) => {
    expect(healthOf(percent(healthy))).toBeCloseTo(health, 9);
  });

  it('is none without endpoints', () => {
    expect(healthOf(NONE)).toBe(0);
  });
});

describe('loads of levels', () => {
  // The tables of Envoy's "Priority levels": healthy endpoints of each level in percent, then the traffic to each.
  it.each([
    [[100], [100]],
    [
      [100, 100],
      [100, 0],
    ],
    [
      [72, 72],
      [100, 0],
    ],
    [
      [71, 71],
      [99, 1],
    ],
    [
      [50, 50],
      [70, 30],
    ],
    [
      [25, 100],
      [35, 65],
    ],
    [
      [0, 100],
      [0, 100],
    ],
    [
      [25, 25],
      [50, 50],
    ],
    [
      [5, 65],
      [7, 93],
    ],
    [
      [100, 100, 100],
      [100, 0, 0],
    ],
    [
      [72, 72, 100],
      [100, 0, 0],
    ],
    [
      [71, 71, 100],
      [99, 1, 0],
    ],
    [
      [50, 50, 100],
      [70, 30, 0],
    ],
    [
      [25, 100, 100],
      [35, 65, 0],
    ],
    [
      [25, 25, 100],
      [35, 35, 30],
    ],
    [
      [25, 25, 20],
      [36, 36, 28],
    ],
  ])('with %j %% healthy are %j', (healthy, loads) => {
    expect(loadsOf(healthy.map(percent))).toEqual(loads);
  });

  it('all go to the first level that has endpoints when none is healthy', () => {
    expect(loadsOf([NONE, percent(0), percent(0)])).toEqual([0, 100, 0]);
  });

  it('are none without endpoints', () => {
    expect(loadsOf([NONE, NONE])).toEqual([0, 0]);
  });

  it('give the only healthy endpoint everything, however many are not', () => {
    expect(loadsOf([percent(0), { total: 1000, healthy: 1 }])).toEqual([0, 100]);
  });

  it('sum to 100 wherever there is an endpoint, none below 0', () => {
    fc.assert(
      fc.property(anyLevels, (levels) => {
        const loads = loadsOf(levels);
        expect(loads.reduce((sum, load) => sum + load, 0)).toBe(levels.some(({ total }) => total > 0) ? WHOLE : 0);
        for (const load of loads) expect(load >= 0 && Number.isInteger(load)).toBe(true);
      }),
    );
  });

  it('never fall for a level of which more are healthy', () => {
    fc.assert(
      fc.property(anyLevels, fc.nat(5), (levels, place) => {
        const raised = place % levels.length;
        const better = levels.map((level, at) =>
          at === raised ? { ...level, healthy: Math.min(level.total, level.healthy + 1) } : level,
        );
        expect(loadsOf(better)[raised]).toBeGreaterThanOrEqual(loadsOf(levels)[raised]!);
      }),
    );
  });

  it('go to no level without healthy endpoints while another has some', () => {
    fc.assert(
      fc.property(anyLevels, (levels) => {
        fc.pre(capacityOf(levels) > 0);
        for (const [level, load] of loadsOf(levels).entries()) {
          if (levels[level]!.healthy === 0) expect(load).toBe(0);
        }
      }),
    );
  });
});

describe('panic', () => {
  // The tables of Envoy's "Panic threshold" with 50 %; its rows on loads that contradict "Priority levels" aside.
  it.each([
    [
      [72, 100],
      [false, false],
    ],
    [
      [0, 100],
      [false, false],
    ],
    [
      [72, 72],
      [false, false],
    ],
    [
      [50, 60],
      [false, false],
    ],
    [
      [25, 100],
      [false, false],
    ],
    [
      [25, 25],
      [true, true],
    ],
    [
      [5, 65],
      [true, false],
    ],
    [
      [0, 0],
      [true, true],
    ],
    [[50], [false]],
    [[49], [true]],
  ])('of levels with %j %% healthy is %j', (healthy, levels) => {
    expect(panicOf(healthy.map(percent), NONE, 0.5)).toEqual({ levels, backups: false });
  });

  it('is off at a share of 0', () => {
    expect(panicOf([percent(0)], percent(0), 0)).toEqual({ levels: [false], backups: false });
  });

  it.each([
    ['no primary', 0],
    ['too few primaries', 20],
  ])('leaves work to a healthy backup when %s are healthy', (_name, healthy) => {
    expect(panicOf([percent(healthy)], percent(100), 0.5)).toEqual({ levels: [false], backups: false });
  });

  it('asks unhealthy backups, too, when no healthy backup is left', () => {
    expect(panicOf([percent(20)], percent(0), 0.5)).toEqual({ levels: [true], backups: true });
  });

  it('asks no unhealthy backup while a level has enough healthy endpoints', () => {
    expect(panicOf([percent(60)], percent(0), 0.5)).toEqual({ levels: [false], backups: false });
  });

  it('spreads over all backups when they carry everything and too few of them are healthy', () => {
    expect(panicOf([percent(0)], percent(20), 0.5)).toEqual({ levels: [false], backups: true });
    expect(panicOf([NONE], percent(20), 0.5)).toEqual({ levels: [false], backups: true });
    expect(panicOf([percent(10)], percent(20), 0.5)).toEqual({ levels: [false], backups: false });
  });

  it('is never where there is no endpoint', () => {
    expect(panicOf([NONE], NONE, 1)).toEqual({ levels: [false], backups: false });
  });
});
