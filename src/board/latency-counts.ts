/** Latencies that were read from histograms: how many fell into which bucket. To be added up, compared with a reading before, and asked. */
import { LATENCY_BUCKETS, lowestUs, middleUs } from './latency-buckets.js';

/**
 * One reading, or the sum of several. Cumulative as read; `subtract` an earlier reading of the same histograms for what came in between.
 * Thread: any; plain memory of its own.
 */
export class LatencyCounts {
  /** By bucket (latency-buckets.ts). */
  readonly buckets = new Float64Array(LATENCY_BUCKETS);
  /** Latencies counted. */
  count = 0;
  /** Of all latencies in µs; exact, not of the middles of buckets. */
  sumUs = 0;

  clear(): void {
    this.buckets.fill(0);
    this.count = 0;
    this.sumUs = 0;
  }

  copyFrom(other: LatencyCounts): void {
    this.buckets.set(other.buckets);
    this.count = other.count;
    this.sumUs = other.sumUs;
  }

  add(other: LatencyCounts): void {
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++)
      (this.buckets[bucket] as number) += other.buckets[bucket] as number;
    this.count += other.count;
    this.sumUs += other.sumUs;
  }

  /** Leaves what has come since `before` was read. */
  subtract(before: LatencyCounts): void {
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++)
      (this.buckets[bucket] as number) -= before.buckets[bucket] as number;
    this.count -= before.count;
    this.sumUs -= before.sumUs;
  }

  /**
   * Calls back for each bucket that counts something, in rising order: what an HdrHistogram is filled with.
   *
   * @param each gets the middle of the bucket in µs, and how many latencies fell there
   */
  visit(each: (us: number, count: number) => void): void {
    for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
      const count = this.buckets[bucket] as number;
      if (count > 0) each(middleUs(bucket), count);
    }
  }

  /**
   * How many were at most so long, for each bound: a bucket belongs to the first bound that its middle does not pass.
   *
   * @param boundsUs rising
   * @returns cumulative, one for each bound; `count` is that of the bound +Inf
   */
  cumulative(boundsUs: readonly number[]): number[] {
    const counts = boundsUs.map(() => 0);
    let below = 0;
    let bucket = 0;
    for (let index = 0; index < boundsUs.length; index++) {
      const boundUs = boundsUs[index] as number;
      for (; bucket < LATENCY_BUCKETS && middleUs(bucket) <= boundUs; bucket++) below += this.buckets[bucket] as number;
      counts[index] = below;
    }
    return counts;
  }

  /** The longest, rounded up to the end of its bucket, in µs; 0: none. */
  get maxUs(): number {
    for (let bucket = LATENCY_BUCKETS - 1; bucket >= 0; bucket--)
      if ((this.buckets[bucket] as number) > 0) return lowestUs(bucket + 1) - 1;
    return 0;
  }
}
