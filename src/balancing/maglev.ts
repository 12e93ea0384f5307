/** maglev: one load in a table that the endpoints filled in turn; the most even of the consistent hashes. */
import type { HashTable } from '../board/hash-table.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { LoadBounds } from './bounded-load.js';
import { type EndpointGroup, NO_POSITION } from './endpoint-group.js';
import { rehash } from './hash-mix.js';
import { claimAt } from './hashing-balancer.js';
import { TableBalancer } from './table-balancer.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/**
 * Google's Maglev (NSDI 2016). The table is made over all endpoints, so the keys of one that is not eligible are looked for at further
 * entries, as pseudo-random as the first: they spread over all others instead of falling on a neighbour (arXiv 1908.08762).
 */
class Maglev extends TableBalancer {
  /** HOT (bench/micro/balancing/pick.bench.ts). */
  protected override walk(
    table: HashTable,
    size: number,
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
  ): number {
    const most = this.mostSteps(view);
    let probe = key.hash;
    for (let step = 0; step < most; step++) {
      const position = group.positionOf(table.slotAt((probe >>> 0) % size));
      if (position !== NO_POSITION) {
        const endpoint = claimAt(view, group, position, tried, bounds);
        if (endpoint !== NO_ENDPOINT) return endpoint;
      }
      probe = rehash(key.hash, step);
    }
    return NO_ENDPOINT;
  }
}

/** Makes the balancer for one upstream in one worker. */
export function maglev(): Balancer {
  return new Maglev();
}
