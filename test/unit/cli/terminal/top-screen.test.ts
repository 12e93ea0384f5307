/** The screen of `sluice top`, with fixed figures. */
import { describe, expect, it } from 'vitest';
import { inOrder, SORT_KEYS } from '../../../../src/cli/terminal/top-order.js';
import { mostScroll, screenLines, type TopView } from '../../../../src/cli/terminal/top-screen.js';
import { BUSY_FIGURES, liveEndpoint } from '../../../harness/live-figures.js';

const VIEW: TopView = {
  sort: 'config',
  isReversed: false,
  only: null,
  isPaused: false,
  trend: 'rps',
  scroll: 0,
  isHelping: false,
  notice: null,
};
const same = (text: string): string => text;
const PLAIN = { heading: same, good: same, bad: same, faint: same };

function linesOf(
  view: Partial<TopView> = {},
  size = { columns: 80, rows: 14 },
  values: (number | null)[] = [],
): string[] {
  return screenLines(BUSY_FIGURES, { ...VIEW, ...view }, () => values, size, PLAIN);
}

describe('the screen of top', () => {
  it('shows upstreams and endpoints in 80 columns', () => {
    expect(linesOf({ sort: 'rps' }, undefined, [1, 8, null, 4])).toEqual([
      'sluice 0.1.0  ready  up 3 min 5 s  plan 3  workers 1/1',
      '1235/s  errors 0.4%  p50 1.3  p95 12  p99 120 ms',
      'open 12 connections, 3 exchanges, 1 sessions',
      'ENDPOINT         STATE       WGT ▾REQ/S   ERR  P50  P95  P99  OPEN  SHARE REQ/S',
      'api  least-conn  2/3  1235/s  errors 0.4%  cv 0.12  waiting 4/100',
      ' 10.0.0.1:9001   healthy       1    900  0.5%    1   10  110     2    73%   ▂█ ▅',
      ' 10.0.0.2:9001   warming       1    335    0%    2   20 1.5s     1    27%   ▂█ ▅',
      ' 10.0.0.3:9001 b unhealthy     1      0     -    -    -    -     0      -   ▂█ ▅',
      'pg  least-conn  0/1  0/s  errors -  PANIC',
      ' [2001:…::1]:5432 drained       1      0     -    -    -    -     0      -   ▂█ ▅'.replace(
        ' [2001:…::1]:5432',
        ' [2001:…:1]:5432',
      ),
      '',
      '',
      '',
      'q quit  ←→ order  v turn  u upstream  p pause  m bars  ? keys',
    ]);
  });

  it.each([20, 33, 40, 60, 79, 80, 100, 132, 250])('never has lines longer than %d columns', (columns) => {
    for (const view of [{}, { isHelping: true }, { notice: 'x'.repeat(300) }, { only: 'pg' }]) {
      const lines = linesOf(view, { columns, rows: 24 }, [1, 2, 3]);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });

  it.each([1, 5, 6, 10, 24, 50])('has as many lines as a terminal of %d rows, and no more', (rows) => {
    expect(linesOf({}, { columns: 80, rows }).length).toBeLessThanOrEqual(rows);
    if (rows > 5) expect(linesOf({}, { columns: 80, rows })).toHaveLength(rows);
  });

  it('gives names and bars what there is room for', () => {
    const [line = ''] = linesOf({ only: 'pg' }, { columns: 132, rows: 10 }, [1, 2]).slice(5);
    expect(line).toContain('[2001:db8:1234:5678:9abc::1]:5432 ');
  });

  it('scrolls, as far as there is something', () => {
    const size = { columns: 80, rows: 8 };
    expect(mostScroll(BUSY_FIGURES, VIEW, size)).toBe(3);
    expect(linesOf({ scroll: 3 }, size)[4]).toMatch(/^ 10\.0\.0\.3/);
    expect(linesOf({ scroll: 99 }, size)[4]).toMatch(/^ 10\.0\.0\.3/);
  });

  it('shows one upstream, a pause, the keys, and what is wrong', () => {
    expect(linesOf({ only: 'pg' })[4]).toMatch(/^pg /);
    expect(linesOf({ isPaused: true }).at(-1)).toMatch(/^PAUSED {2}q quit/);
    expect(linesOf({ isHelping: true }).join('\n')).toContain('ends');
    expect(linesOf({ notice: 'NOT LIVE' }).at(-1)).toBe('NOT LIVE');
  });

  it('paints conditions', () => {
    const paint = { ...PLAIN, good: (text: string) => `<${text}>`, bad: (text: string) => `!${text}!` };
    const lines = screenLines(BUSY_FIGURES, VIEW, () => [], { columns: 80, rows: 14 }, paint);
    expect(lines.filter((line) => line.includes('<healthy  >'))).toHaveLength(1);
    expect(lines.filter((line) => /!(unhealthy|drained {2})!/.test(line))).toHaveLength(2);
  });
});

describe('the order of endpoints', () => {
  const endpoints = [
    liveEndpoint('h:10', { perSecond: 5, latencyMs: { p50: 1, p95: 2, p99: 3, max: 4 } }),
    liveEndpoint('h:9', { perSecond: 7 }),
    liveEndpoint('h:2', { perSecond: 5, latencyMs: { p50: 9, p95: 9, p99: 9, max: 9 } }),
  ];
  const names = (key: (typeof SORT_KEYS)[number], isReversed = false) =>
    inOrder(endpoints, key, isReversed).map(({ address }) => address);

  it('is that of the configuration, of names, or the highest figure first', () => {
    expect(names('config')).toEqual(['h:10', 'h:9', 'h:2']);
    expect(names('name')).toEqual(['h:2', 'h:9', 'h:10']);
    expect(names('rps')).toEqual(['h:9', 'h:10', 'h:2']);
  });

  it('has those without a figure last, also reversed', () => {
    expect(names('p99')).toEqual(['h:2', 'h:10', 'h:9']);
    expect(names('p99', true)).toEqual(['h:10', 'h:2', 'h:9']);
  });

  it.each(SORT_KEYS)('by %s keeps all of them', (key) => {
    expect(names(key).toSorted()).toEqual(names('name').toSorted());
  });
});
