/** What the laboratory makes of its rounds: summaries, tables, charts and the page. */
import { describe, expect, it } from 'vitest';
import { barChart, latencyChart, stepsTo, timeChart } from '../../../bench/load/report/charts.mjs';
import { htmlReport } from '../../../bench/load/report/html.mjs';
import { bottleneckOf, isSound, referenceOf, summarise } from '../../../bench/load/report/summary.mjs';
import { bytesText, scenarioText, table, timeText } from '../../../bench/load/report/terminal.mjs';
import type { Round, ScenarioResult } from '../../../bench/load/run.mjs';
import { resultOf, round } from './made-results.js';

const NONE = Number.NaN;

describe('a summary', () => {
  it('has median, minimum and spread of the cost, and its ratio to each other proxy', () => {
    const [sluice, nginx, direct] = summarise(
      resultOf({ sluice: [20, 30, 22], nginx: [10, 15, 11], direct: [NONE, NONE, NONE] }),
    );
    expect(sluice?.cpuUs).toEqual({ median: 22, min: 20, spread: 10 / 22 });
    expect(sluice?.ratios).toEqual({ nginx: { min: 2, median: 2, low: 2, high: 2 } });
    expect(nginx?.ratios['sluice']?.median).toBe(0.5);
    expect(direct?.cpuUs).toBeNull();
    expect(direct?.ratios).toEqual({});
  });

  it('is sound only where every answer was right', () => {
    const soundness = (facts: Partial<Round>) => isSound(summarise(resultOf({ sluice: [1, 1] }, facts)));
    expect(soundness({})).toBe(true);
    expect(soundness({ errors: 1 })).toBe(false);
    expect(soundness({ wrong: 'too short' })).toBe(false);
    expect(soundness({ perSecond: 0 })).toBe(false);
  });

  it('takes the most memory of an idle connection that any round found', () => {
    const rounds = [round({ idleBytes: 700 }), round({ idleBytes: 3 })];
    const candidates = [{ name: 'sluice', rounds, checkedAnswers: 1, peakBytes: 1 }];
    expect(summarise({ ...resultOf({}), candidates })[0]?.idleBytes).toBe(700);
  });

  it.each([
    [1, 0.5, 'proxy'],
    [0.5, 1, 'load, endpoint'],
    [1, 1, 'both'],
    [0.5, 0.5, 'none full'],
  ])('says who was full at %d and %d', (proxy, load, expected) => {
    expect(bottleneckOf({ rounds: [round({ busyShare: { proxy, load } })] })).toBe(expected);
  });

  it.each([
    [['sluice', 'haproxy', 'nginx'], 'nginx'],
    [['sluice', 'sluice again', 'haproxy'], 'haproxy'],
    [['sluice', 'sluice@abc', 'sluice again'], 'sluice@abc'],
    [['sluice', 'sluice again'], 'sluice'],
  ])('of %j is compared with %s', (names, expected) => {
    const costs = Object.fromEntries(names.map((name) => [name, [1]]));
    expect(referenceOf(summarise(resultOf(costs)))).toBe(expected);
  });
});

describe('the terminal', () => {
  it('shows a table with aligned columns', () => {
    expect(
      table(
        ['', 'b'],
        [
          ['aa', '1'],
          ['a', '22'],
        ],
      ),
    ).toBe('     b\n──  ──\naa   1\na   22');
  });

  it('shows costs, ratios and latencies of a scenario', () => {
    const result = resultOf({ sluice: [20], nginx: [10] });
    const text = scenarioText(result, summarise(result), 'nginx');
    expect(text).toContain('1 round of 2 s each, load by wrk, endpoint nginx; 20 answers compared by hash');
    expect(text).toMatch(/^sluice +500 +20\.00 +20\.00 +0 % +2\.000 +2\.000 +50\.0 +1\.0 MiB +proxy +0$/m);
    expect(text).toMatch(/^sluice +200 µs +400 µs +800 µs +1\.6 ms +3\.2 ms$/m);
  });

  it('says what was wrong with whom', () => {
    const result = resultOf({ sluice: [20] }, { errors: 3, wrong: 'too short' });
    expect(scenarioText(result, summarise(result), 'sluice')).toMatch(/ 3; too short$/m);
  });

  it.each([
    [1023, '1023 B'],
    [-2048, '-2.0 KiB'],
    [3 * 1024 ** 2, '3.0 MiB'],
    [null, '–'],
  ])('writes %s bytes as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [NONE, '–'],
    [999, '999 µs'],
    [12_345, '12.3 ms'],
    [123_456, '123 ms'],
    [1_234_567, '1.23 s'],
  ])('writes %d µs as %s', (us, text) => {
    expect(timeText(us)).toBe(text);
  });
});

