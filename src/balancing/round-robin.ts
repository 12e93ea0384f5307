/** round-robin: endpoints in the order of their weights, exact over all workers. */
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/**
 * nginx's smooth weighted round-robin (semantics.md 1) without its lock: every worker has the same written-out cycle, and
 * one shared cursor says whose turn it is. After any number of picks by any workers each endpoint has had its share, to one
 * request. An endpoint that is tried or full is passed over by walking on; the cursor does not move for that.
 */
class RoundRobin implements Balancer {
  /** HOT (bench/micro/balancing/pick.bench.ts). */
  pickFrom(view: UpstreamView, group: EndpointGroup, _key: PickKey, tried: TriedSet): number {
    const cycle = group.cycle;
    if (cycle.length === 0) return NO_ENDPOINT;
    const turn = view.nextTurn(group) % cycle.length;
    for (let step = 0; step < cycle.length; step++) {
      const at = turn + step;
      const position = cycle[at < cycle.length ? at : at - cycle.length] as number; // inside the cycle
      const endpoint = group.endpointAt(position);
      if (tried.has(endpoint)) continue;
      if (view.claims.claim(group.slotAt(position), group.generationAt(position), group.capAt(position)) > 0)
        return endpoint;
    }
    return NO_ENDPOINT;
  }
}

/** Makes the balancer for one upstream in one worker. */
export function roundRobin(): Balancer {
  return new RoundRobin();
}
