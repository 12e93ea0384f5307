/** least-time: the endpoint that is expected to answer first, from its latency, its load and how long it lets others wait. */
import type { Tick } from '../core/tick.js';
import type { Balancer } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { ExpectedLatency } from './expected-latency.js';
import { LowestScoreBalancer } from './lowest-score.js';
import type { UpstreamView } from './upstream-view.js';

/** All endpoints are compared up to this many; a score costs more here than in least-conn. Source: semantics.md 3. */
const LARGEST_SCAN = 8;

/**
 * score = expected latency (ExpectedLatency) x (1 + in flight) / weight (semantics.md 3, "Our least-time recommendation"), up to the
 * first byte or the last, whichever the upstream measures.
 *
 * An endpoint without a sample gets its fair share and no more: each request it holds makes the next less likely, as with its peers.
 * While nothing is known of any, all are equal but for their load: least-conn. A limit to one probe would starve a cold start of a
 * whole upstream for nothing.
 */
class LeastTime extends LowestScoreBalancer {
  readonly #expected = new ExpectedLatency();

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
    this.score[0] = (this.#expected.us(view, group, position, now) * (1 + inflight)) / group.weightAt(position);
  }
}

/** Makes the balancer for one upstream in one worker. */
export function leastTime(): Balancer {
  return new LeastTime();
}
