/** Axes and charts, as numbers and as text. */
import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis, shortNumber } from '../../../../../bench/sim/report/axis.js';
import { drawBars } from '../../../../../bench/sim/report/bar-chart.js';
import { drawLines } from '../../../../../bench/sim/report/line-chart.js';
import { drawPortrait } from '../../../../../bench/sim/report/portrait.js';
import { WIDTH } from '../../../../../bench/sim/report/svg.js';

describe('an axis', () => {
  it('has round steps that hold all values', () => {
    expect(linearAxis(0, 83, 0, 100).steps).toEqual([0, 20, 40, 60, 80, 100]);
    expect(linearAxis(0, 1, 0, 100).steps).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearAxis(5, 5, 0, 100).steps.length).toBeGreaterThan(1);
  });

  it('puts values where they belong, also upside down', () => {
    expect(linearAxis(0, 100, 300, 100).position(50)).toBe(200);
    expect(logAxis(1, 100, 0, 200).position(10)).toBe(100);
    expect(logAxis(0.1, 50, 0, 300).steps).toEqual([0.1, 1, 10, 100]);
  });

  it('writes numbers shortly', () => {
    expect([12_000, 0.25, 1.5, 1_234.5].map(shortNumber)).toEqual(['12,000', '0.25', '1.5', '1,235']);
  });
});

const LINES = {
  title: 'Load & share',
  xLabel: 'time in s',
  yLabel: 'share in %',
  lines: [
    {
      name: 'a<b',
      points: [
        [0, 0],
        [10, 25],
      ] as const,
    },
    {
      name: 'other',
      points: [
        [0, 25],
        [10, 0],
      ] as const,
    },
  ],
  marks: [{ x: 5, text: 'fails' }],
  limit: { y: 5, text: '5 %' },
};

/** All numbers behind M, L, H and V of the paths. */
function positions(svg: string): number[] {
  return [...svg.matchAll(/ d="([^"]+)"/g)].flatMap(([, path]) => (path!.match(/-?\d+(\.\d+)?/g) ?? []).map(Number));
}

describe('a chart of lines', () => {
  const svg = drawLines(LINES);

  it('has a title, both labels, every name, marks and limits, as XML', () => {
    for (const text of ['Load &#38; share', 'time in s', 'share in %', 'a&#60;b', 'other', 'fails', '5 %'])
      expect(svg).toContain(text);
  });

  it('draws within its frame', () => {
    for (const position of positions(svg)) {
      expect(position).toBeGreaterThanOrEqual(0);
      expect(position).toBeLessThanOrEqual(WIDTH);
    }
  });

  it('has colours for light and for dark pages', () => {
    expect(svg).toContain('prefers-color-scheme:dark');
  });

  it('is refused without a point, and with more lines than can be told apart', () => {
    expect(() => drawLines({ ...LINES, lines: [{ name: 'none', points: [] }] })).toThrow('has points');
    expect(() => drawLines({ ...LINES, lines: Array.from({ length: 9 }, () => LINES.lines[0]!) })).toThrow('at most 8');
  });
});

describe('a chart of bars', () => {
  const chart = {
    title: 'Latency',
    xLabel: 'balancer',
    yLabel: 'ms',
    groups: ['first', 'second'],
    series: [
      { name: 'P50', values: [10, 20] },
      { name: 'P99', values: [30, 400] },
    ],
  };

  it('has one bar for each value, with the value on it', () => {
    const svg = drawBars(chart);
    expect(svg.match(/<rect class="f\d" x="[\d.]+" y="[\d.]+" width="45"/g)).toHaveLength(4);
    for (const value of ['>10<', '>20<', '>30<', '>400<']) expect(svg).toContain(value);
  });

  it('draws values of very different size on a scale of tens', () => {
    expect(drawBars({ ...chart, isLogY: true })).not.toContain('NaN');
  });

  it('is refused when a value is missing', () => {
    expect(() => drawBars({ ...chart, series: [{ name: 'P50', values: [1] }] })).toThrow('a value for each group');
  });
});

describe('a portrait', () => {
  it('has a bar for each endpoint with its share, none longer than a full one', () => {
    const svg = drawPortrait('first', [
      { name: 'x2', share: 0.75 },
      { name: 'a', share: 0.2 },
    ]);
    const heights = [...svg.matchAll(/width="30" height="([\d.]+)"/g)].map(([, height]) => Number(height));
    expect(heights).toEqual([54, 27]);
    for (const text of ['>75<', '>20<', '>x2<', '>a<']) expect(svg).toContain(text);
  });
});
