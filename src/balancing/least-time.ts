/** least-time: the endpoint that is expected to answer first, from its latency, its load and how long it lets others wait. */
import { NO_SAMPLE } from '../board/endpoint-load.js';
import { msBetween, NEVER, type Tick } from '../core/tick.js';
import type { Balancer } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { fadedEstimate, latencyBucket, UNKNOWN_US } from './latency.js';
import { LowestScoreBalancer } from './lowest-score.js';
import type { UpstreamView } from './upstream-view.js';

/** All endpoints are compared up to this many; a score costs more here than in least-conn. Source: semantics.md 3. */
const LARGEST_SCAN = 8;
/** In groups larger than LARGEST_SCAN the median of the known is looked up again after this. */
const MEDIAN_AGE_MS = 100;
const US_PER_MS = 1_000;

/**
 * score = bucket(max(estimated time to first byte, age of the oldest attempt that still waits for it)) x (1 + in flight) / weight
 * (semantics.md 3, "Our least-time recommendation").
 *
 * - The estimate fades while an endpoint gets nothing, so a slow one is tried again; failures raise it (latency.ts).
 * - The age makes a stalled endpoint look as slow as it is before it answers, whichever worker waits on it.
 * - An endpoint without a sample is taken for as fast as the median of its peers, so it gets its fair share and no more:
 *   each request it holds makes the next less likely, as with its peers. While nothing is known of any, all are equal but
 *   for their load: least-conn. A limit to one probe would starve a cold start of a whole upstream for nothing.
 */
class LeastTime extends LowestScoreBalancer {
  readonly #known: number[] = [];
  #medianUs = NO_SAMPLE;
  #medianAt: Tick = NEVER;

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
    const slot = group.slotAt(position);
    const storedUs = view.load.latencyUs(slot);
    let latencyUs =
      storedUs === NO_SAMPLE
        ? this.#unknownUs(view, group, now)
        : fadedEstimate(storedUs, msBetween(view.load.latencyAt(slot), now));
    if (inflight > 0) {
      const ageUs = view.waiting.oldestAgeMs(slot, group.generationAt(position), now) * US_PER_MS;
      if (ageUs > latencyUs) latencyUs = ageUs;
    }
    return (latencyBucket(latencyUs) * (1 + inflight)) / group.weightAt(position);
  }

  #unknownUs(view: UpstreamView, group: EndpointGroup, now: Tick): number {
    const isFresh =
      group.size > LARGEST_SCAN && this.#medianUs !== NO_SAMPLE && msBetween(this.#medianAt, now) < MEDIAN_AGE_MS;
    if (!isFresh) {
      this.#medianUs = this.#medianOfKnown(view, group, now);
      this.#medianAt = now;
    }
    return this.#medianUs === NO_SAMPLE ? UNKNOWN_US : this.#medianUs;
  }

  /** Median of the estimates that there are (the lower one of two), or NO_SAMPLE. */
  #medianOfKnown(view: UpstreamView, group: EndpointGroup, now: Tick): number {
    const known = this.#known;
    known.length = 0;
    for (let position = 0; position < group.size; position++) {
      const slot = group.slotAt(position);
      const storedUs = view.load.latencyUs(slot);
      if (storedUs !== NO_SAMPLE) known.push(fadedEstimate(storedUs, msBetween(view.load.latencyAt(slot), now)));
    }
    known.sort(ascending);
    return known[(known.length - 1) >> 1] ?? NO_SAMPLE;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Makes the balancer for one upstream in one worker. */
export function leastTime(): Balancer {
  return new LeastTime();
}