describe('a chart', () => {
  it.each([
    [100, [0, 20, 40, 60, 80, 100]],
    [101, [0, 25, 50, 75, 100, 125]],
    [0.7, [0, 0.2, 0.4, 0.6, 0.8]],
    [0, [0, 1]],
  ])('to %d has the steps %j', (most, steps) => {
    expect(stepsTo(most)).toEqual(steps);
  });

  it('is drawn inside its frame', () => {
    const points: [number, number][] = [
      [10, 3],
      [50, 40_000],
      [99.99, 2_000_000],
      [100, 9_000_000],
    ];
    const charts = [
      barChart('bars', 'µs', [{ name: 'a', value: 5, low: 4, high: 9 }]),
      timeChart('time', 'requests/s', [{ name: 'a', points }]),
      latencyChart('latency', [{ name: 'a', points }]),
    ];
    for (const chart of charts) {
      const places = [...chart.matchAll(/ (?:c?x|c?y)[12]?="(-?[\d.]+)"/g)].map((match) => Number(match[1]));
      expect(places.length).toBeGreaterThan(10);
      expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...places)).toBeLessThanOrEqual(720);
      expect(chart).not.toContain('NaN');
    }
  });
});

describe('the page', () => {
  const report = (result: ScenarioResult) => ({
    at: '2026-11-23T02:00:00.000Z',
    commit: 'abc',
    command: 'npm run bench -- --peers "<nginx>"',
    machine: { processor: 'AMD', processors: 2, kernel: '6.1', node: 'v20' },
    versions: { nginx: '1.22.1' },
    settings: {},
    scenarios: [{ result, summaries: summarise(result), reference: 'nginx' }],
  });

  it('loads nothing and runs nothing', () => {
    const page = htmlReport(report(resultOf({ sluice: [20, 21], nginx: [10, 11] })));
    expect(page).not.toMatch(/<script|<link|src=|href=|https?:/);
  });

  it('escapes what it did not write itself', () => {
    const page = htmlReport(report(resultOf({ sluice: [20], nginx: [10] })));
    expect(page).toContain('made for &#60;tests&#62;');
    expect(page).not.toContain('<nginx>');
  });

  it('marks a candidate with wrong answers', () => {
    const page = htmlReport(report(resultOf({ sluice: [20], nginx: [10] }, { errors: 7 })));
    expect(page).toContain('<td class="bad">7</td>');
  });

  it('has a point for each second where the generator tells of them, else one for each round', () => {
    const dots = (facts: Partial<Round>) => {
      const chart = /<figcaption>Throughput over time.*?<\/figure>/s.exec(
        htmlReport(report(resultOf({ sluice: [20, 21] }, facts))),
      )?.[0];
      return [/one point a \w+/.exec(chart ?? '')?.[0], chart?.match(/<circle/g)?.length];
    };
    expect(dots({ eachSecond: [500, 400, 600] })).toEqual(['one point a second', 6]);
    expect(dots({})).toEqual(['one point a round', 2]);
  });

  it('does without a chart of costs where there is no proxy', () => {
    expect(htmlReport(report(resultOf({ direct: [NONE] })))).not.toContain('NaN');
  });
});
