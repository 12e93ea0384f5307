/** hash: the key's hash modulo the number of endpoints; simple and even, but most keys move when an endpoint comes or goes. */
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { LoadBounds } from './bounded-load.js';
import type { EndpointGroup } from './endpoint-group.js';
import { rehash } from './hash-mix.js';
import { claimAt, HashingBalancer } from './hashing-balancer.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/** Further entries that are tried at random before the endpoints are asked one after the other. Source: nginx, 20. */
const MOST_TRIES = 20;

/**
 * nginx's `hash` (semantics.md 4): an entry of the smooth cycle, which has every endpoint as often as its weight says. Who may not take the
 * key is replaced by rehashing, so that its keys spread over all others.
 */
class Hash extends HashingBalancer {
  /** HOT (bench/micro/balancing/pick.bench.ts). */
  override pickWithin(
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
  ): number {
    const cycle = group.cycle;
    let hash = key.hash;
    for (let tryNumber = 0; tryNumber <= MOST_TRIES; tryNumber++) {
      const position = cycle[(hash >>> 0) % cycle.length] as number; // inside the cycle
      const endpoint = claimAt(view, group, position, tried, bounds);
      if (endpoint !== NO_ENDPOINT) return endpoint;
      hash = rehash(key.hash, tryNumber);
    }
    const start = (hash >>> 0) % group.size;
    for (let step = 0; step < group.size; step++) {
      const endpoint = claimAt(view, group, (start + step) % group.size, tried, bounds);
      if (endpoint !== NO_ENDPOINT) return endpoint;
    }
    return NO_ENDPOINT;
  }
}

/** Makes the balancer for one upstream in one worker. */
export function hash(): Balancer {
  return new Hash();
}
