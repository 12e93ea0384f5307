/** rendezvous: every endpoint gets a score for the key, the highest is picked; who leaves takes only its own keys along. */
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { LoadBounds } from './bounded-load.js';
import { type EndpointGroup, NO_POSITION } from './endpoint-group.js';
import { claimAt, HashingBalancer, limitAt } from './hashing-balancer.js';
import { type GroupDerivation, PerGroup } from './per-group.js';
import { evenRank, NameWords, weightedRank } from './rendezvous-order.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

const WORDS = 2;

/** The hashes of the members' names. */
class MemberNames implements GroupDerivation {
  #words = new Int32Array(0);
  #hasEvenWeights = true;

  derive(view: UpstreamView, group: EndpointGroup): void {
    this.#words = new Int32Array(WORDS * group.size);
    this.#hasEvenWeights = true;
    for (let position = 0; position < group.size; position++) {
      const words = new NameWords(view.endpoint(group.endpointAt(position)).name);
      this.#words[WORDS * position] = words.low;
      this.#words[WORDS * position + 1] = words.high;
      if (group.weightAt(position) !== group.weightAt(0)) this.#hasEvenWeights = false;
    }
  }

  /** The member that the key prefers, whether it may take it or not. HOT. */
  bestOf(group: EndpointGroup, key: PickKey): number {
    const words = this.#words;
    const { hash, hashHigh } = key;
    let best = 0;
    let highest = -1;
    for (let position = 0; position < group.size; position++) {
      const low = words[WORDS * position] as number; // position < size
      const even = evenRank(hash, hashHigh, low, words[WORDS * position + 1] as number);
      const rank = this.#hasEvenWeights ? even : weightedRank(even, group.weightAt(position));
      if (rank <= highest) continue;
      highest = rank;
      best = position;
    }
    return best;
  }

  /** How much the key prefers a member. HOT. */
  rankOf(group: EndpointGroup, position: number, key: PickKey): number {
    const low = this.#words[WORDS * position] as number; // position < size
    const rank = evenRank(key.hash, key.hashHigh, low, this.#words[WORDS * position + 1] as number);
    // The logarithm keeps the order: where weights are equal it only costs time.
    return this.#hasEvenWeights ? rank : weightedRank(rank, group.weightAt(position));
  }
}

/** Scans all members of a group, so O(n): hundreds of endpoints want ketama or maglev, which fall back on this where they find nothing. */
export class Rendezvous extends HashingBalancer {
  readonly #names = new PerGroup(() => new MemberNames());

  scoreFor(view: UpstreamView, group: EndpointGroup, position: number, _inflight: number, key: PickKey): number {
    return this.#names.of(view, group).rankOf(group, position, key);
  }

  /** HOT (bench/micro/balancing/pick.bench.ts). */
  override pickWithin(
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
  ): number {
    const names = this.#names.of(view, group);
    const best = names.bestOf(group, key);
    const preferred = claimAt(view, group, best, tried, bounds);
    return preferred === NO_ENDPOINT ? this.#pickNext(view, group, key, tried, bounds, names) : preferred;
  }

  /** Where the preferred one may not take the key: the best of the others. */
  #pickNext(
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
    names: MemberNames,
  ): number {
    // Each round claims the best below the one before it: a claim may fail, since another worker was faster.
    let below = Number.POSITIVE_INFINITY;
    for (let round = 0; round < group.size; round++) {
      let chosen = NO_POSITION;
      let highest = -1;
      for (let position = 0; position < group.size; position++) {
        const rank = names.rankOf(group, position, key);
        if (rank <= highest || rank >= below || tried.has(group.endpointAt(position))) continue;
        const limit = limitAt(group, position, bounds);
        if (limit !== 0 && view.load.inflightHint(group.slotAt(position)) >= limit) continue;
        highest = rank;
        chosen = position;
      }
      if (chosen === NO_POSITION) return NO_ENDPOINT;
      const endpoint = claimAt(view, group, chosen, tried, bounds);
      if (endpoint !== NO_ENDPOINT) return endpoint;
      below = highest;
    }
    return NO_ENDPOINT;
  }
}

/** Makes the balancer for one upstream in one worker. */
export function rendezvous(): Balancer {
  return new Rendezvous();
}
