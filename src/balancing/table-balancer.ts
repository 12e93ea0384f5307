/** What ketama and maglev have in common: they look keys up in a table that the primary publishes on the board. */
import type { HashTable } from '../board/hash-table.js';
import { NO_ENDPOINT, type PickKey } from './balancer.js';
import type { LoadBounds } from './bounded-load.js';
import type { EndpointGroup } from './endpoint-group.js';
import { HashingBalancer } from './hashing-balancer.js';
import { Rendezvous } from './rendezvous.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/**
 * Entries that a look-up passes over at most, for each endpoint of the upstream. With e of n endpoints eligible a random entry is one of
 * theirs with e / n: with two left, 3 keys of 10,000 need more than 4 n, and one left is found in any way.
 */
const STEPS_PER_ENDPOINT = 4;

/**
 * Where the table has nothing for a key, rendezvous hashing picks: as long as none was published, and where so few of the endpoints are
 * eligible that their entries are hard to find. Both ways are the same in all workers.
 */
export abstract class TableBalancer extends HashingBalancer {
  readonly #rendezvous = new Rendezvous();

  /** HOT (bench/micro/balancing/pick.bench.ts). */
  override pickWithin(
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
  ): number {
    const table = view.hashTable;
    const size = table === null ? 0 : table.refresh();
    if (table !== null && size > 0) {
      const endpoint = this.walk(table, size, view, group, key, tried, bounds);
      if (endpoint !== NO_ENDPOINT) return endpoint;
    }
    return this.#rendezvous.pickWithin(view, group, key, tried, bounds);
  }

  /**
   * Claims the endpoint of the key's first entry that has a place, over mostSteps() entries at most. HOT.
   *
   * @param size entries of the table, above 0
   */
  protected abstract walk(
    table: HashTable,
    size: number,
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
  ): number;

  protected mostSteps(view: UpstreamView): number {
    return STEPS_PER_ENDPOINT * view.plan.endpoints.length;
  }
}
