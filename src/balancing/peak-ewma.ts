/** peak-ewma: of two endpoints drawn at random, the one whose recent slow answers and load promise the lower cost. */
import { NO_SAMPLE } from '../board/endpoint-load.js';
import { msBetween, type Tick } from '../core/tick.js';
import type { Balancer } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { fadedEstimate, isForgiven } from './latency.js';
import { LowestScoreBalancer } from './lowest-score.js';
import type { UpstreamView } from './upstream-view.js';

/** Finagle's is defined over two draws, whatever the size of the group; of two endpoints both are compared. */
const LARGEST_SCAN = 0;

/**
 * Score of an endpoint that nothing is known of and that is being tried already, in µs: above any known one, since the largest estimate
 * is 2^30 µs and fewer than 2^21 requests can be in flight.
 */
const PENALTY_US = 2 ** 51;

/**
 * Finagle's Peak EWMA (semantics.md 3): score = peak x (1 + in flight) / weight, over peaks that all workers share. The peak takes a
 * rise at once and lets it decay with a time constant of 10 s (foldPeak), while samples come and while none do; failures raise it.
 *
 * An endpoint nothing is known of, or whose failure is forgiven, costs nothing while it is idle, so that it gets a first request at
 * once; while it holds one it costs PENALTY_US, so that it gets no second before the first is answered as long as any known one is
 * drawn beside it. A penalty, not a refusal: where nothing is known of both, the one with less in flight for its weight is taken, so
 * a cold start of a whole upstream, by one worker or by many, serves everybody.
 */
class PeakEwma extends LowestScoreBalancer {
  constructor() {
    super(LARGEST_SCAN);
  }

  protected override scoreOf(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    now: Tick,
  ): void {
    const weight = group.weightAt(position);
    const costUs = costOf(view, group.slotAt(position), now);
    if (costUs !== NO_SAMPLE) this.score[0] = (costUs * (1 + inflight)) / weight;
    else this.score[0] = inflight === 0 ? 0 : PENALTY_US * (1 + inflight / weight);
  }
}

/** What is left of an endpoint's peak, or NO_SAMPLE when nothing is known of it. */
function costOf(view: UpstreamView, slot: number, now: Tick): number {
  const { load } = view;
  // The estimate takes a sample whenever the peak does, and is what is forgotten when an endpoint comes back.
  if (load.latencyUs(slot) === NO_SAMPLE) return NO_SAMPLE;
  const sampledAt = load.latencyAt(slot);
  if (isForgiven(load.failureAt(slot), sampledAt, now)) return NO_SAMPLE;
  return fadedEstimate(load.peakUs(slot), msBetween(sampledAt, now));
}

/** Makes the balancer for one upstream in one worker. */
export function peakEwma(): Balancer {
  return new PeakEwma();
}
