/** ketama: a ring of points that clients of memcached and nginx know; an endpoint that leaves moves only its own keys. */
import type { HashTable } from '../board/hash-table.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { LoadBounds } from './bounded-load.js';
import { type EndpointGroup, NO_POSITION } from './endpoint-group.js';
import { claimAt } from './hashing-balancer.js';
import { TableBalancer } from './table-balancer.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/** nginx's `hash … consistent` (semantics.md 4): the first point at or behind the key's CRC-32, round the ring. */
class Ketama extends TableBalancer {
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
    const most = Math.min(size, this.mostSteps(view));
    let entry = firstPointFrom(table, size, key.hash >>> 0);
    let refused = NO_POSITION;
    for (let step = 0; step < most; step++) {
      const position = group.positionOf(table.slotOfPoint(entry));
      if (position !== NO_POSITION && position !== refused) {
        const endpoint = claimAt(view, group, position, tried, bounds);
        if (endpoint !== NO_ENDPOINT) return endpoint;
        refused = position;
      }
      entry = entry + 1 < size ? entry + 1 : 0;
    }
    return NO_ENDPOINT;
  }
}

const TWO_TO_32 = 2 ** 32;
/**
 * Points walked at most from where the point is expected. Of n points that are spread at random the expectation is off by sqrt(n) / 2
 * (128 in the largest ring), and by the root of that once corrected at the point that is there.
 */
const MOST_WALKED = 32;

/**
 * Index of the first point that is not below a hash, 0 behind the last one. Points are hashes, so where one lies is known nearly: a look
 * there, another one at the corrected place, and a few steps cost less than halving the ring 16 times. Where points are spread so
 * unevenly that this does not lead there, halving does. HOT.
 */
function firstPointFrom(table: HashTable, size: number, hash: number): number {
  const density = size / TWO_TO_32;
  const expected = Math.floor(hash * density); // < size
  const corrected = expected + Math.floor((hash - table.pointAt(expected)) * density);
  let at = Math.min(Math.max(corrected, 0), size - 1);
  for (let step = 0; step < MOST_WALKED; step++) {
    if (table.pointAt(at) < hash) {
      at++;
      if (at === size) return 0;
      if (table.pointAt(at) >= hash) return at;
    } else {
      if (at === 0 || table.pointAt(at - 1) < hash) return at;
      at--;
    }
  }
  return halvedTo(table, size, hash);
}

/** The same by halving the ring. */
function halvedTo(table: HashTable, size: number, hash: number): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table.pointAt(middle) < hash) low = middle + 1;
    else high = middle;
  }
  return low < size ? low : 0;
}

/** Makes the balancer for one upstream in one worker. */
export function ketama(): Balancer {
  return new Ketama();
}
