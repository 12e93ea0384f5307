/** random-two: of two endpoints drawn at random, the one with fewer requests in flight for its weight, over all workers. */
import type { Balancer } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { LowestScoreBalancer } from './lowest-score.js';
import type { UpstreamView } from './upstream-view.js';

/** Also a group of two is drawn from: then both are compared, as two different ones are drawn. */
const LARGEST_SCAN = 0;

/**
 * score = in flight / weight of two different endpoints, drawn by weight (semantics.md 2, HAProxy's `random(2)`; the power of two
 * choices: Mitzenmacher 2001). Of equals the one drawn first is taken, hence any, by weight: that is the process whose largest load
 * is known, ln ln n / ln 2 above the mean. Whoever wants latency to decide between equals takes peak-ewma or least-time.
 */
class RandomTwo extends LowestScoreBalancer {
  constructor() {
    super(LARGEST_SCAN);
  }

  protected override scoreOf(_view: UpstreamView, group: EndpointGroup, position: number, inflight: number): void {
    this.score[0] = inflight / group.weightAt(position);
  }
}

/** Makes the balancer for one upstream in one worker. */
export function randomTwo(): Balancer {
  return new RandomTwo();
}
