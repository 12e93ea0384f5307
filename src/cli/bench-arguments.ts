/** What `sluice bench` is asked for, read from its flags. Pure. */
import { BENCH_CONNECTIONS, BENCH_DURATION_S } from './flags.js';
import type { UsageProblem } from './usage-problem.js';

/** One load. */
export interface BenchOptions {
  readonly url: string;
  readonly connections: number;
  readonly durationS: number;
  /** Requests a second over all connections; null: as many as are answered. */
  readonly ratePerSecond: number | null;
}

interface Limits {
  readonly least: number;
  readonly most: number;
}

const CONNECTIONS: Limits = { least: 1, most: 10_000 };
const DURATION_S: Limits = { least: 1, most: 86_400 };
const RATE_PER_SECOND: Limits = { least: 1, most: 1_000_000 };

/**
 * Reads the values of the flags.
 *
 * @param given the text given for a flag; undefined without it
 * @returns the load, or everything that is wrong with it
 */
export function benchOptionsOf(given: (flag: string) => string | undefined): BenchOptions | UsageProblem[] {
  const problems: UsageProblem[] = [];
  const numberOf = (flag: string, limits: Limits): number | undefined => {
    const text = given(flag);
    if (text === undefined) return undefined;
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= limits.least && number <= limits.most) return number;
    problems.push({
      sentence: `--${flag} is "${text}"`,
      hint: `write a whole number from ${limits.least} to ${limits.most}`,
    });
    return undefined;
  };
  const url = urlOf(given('url'), problems);
  const connections = numberOf('connections', CONNECTIONS) ?? BENCH_CONNECTIONS;
  const durationS = numberOf('duration', DURATION_S) ?? BENCH_DURATION_S;
  const ratePerSecond = numberOf('rate', RATE_PER_SECOND) ?? null;
  return problems.length > 0 ? problems : { url, connections, durationS, ratePerSecond };
}

/** @returns '' where it reports a problem */
function urlOf(text: string | undefined, problems: UsageProblem[]): string {
  if (text === undefined) {
    problems.push({ sentence: '--url is missing', hint: 'write --url http://127.0.0.1:8080/' });
    return '';
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '') return url.href;
  problems.push({
    sentence: `--url is "${text}", which is no http or https address`,
    hint: 'write it whole, like http://127.0.0.1:8080/',
  });
  return '';
}
