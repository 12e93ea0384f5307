/** Conditions, order and shares of endpoints. */
import { describe, expect, it } from 'vitest';
import type { EndpointCondition, LiveEndpoint } from '../../../src/observability/live-figures.js';
import { CONDITIONS, expectedShares, takesWork } from '../../../web/conditions.js';
import { nextSorting, sorted, UNSORTED } from '../../../web/sorting.js';
import { liveEndpoint } from './live-endpoint.js';

const conditions = Object.keys(CONDITIONS) as EndpointCondition[];

describe('CONDITIONS', () => {
  it('differ by word and by shape, so that no colour is needed', () => {
    const looks = Object.values(CONDITIONS);
    expect(new Set(looks.map(({ word }) => word)).size).toBe(looks.length);
    expect(new Set(looks.map(({ shape }) => shape)).size).toBe(looks.length);
  });

  it('take work only in service, with a weight', () => {
    const working = conditions.filter((condition) => takesWork(liveEndpoint({ condition })));
    expect(working.sort()).toEqual(['healthy', 'on-trial', 'warming-up']);
    expect(takesWork(liveEndpoint({ effectiveWeight: 0 }))).toBe(false);
  });
});

describe('expectedShares', () => {
  it('goes by the weights of those that take work', () => {
    const all = [
      liveEndpoint({ effectiveWeight: 3 }),
      liveEndpoint({ effectiveWeight: 1 }),
      liveEndpoint({ effectiveWeight: 5, condition: 'ejected' }),
      liveEndpoint({ effectiveWeight: 9, backup: true }),
    ];
    expect(expectedShares(all)).toEqual([0.75, 0.25, null, null]);
  });

  it('is that of the backups where nobody else works', () => {
    const all = [liveEndpoint({ condition: 'unhealthy' }), liveEndpoint({ backup: true })];
    expect(expectedShares(all)).toEqual([null, 1]);
  });
});

describe('sorted', () => {
  const latency = (p95: number): LiveEndpoint['latencyMs'] => ({ p50: 1, p95, p99: 1, max: 1 });
  const endpoints = [
    liveEndpoint({ address: '10.0.0.10:1', perSecond: 5, latencyMs: latency(9), condition: 'healthy' }),
    liveEndpoint({ address: '10.0.0.9:1', perSecond: 7, latencyMs: null, condition: 'draining' }),
    liveEndpoint({ address: '10.0.0.2:1', perSecond: 5, latencyMs: latency(30), condition: 'unhealthy' }),
  ];
  const order = (key: Parameters<typeof nextSorting>[1], isDescending: boolean): string[] =>
    sorted(endpoints, { key, isDescending }).map(({ address }) => address.replace(/^10\.0\.0\.|:1$/g, ''));

  it('keeps the order of the configuration without a wish', () => {
    expect(order('configured', true)).toEqual(['10', '9', '2']);
  });

  it('compares numbers in addresses as numbers', () => {
    expect(order('address', false)).toEqual(['2', '9', '10']);
  });

  it('puts what has no figure last, either way', () => {
    expect(order('p95', false)).toEqual(['10', '2', '9']);
    expect(order('p95', true)).toEqual(['2', '10', '9']);
  });

  it('keeps the order of equals', () => {
    expect(order('perSecond', true)).toEqual(['9', '10', '2']);
  });

  it('puts the most urgent condition first', () => {
    expect(order('condition', false)).toEqual(['2', '9', '10']);
  });
});

describe('nextSorting', () => {
  it('begins with the largest figure, turns round, and gives up', () => {
    const first = nextSorting(UNSORTED, 'p99');
    const second = nextSorting(first, 'p99');
    expect([first, second, nextSorting(second, 'p99')]).toEqual([
      { key: 'p99', isDescending: true },
      { key: 'p99', isDescending: false },
      UNSORTED,
    ]);
  });

  it('begins with the first name', () => {
    expect(nextSorting({ key: 'p99', isDescending: true }, 'address')).toEqual({ key: 'address', isDescending: false });
  });
});
