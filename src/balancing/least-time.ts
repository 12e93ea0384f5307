/** least-time: the endpoint that is expected to answer first, from its latency, its load and how long it lets others wait. */
import { NO_SAMPLE } from '../board/endpoint-load.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import type { Balancer } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { fadedEstimate, isForgiven, latencyBucket, UNKNOWN_US } from './latency.js';
import { LowestScoreBalancer } from './lowest-score.js';
import type { UpstreamView } from './upstream-view.js';

/** All endpoints are compared up to this many; a score costs more here than in least-conn. Source: semantics.md 3. */
const LARGEST_SCAN = 8;
/** The median of the known is looked up again after this; it only places endpoints that have not answered yet. */
const MEDIAN_AGE_MS = 100;
const US_PER_MS = 1_000;

/**
 * score = bucket(max(estimated time to first byte, age of the oldest attempt that still waits for it)) x (1 + in flight) / weight
 * (semantics.md 3, "Our least-time recommendation").
 *
 * - The estimate fades while an endpoint gets nothing, so a slow one is tried again; failures raise it, and
 *   are forgiven after a few seconds (latency.ts).
 * - The age makes a stalled endpoint look as slow as it is before it answers, whichever worker waits on it.
 * - An endpoint without a sample is taken for as fast as the median of its peers, so it gets its fair share and no more:
 *   each request it holds makes the next less likely, as with its peers. While nothing is known of any, all are equal but
 *   for their load: least-conn. A limit to one probe would starve a cold start of a whole upstream for nothing.
 */
class LeastTime extends LowestScoreBalancer {
  /** By index in the plan: the tick for which the latency was worked out, and what it was. */
  #workedOutAt = new Int32Array(0);
  #workedOutUs = new Int32Array(0);
  readonly #known: number[] = [];
  #medianUs = NO_SAMPLE;
  #medianAt: Tick = NEVER;
  /** Whose median it is. */
  #medianGroup: EndpointGroup | undefined;

  constructor() {
    super(LARGEST_SCAN);
  }

  protected override scoreOf(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    now: Tick,
  ): number {
    const endpoint = group.endpointAt(position);
    if (this.#workedOutAt[endpoint] !== now) this.#workOut(view, group, position, now);
    const latencyUs = this.#workedOutUs[endpoint] as number; // worked out for this endpoint
    return (latencyUs * (1 + inflight)) / group.weightAt(position);
  }

  /** Latency and age change by the millisecond, load by the pick: the former are worked out at the first pick of each tick. */
  #workOut(view: UpstreamView, group: EndpointGroup, position: number, now: Tick): void {
    const endpoints = view.plan.endpoints.length;
    if (this.#workedOutAt.length !== endpoints) {
      this.#workedOutAt = new Int32Array(endpoints);
      this.#workedOutUs = new Int32Array(endpoints);
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
    known.length = 0;
    for (let position = 0; position < group.size; position++) {
      const knownUs = knownLatencyUs(view, group.slotAt(position), now);
      if (knownUs !== NO_SAMPLE) known.push(knownUs);
    }
    known.sort(ascending);
    return known[(known.length - 1) >> 1] ?? NO_SAMPLE;
  }
}

/** What is still known of an endpoint's latency, or NO_SAMPLE. */
function knownLatencyUs(view: UpstreamView, slot: number, now: Tick): number {
  const storedUs = view.load.latencyUs(slot);
  const storedAt = view.load.latencyAt(slot);
  if (storedUs === NO_SAMPLE || isForgiven(view.load.failureAt(slot), storedAt, now)) return NO_SAMPLE;
  return fadedEstimate(storedUs, msBetween(storedAt, now));
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Makes the balancer for one upstream in one worker. */
export function leastTime(): Balancer {
  return new LeastTime();
}
