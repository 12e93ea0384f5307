/** random: any endpoint, the heavier ones more often. */
import type { Rng } from '../core/rng.js';
import { type Balancer, NO_ENDPOINT, type PickKey } from './balancer.js';
import type { EndpointGroup } from './endpoint-group.js';
import { firstClaimable, isFull } from './lowest-score.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/** Draws before only those that have a place are drawn from: several in a row are tried or full only when most of the group is. */
const MOST_DRAWS = 4;
const NO_POSITION = -1;

/**
 * P(endpoint) = its weight / sum of the weights, over those that are neither tried nor full. A draw is one entry of the cycle of
 * smooth weighted round-robin, which names each endpoint as often as it weighs: no search, whatever the weights.
 */
class Random implements Balancer {
  /** HOT (bench/micro/balancing/pick.bench.ts). */
  pickFrom(view: UpstreamView, group: EndpointGroup, _key: PickKey, tried: TriedSet, rng: Rng): number {
    if (group.size === 0) return NO_ENDPOINT;
    const cycle = group.cycle;
    for (let draw = 0; draw < MOST_DRAWS; draw++) {
      const position = cycle[rng.below(cycle.length)] as number; // inside the cycle
      const endpoint = group.endpointAt(position);
      if (!tried.has(endpoint) && claims(view, group, position)) return endpoint;
    }
    const position = drawEligible(view, group, tried, rng);
    if (position === NO_POSITION) return NO_ENDPOINT;
    // Another worker may have taken the last place since: then any place that is left.
    if (claims(view, group, position)) return group.endpointAt(position);
    return firstClaimable(view, group, tried, position);
  }
}

/**
 * Draws one of those that are neither tried nor full in one walk: the n-th of them replaces the choice so far with the share that its
 * weight has of all weights met by then (reservoir sampling), which leaves each chosen with its share of the whole.
 *
 * @returns a position, or NO_POSITION
 */
function drawEligible(view: UpstreamView, group: EndpointGroup, tried: TriedSet, rng: Rng): number {
  let chosen = NO_POSITION;
  let weights = 0;
  for (let position = 0; position < group.size; position++) {
    if (tried.has(group.endpointAt(position))) continue;
    if (isFull(view.load.inflightHint(group.slotAt(position)), group.capAt(position))) continue;
    const weight = group.weightAt(position);
    weights += weight;
    if (rng.below(weights) < weight) chosen = position;
  }
  return chosen;
}

function claims(view: UpstreamView, group: EndpointGroup, position: number): boolean {
  return view.claims.claim(group.slotAt(position), group.generationAt(position), group.capAt(position)) > 0;
}

/** Makes the balancer for one upstream in one worker. */
export function random(): Balancer {
  return new Random();
}
