/** first: the first endpoint until it is full, then the second, and so on: as few endpoints as the load needs. */
import type { Balancer, PickKey } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { firstClaimable } from './lowest-score.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/**
 * HAProxy's `first`: in the order of the plan, the first that has a place below its cap. Caps are claims over all workers, so the second
 * one gets its first request exactly when the first one is full. Without a cap the first endpoint takes everything. Weights say nothing.
 *
 * @see https://docs.haproxy.org/3.0/configuration.html#4.2-balance
 */
class First implements Balancer {
  /** HOT (bench/micro/balancing/pick.bench.ts). */
  pickFrom(view: UpstreamView, group: EndpointGroup, _key: PickKey, tried: TriedSet): number {
    return firstClaimable(view, group, tried, 0);
  }
}

/** Makes the balancer for one upstream in one worker. */
export function first(): Balancer {
  return new First();
}
