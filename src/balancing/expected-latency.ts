/** The latency that least-time expects of an endpoint: from its estimate, its peers, and how long it lets others wait. */
import { NO_SAMPLE } from '../board/endpoint-load.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import type { EndpointGroup } from './endpoint-group.js';
import { fadedEstimate, isForgiven, latencyBucket, UNKNOWN_US } from './latency.js';
import type { UpstreamView } from './upstream-view.js';

/** The median of the known is looked up again after this; it only places endpoints that have not answered yet. */
const MEDIAN_AGE_MS = 100;
const US_PER_MS = 1_000;

/**
 * bucket(max(estimate, age of the oldest attempt that waits)), for the endpoints of one upstream in one worker.
 *
 * - The estimate fades while an endpoint gets nothing, so a slow one is tried again; failures raise it, and
 *   are forgiven after a few seconds (latency.ts).
 * - The age makes a stalled endpoint look as slow as it is before it answers, whichever worker waits on it.
 * - An endpoint without a sample is taken for as fast as the median of its peers.
 *
 * HOT (bench/micro/balancing/pick.bench.ts). Thread: worker.
 */
export class ExpectedLatency {
  /** By index in the plan: the tick for which the latency was worked out, and what it was. */
  #workedOutAt = new Int32Array(0);
  #workedOutUs = new Int32Array(0);
  #known = new Float64Array(0);
  #medianUs = NO_SAMPLE;
  #medianAt: Tick = NEVER;
  /** Whose median it is. */
  #medianGroup: EndpointGroup | undefined;

  /** In whole µs, rounded down to a bucket. Estimate and age change by the millisecond: worked out at the first call of each tick. */
  us(view: UpstreamView, group: EndpointGroup, position: number, now: Tick): number {
    const endpoint = group.endpointAt(position);
    if (this.#workedOutAt[endpoint] !== now) this.#workOut(view, group, position, now);
    return this.#workedOutUs[endpoint] as number; // worked out for this endpoint
  }

  #workOut(view: UpstreamView, group: EndpointGroup, position: number, now: Tick): void {
    const endpoints = view.plan.endpoints.length;
    if (this.#workedOutAt.length !== endpoints) {
      this.#workedOutAt = new Int32Array(endpoints);
      this.#workedOutUs = new Int32Array(endpoints);
      this.#known = new Float64Array(endpoints);
    }
    const slot = group.slotAt(position);
    const knownUs = knownLatencyUs(view, slot, now);
    const latencyUs = knownUs === NO_SAMPLE ? this.#unknownUs(view, group, now) : knownUs;
    const ageUs = view.waiting.oldestAgeMs(slot, group.generationAt(position), now) * US_PER_MS;
    const endpoint = group.endpointAt(position);
    this.#workedOutAt[endpoint] = now;
    this.#workedOutUs[endpoint] = latencyBucket(Math.max(latencyUs, ageUs));
  }

  /** What an endpoint without a sample is taken for; looked up once a tick at most, so that a cold start costs no more. */
  #unknownUs(view: UpstreamView, group: EndpointGroup, now: Tick): number {
    const maxAgeMs = this.#medianUs === NO_SAMPLE ? 0 : MEDIAN_AGE_MS;
    if (this.#medianGroup !== group || msBetween(this.#medianAt, now) > maxAgeMs) {
      this.#medianUs = this.#medianOfKnown(view, group, now);
      this.#medianGroup = group;
      this.#medianAt = now;
    }
    return this.#medianUs === NO_SAMPLE ? UNKNOWN_US : this.#medianUs;
  }

  /** Median of the estimates that there are (the lower one of two), or NO_SAMPLE. */
  #medianOfKnown(view: UpstreamView, group: EndpointGroup, now: Tick): number {
    const known = this.#known;
    let count = 0;
    for (let position = 0; position < group.size; position++) {
      const knownUs = knownLatencyUs(view, group.slotAt(position), now);
      if (knownUs === NO_SAMPLE) continue;
      known[count] = knownUs;
      count += 1;
    }
    return count === 0 ? NO_SAMPLE : lowerMedian(known, count);
  }
}

/** What is still known of an endpoint's latency, or NO_SAMPLE. */
function knownLatencyUs(view: UpstreamView, slot: number, now: Tick): number {
  const storedUs = view.load.latencyUs(slot);
  const storedAt = view.load.latencyAt(slot);
  if (storedUs === NO_SAMPLE || isForgiven(view.load.failureAt(slot), storedAt, now)) return NO_SAMPLE;
  return fadedEstimate(storedUs, msBetween(storedAt, now));
}

/** Hoare's quickselect: orders values[0 .. count - 1] only as far as their median needs, in place, because sort() allocates. */
function lowerMedian(values: Float64Array, count: number): number {
  const wanted = (count - 1) >> 1;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number; // all indices are below count
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] as number;
      values[left] = values[right] as number;
      values[right] = swapped;
      left++;
      right--;
    }
    if (wanted <= right) high = right;
    else if (wanted >= left) low = left;
    else break;
  }
  return values[wanted] as number;
}
