/** What requests go by, from one plan to the next: their routes' settings, and the upstreams as this data plane meets them. */
import { endpointIn, followPlan } from '../balancing/plan-follower.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { ListenerPlan, RoutePlan } from '../config/plan.js';
import { invariant } from '../core/invariant.js';
import type { HedgeDelay } from '../policies/hedge-delay.js';
import type { WaitingRoom } from '../policies/waiting-room.js';
import type { AttemptProfiles } from './attempt-profiles.js';
import type { Exchange, RouteSettings, ServedUpstream } from './exchange.js';
import { affinityOf } from './exchange-affinity.js';

/** A plan as its pipeline takes it over. */
export interface RequestPlan {
  /** Plan.listeners. */
  readonly listeners: readonly ListenerPlan[];
  /** By the indices of the plan. */
  readonly upstreams: readonly UpstreamRuntime[];
  /** Where their requests wait; null: nobody waits. */
  readonly rooms: { of(upstream: UpstreamRuntime): WaitingRoom<Exchange> | null } | null;
  /** All objects of exchanges that there are. */
  readonly exchanges: Iterable<Exchange>;
  /** Routes of former plans with which requests may still begin: those of listeners that are gone, and still have connections. */
  readonly leaving: readonly RoutePlan[];
}

/** Thread: worker; one for each pipeline. */
export class RequestPlans {
  readonly #profiles: AttemptProfiles;
  /** Of the plan that counts. */
  #served: ReadonlyMap<UpstreamRuntime, ServedUpstream> = new Map();

  constructor(profiles: AttemptProfiles) {
    this.#profiles = profiles;
  }

  /** Another plan counts. What a request has of the former one it keeps; what nobody has any more is let go of. */
  apply({ listeners, upstreams, rooms, exchanges, leaving }: RequestPlan): void {
    const served = upstreams.map((runtime): ServedUpstream => {
      const affinity = this.#served.get(runtime)?.affinity ?? affinityOf(runtime.plan);
      return { runtime, affinity, room: rooms?.of(runtime) ?? null };
    });
    const used = new Set(leaving.map((route) => this.#profiles.of(route)));
    const anyListener = listeners.find((listener) => listener.mode === 'l7') ?? null;
    for (const exchange of exchanges) {
      if (exchange.state === 'free') exchange.forgetPlan(anyListener);
      else if (exchange.route !== null) used.add(exchange.route);
    }
    this.#served = new Map(served.map((each) => [each.runtime, each]));
    this.#profiles.apply(listeners, served, used);
  }

  /** @param route of the plan that counts, or of a listener that is gone; the object itself */
  settingsOf(route: RoutePlan): RouteSettings {
    return this.#profiles.of(route);
  }

  /** Of all routes of the plan that counts. */
  get hedgeDelays(): ReadonlySet<HedgeDelay> {
    return this.#profiles.hedgeDelays;
  }

  /**
   * Before a pick, while no attempt runs: a request that began under another plan has its next attempt where the plan of now says. Its
   * route, its deadlines and what may be tried again stay those that it began with. HOT where nothing has changed: two loads.
   */
  follow(exchange: Exchange): void {
    const from = exchange.upstream;
    if (!followPlan(exchange)) return;
    const { upstream, settings } = exchange;
    const served = upstream === null ? undefined : this.#served.get(upstream);
    invariant(from !== null && upstream !== null && settings !== null && served, 'the latest runtime is in the plan');
    exchange.settings = { ...settings, served };
    exchange.answeredBy = endpointIn(from.plan, upstream.plan, exchange.answeredBy);
    // What the balancer of then did not ask for cannot be told any more.
    if (from.keyWish.source === null && upstream.keyWish.source !== null) upstream.fillRandomKey(exchange.key);
  }
}
