/** What hash, ketama, maglev and rendezvous have in common: the same key gets the same endpoint, unless that one may not take it. */
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import { LoadBounds, NO_LOAD_FACTOR } from './bounded-load.js';
import type { EndpointGroup } from './endpoint-group.js';
import { PerGroup } from './per-group.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/**
 * Asks its algorithm for the endpoints in the order of the key, and claims the first that is neither tried nor full; with bounded load the
 * first that is below its bound, too. The bound is a cap of the moment: two workers that pick at once do not exceed it. Where no endpoint
 * has a place below its bound, the bound does not count: better the endpoint of the key than a refusal.
 *
 * Thread: worker.
 */
export abstract class HashingBalancer implements Balancer {
  readonly #bounds = new PerGroup(() => new LoadBounds());

  /** HOT: see the bench of each algorithm. */
  pickFrom(view: UpstreamView, group: EndpointGroup, key: PickKey, tried: TriedSet, _rng: Rng, now: Tick): number {
    if (group.size === 0) return NO_ENDPOINT;
    const factor = view.plan.loadFactor;
    if (factor !== NO_LOAD_FACTOR) {
      const bounds = this.#bounds.of(view, group);
      bounds.measure(view, group, factor, now);
      const endpoint = this.pickWithin(view, group, key, tried, bounds);
      if (endpoint !== NO_ENDPOINT) return endpoint;
    }
    return this.pickWithin(view, group, key, tried, null);
  }

  boundFor(view: UpstreamView, group: EndpointGroup, position: number, now: Tick): number {
    const factor = view.plan.loadFactor;
    if (factor === NO_LOAD_FACTOR) return 0;
    const bounds = this.#bounds.of(view, group);
    bounds.measure(view, group, factor, now);
    return bounds.boundAt(position);
  }

  /**
   * Claims the first endpoint in the order of the key that has a place. HOT.
   *
   * @param group  has a member at least
   * @param bounds null: only caps count
   * @returns as Balancer.pickFrom
   */
  protected abstract pickWithin(
    view: UpstreamView,
    group: EndpointGroup,
    key: PickKey,
    tried: TriedSet,
    bounds: LoadBounds | null,
  ): number;
}

/**
 * Claims the member at a position if it has not been tried and has a place. HOT.
 *
 * @param bounds as in pickWithin
 * @returns its endpoint, or NO_ENDPOINT
 */
export function claimAt(
  view: UpstreamView,
  group: EndpointGroup,
  position: number,
  tried: TriedSet,
  bounds: LoadBounds | null,
): number {
  const endpoint = group.endpointAt(position);
  if (tried.has(endpoint)) return NO_ENDPOINT;
  const limit = limitAt(group, position, bounds);
  return view.claims.claim(group.slotAt(position), group.generationAt(position), limit) > 0 ? endpoint : NO_ENDPOINT;
}

/** Most requests in flight at a member now, or 0 for no limit. HOT. */
export function limitAt(group: EndpointGroup, position: number, bounds: LoadBounds | null): number {
  const cap = group.capAt(position);
  if (bounds === null) return cap;
  const bound = bounds.boundAt(position);
  return cap === NO_CAP || bound < cap ? bound : cap;
}

const NO_CAP = 0;
