/** `sluice bench`: its flags, its report, and how latencies are recorded. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../src/cli/arguments.js';
import type { BenchOptions } from '../../../src/cli/bench-arguments.js';
import { BenchLatencies } from '../../../src/cli/bench-load.js';
import { type BenchFindings, benchReport, isWell, progressLine, timeText } from '../../../src/cli/bench-report.js';

const OPTIONS: BenchOptions = { url: 'http://h/', connections: 2, durationS: 4, ratePerSecond: null };
const FINDINGS: BenchFindings = {
  durationS: 4,
  answers: 1_000,
  bytes: 2_048,
  statuses: new Map([[200, 1_000]]),
  brokenConnections: 0,
  timeouts: 0,
  percentilesUs: [
    [50, 900],
    [99.9, 12_340],
  ],
  longestUs: 1_500_000,
  buckets: [
    { upToUs: 1_000, count: 800 },
    { upToUs: 2_000, count: 0 },
    { upToUs: 5_000, count: 200 },
  ],
};

describe('the flags of bench', () => {
  const parse = (line: string) => parseArguments(['bench', ...line.split(' ').filter((word) => word !== '')]);

  it.each([
    [
      '--url http://127.0.0.1:8080',
      { url: 'http://127.0.0.1:8080/', connections: 64, durationS: 10, ratePerSecond: null },
    ],
    [
      '--url https://h/a?b --connections 3 --duration 5 --rate 100',
      { url: 'https://h/a?b', connections: 3, durationS: 5, ratePerSecond: 100 },
    ],
  ])('%j', (line, options) => {
    expect(parse(line)).toEqual({ kind: 'bench', options });
  });

  it.each([
    ['', '--url is missing'],
    ['--url 127.0.0.1:8080', '--url is "127.0.0.1:8080", which is no http or https address'],
    ['--url ftp://h/', '--url is "ftp://h/", which is no http or https address'],
    ['--url http://h/ --connections 0', '--connections is "0"'],
    ['--url http://h/ --duration 1.5', '--duration is "1.5"'],
    ['--url http://h/ --rate fast', '--rate is "fast"'],
    ['--url http://h/ --workers 2', '--workers does not belong to the command bench'],
  ])('%j is a usage error', (line, sentence) => {
    const read = parse(line);
    expect(read).toMatchObject({ kind: 'usage-error', command: 'bench', problems: [{ sentence }] });
  });

  it('are all looked at before anything is said', () => {
    expect(parse('--url h --rate 0 --duration 0')).toMatchObject({ problems: [{}, {}, {}] });
  });

  it('belong to no other command', () => {
    expect(parseArguments(['run', '--url', 'http://h/'])).toMatchObject({ kind: 'usage-error' });
  });
});

describe('the report of bench', () => {
  it('has answers, percentiles and a chart', () => {
    expect(benchReport(OPTIONS, FINDINGS)).toEqual([
      'http://h/: 2 connections, 4.0 s',
      '',
      'answers   1,000, 250/s, 2.0 KiB',
      'status    200: 1,000',
      'errors    none',
      '',
      'latency      p50     p99.9     max',
      '          900 µs   12.3 ms   1.5 s',
      '',
      `≤    1 ms ${'█'.repeat(50)} 80.0 %`,
      '≤    2 ms',
      `≤    5 ms ${'█'.repeat(12)}▌ 20.0 %`,
    ]);
  });

  it('says what went wrong', () => {
    const findings = {
      ...FINDINGS,
      statuses: new Map([
        [503, 2],
        [200, 998],
      ]),
      brokenConnections: 3,
      timeouts: 4,
    };
    const lines = benchReport({ ...OPTIONS, ratePerSecond: 500, connections: 1 }, findings);
    expect(lines[0]).toBe('http://h/: 1 connection, 4.0 s, 500 requests/s wanted');
    expect(lines).toContain('status    200: 998, 503: 2');
    expect(lines).toContain(
      'errors    2 answers with a status of 400 and above, 3 connections broke, 4 requests waited too long',
    );
    expect(isWell(findings)).toBe(false);
  });

  it('has no latencies where nothing was answered', () => {
    const nothing = { ...FINDINGS, answers: 0, statuses: new Map(), buckets: [] };
    expect(benchReport(OPTIONS, nothing).join('\n')).not.toContain('latency');
    expect(isWell(nothing)).toBe(false);
    expect(isWell(FINDINGS)).toBe(true);
  });

  it('shows its progress in one line', () => {
    expect(progressLine(1, OPTIONS, 1234.5)).toBe(`${'█'.repeat(8)}${'░'.repeat(22)} 3 s left, 1,235 answers/s`);
    expect(progressLine(9, OPTIONS, 0)).toBe(`${'█'.repeat(30)} 0 s left, 0 answers/s`);
  });

  it.each([
    [7, '7 µs'],
    [1_000, '1 ms'],
    [1_550, '1.6 ms'],
    [250_400, '250 ms'],
    [3_000_000, '3 s'],
  ])('writes %i µs as %s', (us, text) => {
    expect(timeText(us)).toBe(text);
  });
});

describe('latencies of bench', () => {
  it('are counted once in the chart and in the percentiles', () => {
    const latencies = new BenchLatencies(null);
    for (let us = 1; us <= 1_000; us++) latencies.record(us);
    const { percentilesUs, longestUs, buckets } = latencies.summary();
    expect(new Map(percentilesUs).get(50)).toBe(500);
    expect(longestUs).toBe(1_000);
    expect(buckets).toEqual([
      { upToUs: 10, count: 10 },
      { upToUs: 20, count: 10 },
      { upToUs: 50, count: 30 },
      { upToUs: 100, count: 50 },
      { upToUs: 200, count: 100 },
      { upToUs: 500, count: 300 },
      { upToUs: 1_000, count: 500 },
    ]);
  });

  it('at a fixed rate count a stall for every request that it kept back', () => {
    const latencies = new BenchLatencies(10_000);
    for (let answer = 0; answer < 100; answer++) latencies.record(1_000);
    latencies.record(1_000_000);
    const { percentilesUs, buckets } = latencies.summary();
    // 990, 980 … 10 ms: the 99 requests that were due in that second.
    expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    expect(new Map(percentilesUs).get(90)).toBeGreaterThan(700_000);
  });

  it('are empty without answers', () => {
    expect(new BenchLatencies(null).summary().buckets).toEqual([]);
  });

  it('stay in the chart however long they are', () => {
    const latencies = new BenchLatencies(null);
    latencies.record(90_000_000);
    expect(latencies.summary().buckets).toEqual([{ upToUs: 50_000_000, count: 1 }]);
  });
});
