/** least-conn: the endpoint with the fewest requests in flight for its weight, over all workers. */
import type { Balancer } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { LowestScoreBalancer } from './lowest-score.js';
import type { UpstreamView } from './upstream-view.js';

/** All endpoints are compared up to this many: 16 loads cost less than one contended swap. Source: issue of the algorithms. */
const LARGEST_SCAN = 16;

/** nginx's least_conn (semantics.md 2) over counts that all workers share. */
class LeastConn extends LowestScoreBalancer {
  constructor() {
    super(LARGEST_SCAN);
  }

  /**
   * In flight / weight, as nginx compares by cross-multiplication. Dividing gives the same order and the same equals:
   * quotients of whole numbers below 2^26 differ by more than float64 rounds away, and equal ones round alike.
   */
  protected override scoreOf(_view: UpstreamView, group: EndpointGroup, position: number, inflight: number): void {
    this.score[0] = inflight / group.weightAt(position);
  }
}

/** Makes the balancer for one upstream in one worker. */
export function leastConn(): Balancer {
  return new LeastConn();
}
