/** How the requests of each route are attempted on each upstream that it may lead to: both of their settings merged once for each plan. */
import type { L7ListenerPlan, ListenerPlan, RoutePlan, UpstreamPlan } from '../config/plan.js';
import { type HedgePlan, NO_FALLBACK, type RetryPlan } from '../config/resilience-plan.js';
import { invariant } from '../core/invariant.js';
import type { AttemptProfile } from '../engine/attempt-profile.js';
import { HedgeDelay } from '../policies/hedge-delay.js';
import type { RouteBreaker } from '../policies/route-breaker.js';
import { type AttemptSettings, RouteSettings, type ServedUpstream } from './exchange.js';
import { ProfileNumbers } from './profile-numbers.js';

/** AttemptProfile.heldBodyBytes where a request that was sent is not sent again. */
const NOTHING_HELD = -1;

/** What the settings are made with. */
export interface AttemptProfilesParts {
  /** Makes a profile known to the engine: Engine.openProfile. */
  readonly open: (profile: number, settings: AttemptProfile) => void;
  /** The breaker of a route that has one. */
  readonly breakerOf: (route: RoutePlan, listener: L7ListenerPlan) => RouteBreaker | null;
}

/** Thread: worker; one for each pipeline. */
export class AttemptProfiles {
  readonly #breakerOf: AttemptProfilesParts['breakerOf'];
  readonly #numbers: ProfileNumbers;
  #routes: ReadonlyMap<RoutePlan, RouteSettings> = new Map();
  /** Of plans before, as long as somebody has their routes: listeners that are gone, and still have connections. */
  readonly #formerRoutes = new WeakMap<RoutePlan, RouteSettings>();
  #upstreams: readonly ServedUpstream[] = [];
  /** By upstream and what they say: one that is in the next plan, too, keeps what it knows of answers. */
  #hedges: ReadonlyMap<string, HedgeDelay> = new Map();
  #nextHedges = new Map<string, HedgeDelay>();

  constructor({ open, breakerOf }: AttemptProfilesParts) {
    this.#numbers = new ProfileNumbers(open);
    this.#breakerOf = breakerOf;
  }

  /**
   * Goes by another plan.
   *
   * @param upstreams by the indices of the plan
   * @param used      those of former plans that requests under way have, or requests may still begin with
   */
  apply(
    listeners: readonly ListenerPlan[],
    upstreams: readonly ServedUpstream[],
    used: ReadonlySet<RouteSettings>,
  ): void {
    for (const [route, settings] of this.#routes) this.#formerRoutes.set(route, settings);
    this.#upstreams = upstreams;
    this.#nextHedges = new Map();
    const routes = new Map<RoutePlan, RouteSettings>();
    for (const listener of listeners) {
      if (listener.mode !== 'l7') continue;
      for (const route of listener.routes)
        routes.set(route, new RouteSettings(route, this.#breakerOf(route, listener), this.#settingsOf(route)));
    }
    this.#routes = routes;
    this.#hedges = this.#nextHedges;
    const numbers = new Set<number>();
    for (const settings of [...routes.values(), ...used]) settings.collectProfiles(numbers);
    this.#numbers.retain(numbers);
  }

  /** @param route of the plan, or of one before; the object itself */
  of(route: RoutePlan): RouteSettings {
    const settings = this.#routes.get(route) ?? this.#formerRoutes.get(route);
    invariant(settings, 'a request takes a route of the plan');
    return settings;
  }

  /** The delays that requests of the plan may have. */
  get hedgeDelays(): ReadonlySet<HedgeDelay> {
    return new Set(this.#hedges.values());
  }

  #settingsOf(route: RoutePlan): readonly (AttemptSettings | undefined)[] {
    const byUpstream: AttemptSettings[] = [];
    const targets = route.split === null ? [route.upstream] : route.split.targets.map(({ upstream }) => upstream);
    const fallback = route.fallback?.upstream ?? NO_FALLBACK;
    for (const index of fallback === NO_FALLBACK ? targets : [...targets, fallback]) {
      const upstream = this.#upstreams[index];
      invariant(upstream, 'a route leads to upstreams of the plan');
      byUpstream[index] = this.#settings(route, upstream);
    }
    return byUpstream;
  }

  #settings(route: RoutePlan, served: ServedUpstream): AttemptSettings {
    const upstream = served.runtime.plan;
    const retry: RetryPlan = { ...upstream.retry, ...route.retry };
    const hedge = route.hedge === undefined ? upstream.hedge : route.hedge;
    const times = this.#timesOf(route, upstream);
    const triesSent = retry.attempts > 1 && (retry.on.some((condition) => condition !== 'connect') || asks(retry));
    const isSentAgain = triesSent || hedge !== null || (route.fallback?.upstream ?? NO_FALLBACK) !== NO_FALLBACK;
    return {
      served,
      retry,
      queueMs: route.timeouts.queueMs ?? upstream.timeouts.queueMs,
      hedge: hedge === null ? null : this.#hedgeOf(upstream, hedge),
      profile: this.#numbers.numberOf({
        ...times,
        heldBodyBytes: isSentAgain ? retry.bodyBytes : NOTHING_HELD,
        askedStatuses: asks(retry) ? retry.statuses : [],
      }),
      profileOnce: this.#numbers.numberOf({ ...times, heldBodyBytes: NOTHING_HELD, askedStatuses: [] }),
    };
  }

  /** 0 where the route says nothing else than the upstream, whose connection pools have these times already. */
  #timesOf({ timeouts }: RoutePlan, upstream: UpstreamPlan): Omit<AttemptProfile, 'heldBodyBytes' | 'askedStatuses'> {
    return {
      connectTimeoutMs: timeouts.connectMs ?? 0,
      firstByteTimeoutMs: timeouts.firstByteMs ?? 0,
      idleTimeoutMs: timeouts.idleMs ?? 0,
      attemptTimeoutMs: timeouts.attemptMs ?? upstream.timeouts.attemptMs,
    };
  }

  #hedgeOf({ name }: UpstreamPlan, plan: HedgePlan): HedgeDelay {
    const key = JSON.stringify([name, plan]);
    const delay = this.#nextHedges.get(key) ?? this.#hedges.get(key) ?? new HedgeDelay(plan);
    this.#nextHedges.set(key, delay);
    return delay;
  }
}

function asks({ attempts, statuses }: RetryPlan): boolean {
  return attempts > 1 && statuses.length > 0;
}
