/** What `sluice bench` prints: its progress, and at the end percentiles and a chart of the latencies. Pure. */
import type { BenchOptions } from './bench-arguments.js';

/** A number of answers that took at most so long, and longer than those of the line before. */
export interface LatencyBucket {
  readonly upToUs: number;
  readonly count: number;
}

/** What a load has found. */
export interface BenchFindings {
  readonly durationS: number;
  readonly answers: number;
  readonly bytes: number;
  /** Answers by status, e.g. 200. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Connections that could not be made or broke, without those that waited too long. */
  readonly brokenConnections: number;
  readonly timeouts: number;
  readonly percentilesUs: readonly (readonly [percentile: number, us: number])[];
  readonly longestUs: number;
  /** Ascending, without gaps; empty without answers. */
  readonly buckets: readonly LatencyBucket[];
}

const PROGRESS_WIDTH = 30;
const CHART_WIDTH = 50;
const BAR = '█';
/** Eighths of a character, so that small shares are seen. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const US_PER_MS = 1_000;
const US_PER_S = 1_000_000;
/** From here on a client or a server has failed (RFC 9110, 15.5). */
const FIRST_ERROR_STATUS = 400;

const whole = (number: number): string => Math.round(number).toLocaleString('en-US');

/** Did every request get an answer that is no error? */
export function isWell(findings: BenchFindings): boolean {
  return findings.answers > 0 && troublesOf(findings).length === 0;
}

/** The line that is rewritten while the load runs. @param answersPerSecond of the last look */
export function progressLine(passedS: number, options: BenchOptions, answersPerSecond: number): string {
  const share = Math.min(passedS / options.durationS, 1);
  const done = Math.round(share * PROGRESS_WIDTH);
  const left = Math.max(0, Math.ceil(options.durationS - passedS));
  return `${BAR.repeat(done)}${'░'.repeat(PROGRESS_WIDTH - done)} ${left} s left, ${whole(answersPerSecond)} answers/s`;
}

/** The report, as lines. */
export function benchReport(options: BenchOptions, findings: BenchFindings): string[] {
  const { url, connections, ratePerSecond } = options;
  const { answers, durationS, bytes, statuses } = findings;
  const rate = ratePerSecond === null ? '' : `, ${whole(ratePerSecond)} requests/s wanted`;
  const codes = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${whole(count)}`);
  const troubles = troublesOf(findings);
  return [
    `${url}: ${connections} ${connections === 1 ? 'connection' : 'connections'}, ${durationS.toFixed(1)} s${rate}`,
    '',
    `answers   ${whole(answers)}, ${whole(answers / durationS)}/s, ${sizeText(bytes)}`,
    `status    ${codes.join(', ') || 'none'}`,
    `errors    ${troubles.join(', ') || 'none'}`,
    ...(answers === 0 ? [] : ['', ...latencyLines(findings), '', ...chartLines(findings.buckets)]),
  ];
}

function troublesOf({ statuses, brokenConnections, timeouts }: BenchFindings): string[] {
  const refused = [...statuses].reduce((sum, [status, count]) => sum + (status >= FIRST_ERROR_STATUS ? count : 0), 0);
  return [
    ...(refused > 0 ? [`${whole(refused)} answers with a status of 400 and above`] : []),
    ...(brokenConnections > 0 ? [`${whole(brokenConnections)} connections broke`] : []),
    ...(timeouts > 0 ? [`${whole(timeouts)} requests waited too long`] : []),
  ];
}

function latencyLines({ percentilesUs, longestUs }: BenchFindings): string[] {
  const points = [
    ...percentilesUs.map(([percentile, us]) => [`p${percentile}`, us] as const),
    ['max', longestUs] as const,
  ];
  const cells = points.map(([name, us]) => [name, timeText(us)] as const);
  const widths = cells.map(([name, text]) => Math.max(name.length, text.length));
  const line = (of: 0 | 1): string => cells.map((cell, column) => cell[of].padStart(widths[column] ?? 0)).join('   ');
  return [`latency   ${line(0)}`, `          ${line(1)}`];
}

function chartLines(buckets: readonly LatencyBucket[]): string[] {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(...buckets.map(({ count }) => count));
  return buckets.map(({ upToUs, count }) => {
    const eighths = Math.round((count / most) * CHART_WIDTH * 8);
    const bar = `${BAR.repeat(eighths >> 3)}${EIGHTHS[eighths & 7]}`;
    const share = count === 0 ? '' : ` ${((count / total) * 100).toFixed(count * 100 < total ? 2 : 1)} %`;
    return `≤ ${timeText(upToUs).padStart(7)} ${bar}${share}`.trimEnd();
  });
}

/** A time for people, with two or three digits. */
export function timeText(us: number): string {
  if (us < US_PER_MS) return `${Math.round(us)} µs`;
  if (us < US_PER_S) return `${trimmed(us / US_PER_MS)} ms`;
  return `${trimmed(us / US_PER_S)} s`;
}

function trimmed(number: number): string {
  return number >= 100 ? String(Math.round(number)) : number.toFixed(1).replace(/\.0$/, '');
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}
