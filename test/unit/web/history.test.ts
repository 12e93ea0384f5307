/** Samples of the last minutes, and what is drawn of them. */
import { describe, expect, it } from 'vitest';
import { HeatHistory } from '../../../web/heat-history.js';
import { chartColumns, History, sparkOf } from '../../../web/history.js';
import { FigureGenerator } from '../../harness/generated-figures.js';

describe('History', () => {
  it('gives what is not older than asked for, oldest first', () => {
    const history = new History<string>();
    for (const [at, value] of [
      [1_000, 'a'],
      [2_000, 'b'],
      [3_000, 'c'],
    ] as const)
      history.push(at, value);
    expect(history.since(2_000).map(({ value }) => value)).toEqual(['b', 'c']);
    expect(history.since(3_001)).toEqual([]);
  });

  it('forgets what is too old', () => {
    const history = new History<number>(100_000);
    for (let second = 0; second < 1_000; second++) history.push(second * 1_000, second);
    expect(history.since(0).length).toBeLessThanOrEqual(100 + 61);
    expect(history.since(0).length).toBeGreaterThanOrEqual(100);
  });

  it('lets a clock that was set back take the place of what it contradicts', () => {
    const history = new History<string>();
    history.push(5_000, 'before');
    history.push(6_000, 'before, too');
    history.push(5_000, 'after');
    expect(history.since(0)).toEqual([{ at: 5_000, value: 'after' }]);
  });
});

describe('chartColumns', () => {
  it('makes a column of moments in seconds and one for each line', () => {
    const samples = [
      { at: 1_000, value: [1, null] },
      { at: 2_000, value: [2, 20] },
    ];
    expect(chartColumns(samples, 2)).toEqual([
      [1, 2],
      [1, 2],
      [null, 20],
    ]);
  });

  it('breaks the lines where nobody looked', () => {
    const samples = [
      { at: 1_000, value: [1] },
      { at: 60_000, value: [2] },
    ];
    expect(chartColumns(samples, 1)).toEqual([
      [1, 1.001, 60],
      [1, null, 2],
    ]);
  });

  it('has columns where there are no samples', () => {
    expect(chartColumns([], 2)).toEqual([[], [], []]);
  });
});

describe('sparkOf', () => {
  it('ends at the right edge, and has its largest value at the top', () => {
    const samples = [
      { at: 8_000, value: 5 },
      { at: 10_000, value: 10 },
    ];
    expect(sparkOf(samples, 10_000, 4_000)).toEqual({
      line: 'M50.0 16.5L100.0 4.0',
      area: 'M50.0 16.5L100.0 4.0L100.0 30L50.0 30Z',
    });
  });

  it('begins anew behind a gap and behind nothing', () => {
    const samples = [
      { at: 1_000, value: 1 },
      { at: 9_000, value: 1 },
      { at: 9_500, value: null },
      { at: 10_000, value: 1 },
    ];
    expect(sparkOf(samples, 10_000, 10_000).line.match(/M/g)).toHaveLength(3);
  });

  it('is empty without samples, and flat where all is zero', () => {
    expect(sparkOf([], 10_000, 1_000)).toEqual({ line: '', area: '' });
    expect(sparkOf([{ at: 10_000, value: 0 }], 10_000, 1_000).line).toBe('M100.0 29.0');
  });
});

describe('HeatHistory', () => {
  const generator = new FigureGenerator('calm', 0);

  it('keeps heat of an upstream and of each endpoint', () => {
    const heat = new HeatHistory();
    const figures = generator.at(1_000);
    heat.push(figures);
    const [api] = figures.upstreams;
    expect(heat.since('api', '10.0.0.1:9001', 0)).toEqual([{ at: 1_000, value: api?.endpoints[0]?.heat }]);
    const all = heat.since('api', null, 0)[0]?.value.reduce((sum, count) => sum + count, 0);
    expect(all).toBe(api?.endpoints.flatMap((endpoint) => endpoint.heat).reduce((sum, count) => sum + count, 0));
  });

  it('forgets upstreams and endpoints that are gone', () => {
    const heat = new HeatHistory();
    heat.push(generator.at(1_000));
    heat.push({ ...generator.at(2_000), upstreams: [] });
    expect(heat.since('api', null, 0)).toEqual([]);
    expect(heat.since('api', '10.0.0.1:9001', 0)).toEqual([]);
  });
});
