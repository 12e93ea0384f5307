/** The load of `sluice bench`: autocannon, with latencies recorded in µs. */
/// <reference path="./autocannon.d.ts" />
import autocannon from 'autocannon';
import { build } from 'hdr-histogram-js';
import type { BenchOptions } from './bench-arguments.js';
import type { BenchFindings } from './bench-report.js';

/** A request that takes longer has failed, as autocannon has it. */
const TIMEOUT_S = 10;
const US_PER_MS = 1_000;
const US_PER_S = 1_000_000;
const PERCENTILES = [50, 90, 99, 99.9];
/** Edges of the chart: 1, 2 and 5 in each decade. The last is beyond what a request may take. */
const EDGES_US = [10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000].flatMap((us) => [us, 2 * us, 5 * us]);
const MOST_US = 50_000_000;

/** A load that runs. */
export interface BenchLoad {
  /** Answers so far. */
  readonly answers: () => number;
  /** Ends it before its time; what was measured until then is found. Idempotent. */
  stop(): void;
  readonly findings: Promise<BenchFindings>;
}

/** Starts a load. Thread: primary. */
export function startBenchLoad({ url, connections, durationS, ratePerSecond }: BenchOptions): BenchLoad {
  const latencies = new BenchLatencies(ratePerSecond === null ? null : (connections / ratePerSecond) * US_PER_S);
  let answers = 0;
  let bytes = 0;
  const run = autocannon({
    url,
    connections,
    duration: durationS,
    timeout: TIMEOUT_S,
    ...(ratePerSecond === null ? {} : { overallRate: ratePerSecond }),
  });
  run.on('response', (_client, _status, answerBytes, tookMs) => {
    answers++;
    bytes += answerBytes;
    latencies.record(Math.max(1, Math.round(tookMs * US_PER_MS)));
  });
  const settle = async (): Promise<BenchFindings> => {
    const { duration, errors, timeouts, statusCodeStats } = await run;
    return {
      durationS: duration,
      answers,
      bytes,
      statuses: new Map(Object.entries(statusCodeStats).map(([status, { count }]) => [Number(status), count])),
      brokenConnections: errors - timeouts,
      timeouts,
      ...latencies.summary(),
    };
  };
  return { answers: () => answers, stop: () => run.stop(), findings: settle() };
}

/** Latencies in µs, as percentiles and as a chart. autocannon's own histogram counts whole milliseconds. */
export class BenchLatencies {
  readonly #histogram = build({ highestTrackableValue: MOST_US, numberOfSignificantValueDigits: 3 });
  readonly #counts = new Array<number>(EDGES_US.length).fill(0);
  readonly #gapUs: number | null;

  /**
   * @param gapUs between two requests of one connection at a fixed rate; null without one. A connection that waits for an answer does
   *   not send the next request: what that one would have waited is recorded, too (coordinated omission, corrected as HdrHistogram does)
   */
  constructor(gapUs: number | null) {
    this.#gapUs = gapUs;
  }

  record(us: number): void {
    this.#add(us);
    if (this.#gapUs === null) return;
    for (let late = us - this.#gapUs; late >= this.#gapUs; late -= this.#gapUs) this.#add(Math.round(late));
  }

  summary(): Pick<BenchFindings, 'percentilesUs' | 'longestUs' | 'buckets'> {
    const counts = this.#counts;
    const first = counts.findIndex((count) => count > 0);
    const last = counts.findLastIndex((count) => count > 0);
    const buckets = EDGES_US.map((upToUs, index) => ({ upToUs, count: counts[index] ?? 0 }));
    return {
      percentilesUs: PERCENTILES.map((at) => [at, this.#histogram.getValueAtPercentile(at)] as const),
      longestUs: this.#histogram.maxValue,
      buckets: first < 0 ? [] : buckets.slice(first, last + 1),
    };
  }

  #add(us: number): void {
    const kept = Math.min(us, MOST_US);
    this.#histogram.recordValue(kept);
    const index = EDGES_US.findIndex((edge) => kept <= edge);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }
}
