/** Latencies of a window that slides along with the time, from a histogram that only grows; and what people want to know of them. */
import type { Histogram } from 'hdr-histogram-js';
import { LATENCY_BUCKETS, middleUs } from '../board/latency-buckets.js';
import { LatencyCounts } from '../board/latency-counts.js';
import { fillHistogram } from './latency-histogram.js';
import { LATENCY_BOUNDS_MS, type LatencyFigures } from './live-figures.js';

const US_PER_MS = 1_000;

/** What came between two readings: some dozens of buckets of the 864, mostly. */
interface Step {
  readonly atMs: number;
  readonly buckets: Uint16Array;
  readonly counts: Float64Array;
}

/** One histogram. 14 KB, and what its steps need. No clock; thread: any. */
export class LatencyWindow {
  /** As it was last read: since its beginning. */
  #before = new LatencyCounts();
  #next = new LatencyCounts();
  readonly #window = new LatencyCounts();
  /** The oldest first. */
  readonly #steps: Step[] = [];

  /** How many latencies the histogram had when it was last read: where it has no more now, it need not be read again. */
  get seen(): number {
    return this.#before.count;
  }

  /** Takes a reading of the whole histogram. @param fill adds it to what is empty */
  add(atMs: number, fill: (into: LatencyCounts) => void): void {
    const next = this.#next;
    next.clear();
    fill(next);
    this.#addStep(atMs, next);
    this.#next = this.#before;
    this.#before = next;
  }

  /** The window begins at this moment: what was read up to then is no longer in it. */
  beginAt(beginMs: number): void {
    for (let first = this.#steps[0]; first !== undefined && first.atMs <= beginMs; first = this.#steps[0]) {
      this.#count(first, -1);
      this.#steps.shift();
    }
  }

  /** Those in the window; valid until the next call. */
  get counts(): LatencyCounts {
    return this.#window;
  }

  /** How many of those read at this moment were at most as long as each of LATENCY_BOUNDS_MS, and last how many were longer. */
  heatAt(atMs: number): readonly number[] {
    const heat = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
    const last = this.#steps.at(-1);
    if (last?.atMs !== atMs) return heat;
    last.buckets.forEach((bucket, index) => {
      const ms = middleUs(bucket) / US_PER_MS;
      const bound = LATENCY_BOUNDS_MS.findIndex((each) => ms <= each);
      const column = bound < 0 ? LATENCY_BOUNDS_MS.length : bound;
      heat[column] = (heat[column] ?? 0) + (last.counts[index] ?? 0);
    });
    return heat;
  }

  #addStep(atMs: number, next: LatencyCounts): void {
    const buckets: number[] = [];
    const counts: number[] = [];
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      const grown = (next.buckets[bucket] as number) - (this.#before.buckets[bucket] as number); // both have all buckets
      if (grown <= 0) continue;
      buckets.push(bucket);
      counts.push(grown);
    }
    if (buckets.length === 0) return;
    const step = { atMs, buckets: Uint16Array.from(buckets), counts: Float64Array.from(counts) };
    this.#steps.push(step);
    this.#count(step, 1);
  }

  #count({ buckets, counts }: Step, sign: 1 | -1): void {
    for (let index = 0; index < buckets.length; index++) {
      const bucket = buckets[index] as number; // inside the step, as its count
      const count = sign * (counts[index] as number);
      this.#window.buckets[bucket] = (this.#window.buckets[bucket] as number) + count;
      this.#window.count += count;
    }
  }
}

/**
 * Median, 95th and 99th percentile, and the longest; all within 2 % (latency-histogram.ts).
 *
 * @param histogram latencyHistogram(), filled over and over
 * @returns in ms; null: there was none
 */
export function latencyFiguresOf(counts: LatencyCounts, histogram: Histogram): LatencyFigures | null {
  if (counts.count === 0) return null;
  fillHistogram(histogram, counts);
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / US_PER_MS;
  return { p50: at(50), p95: at(95), p99: at(99), max: at(100) };
}
