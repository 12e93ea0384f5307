/** What a queue on the board calls the endpoints and subsets of an upstream: by numbers that are the same in every plan. Pure. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import { type SubsetMembers, WHOLE } from '../board/wait-line.js';

/** One that is picked for at an upstream. */
type PickedFor = Pick<Attempting, 'subset' | 'tried'> & { readonly upstream: UpstreamRuntime | null };

/** Indices of its endpoints by their slots. */
export function slotsOf({ plan }: UpstreamRuntime): ReadonlyMap<number, number> {
  return new Map(plan.endpoints.map(({ slot }, endpoint) => [slot, endpoint]));
}

/** The slots of its subsets. */
export function membersOf({ plan }: UpstreamRuntime): SubsetMembers {
  const slotOf = (endpoint: number): number => plan.endpoints[endpoint]?.slot ?? NO_ENDPOINT;
  return new Map(plan.subsets.map(({ turn, endpoints }) => [turn, new Set(endpoints.map(slotOf))]));
}

/** What the board calls the subset that somebody may have. */
export function turnOf({ upstream, subset }: PickedFor): number {
  return upstream?.plan.subsets[subset]?.turn ?? WHOLE; // NO_SUBSET is no index
}

/** Of the endpoints that somebody has tried. */
export function triedSlots({ upstream, tried }: PickedFor): Iterable<number> {
  if (tried === null || upstream === null) return NO_SLOTS;
  const { endpoints } = upstream.plan;
  return Array.from(tried, (endpoint) => endpoints[endpoint]?.slot ?? NO_ENDPOINT);
}

const NO_SLOTS: readonly number[] = [];

/** Has it tried the endpoint of its upstream that has this slot? */
export function hasTried({ upstream, tried }: PickedFor, slot: number): boolean {
  if (tried === null || upstream === null) return false;
  const endpoint = upstream.plan.endpoints.findIndex((other) => other.slot === slot);
  return endpoint !== NO_ENDPOINT && tried.has(endpoint);
}
