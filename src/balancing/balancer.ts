/** What a balancing algorithm is: the seam that makes each one a file of its own and one line in registry.ts. */
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import type { EndpointGroup } from './endpoint-group.js';
import type { TriedSet } from './tried-set.js';
import type { UpstreamView } from './upstream-view.js';

/** No endpoint may be picked now. */
export const NO_ENDPOINT = -1;

/**
 * What an algorithm may know of the exchange or session: one record for each, filled in for one pick after the other. Algorithms
 * without a key ignore the hash; whoever picks by a key that a request does not have fills in a random one.
 */
export class PickKey {
  /** Low 32 bits of the xxHash64 of the key (client address, header, …); with ketama its CRC-32. */
  hash = 0;
  /** High 32 bits of the xxHash64; with ketama 0. */
  hashHigh = 0;
  /** Route of the plan and size of the request's body, for `predictive`: requests of one class cost about the same. */
  routeClass = 0;
  /** -1: unknown length. */
  bodyBytes = 0;
}

/** For picks without a key; change nothing in it. */
export const NO_KEY = new PickKey();

/** One algorithm at work for one upstream in one worker; may keep what it derives from a group's revision. Thread: worker. */
export interface Balancer {
  /**
   * Picks one endpoint of a group and claims it, so that the decision and its effect on others are one step.
   *
   * HOT (bench/micro/balancing/pick.bench.ts): no allocation, no closures.
   * @param view  the upstream, with the board's tables
   * @param group the endpoints to pick from, at least one: those of one level or its backups; all enabled, resolved, not draining, and healthy but in panic
   * @param tried endpoints this exchange has tried already; they are passed over
   * @param now   the shared clock
   * @returns index of the endpoint in the upstream's plan; NO_ENDPOINT when every one is tried or full
   */
  pickFrom(view: UpstreamView, group: EndpointGroup, key: PickKey, tried: TriedSet, rng: Rng, now: Tick): number;

  /**
   * An attempt was measured: told to balancers that learn by themselves, before the board's estimate takes the same sample in. HOT.
   *
   * @param endpoint  index in the upstream's plan
   * @param key       as it was for the pick
   * @param inflight  requests in flight there at the pick, without the one that was placed
   * @param elapsedUs what is measured of the upstream: up to the first byte, the last, or the connection of a session; or to the failure
   * @param isFailure the attempt failed by the endpoint's fault
   */
  settled?(
    view: UpstreamView,
    endpoint: number,
    key: PickKey,
    inflight: number,
    elapsedUs: number,
    isFailure: boolean,
    now: Tick,
  ): void;

  /**
   * What a pick would compare of a member if it were made now, for explain.ts: by the function that picks use. Cold. Balancers that
   * compare nothing leave it out.
   *
   * @param inflight requests in flight there, without the one that is to be placed
   */
  scoreFor?(
    view: UpstreamView,
    group: EndpointGroup,
    position: number,
    inflight: number,
    key: PickKey,
    now: Tick,
  ): number;
  /** Whether a pick compares all members of a group, or else two of them that are drawn. Cold, for explain.ts. */
  comparesAll?(group: EndpointGroup): boolean;
  /** Most requests in flight that bounded load lets a member have now; 0: no bound. Cold, for explain.ts. */
  boundFor?(view: UpstreamView, group: EndpointGroup, position: number, now: Tick): number;
}
