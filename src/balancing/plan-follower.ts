/** Takes an exchange or a session that began under another plan to the endpoints of the plan that counts now. */
import { NO_SUBSET } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';
import { NO_ENDPOINT } from './balancer.js';
import { TriedSet } from './tried-set.js';
import type { UpstreamRuntime } from './upstream-runtime.js';

/** What of an exchange or a session names endpoints of its upstream by their place in the plan. */
export interface PlanFollower {
  upstream: UpstreamRuntime | null;
  /** NO_ENDPOINT while it follows: what has an attempt stays where that is. */
  readonly endpoint: number;
  subset: number;
  preferred: number;
  tried: TriedSet | null;
}

/**
 * Before a pick, while it has no attempt: makes the latest runtime of its upstream its `upstream`, where its own has been replaced. What it
 * knows of endpoints that are still there it goes on knowing. Nothing happens where the upstream, or its subset of it, is gone: then it
 * ends where it began. Thread: worker.
 *
 * @returns it has another upstream than before
 */
export function followPlan(follower: PlanFollower): boolean {
  const from = follower.upstream;
  if (from === null || from.line.latest === from) return false;
  const to = from.line.latest;
  const subset = subsetIn(from.plan, to.plan, follower.subset);
  if (follower.endpoint !== NO_ENDPOINT || subset === null) return false;
  follower.upstream = to;
  follower.subset = subset;
  follower.preferred = endpointIn(from.plan, to.plan, follower.preferred);
  if (follower.tried !== null) follower.tried = triedIn(from.plan, to.plan, follower.tried);
  return true;
}

/** @returns null: the subset is gone */
function subsetIn(from: UpstreamPlan, to: UpstreamPlan, subset: number): number | null {
  if (subset === NO_SUBSET) return NO_SUBSET;
  const turn = from.subsets[subset]?.turn;
  const found = to.subsets.findIndex((other) => other.turn === turn);
  return found < 0 ? null : found;
}

/** @param endpoint index in `from`, or NO_ENDPOINT @returns its index in `to`; NO_ENDPOINT: it is gone, or there was none */
export function endpointIn(from: UpstreamPlan, to: UpstreamPlan, endpoint: number): number {
  const before = from.endpoints[endpoint];
  if (before === undefined) return NO_ENDPOINT;
  return to.endpoints.findIndex(({ slot, generation }) => slot === before.slot && generation === before.generation);
}

function triedIn(from: UpstreamPlan, to: UpstreamPlan, tried: TriedSet): TriedSet {
  const still = new TriedSet();
  for (const endpoint of tried) {
    const found = endpointIn(from, to, endpoint);
    if (found !== NO_ENDPOINT) still.add(found);
  }
  return still;
}
